"""The forms in which a tuned model leaves a run, and the number types that each can have."""

from __future__ import annotations

from enum import StrEnum


class ExportForm(StrEnum):
    """What is written."""

    ADAPTER = "adapter"
    MERGED = "merged"
    GGUF = "gguf"


class NumberType(StrEnum):
    """The number type of exported weights; those below float32 that name a block of 32 weights are for GGUF alone."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    Q8_0 = "q8_0"
    Q5_1 = "q5_1"
    Q5_0 = "q5_0"
    Q4_1 = "q4_1"
    Q4_0 = "q4_0"


OF_MODELS = (NumberType.FLOAT32, NumberType.BFLOAT16, NumberType.FLOAT16)
"""The types of a merged model in safetensors."""
