"""A GGUF file as an ordinary model folder: `python -m tuneproof.engine.models.gguf_to_folder FILE FOLDER`.

Quantised weights are read back to numbers by transformers, and stored in bfloat16. Imports transformers, so it is a process of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def convert(file: Path, folder: Path) -> None:
    """Writes configuration, weights, tokenizer and chat template of the model into a folder."""
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    read = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    settings = read.config.to_dict()
    settings.pop("quantization_config", None)
    # As a new model: the one that was read remembers that it was quantised, and transformers would not save it.
    model = type(read)(type(read.config)(**settings | {"dtype": "bfloat16"}))
    model.load_state_dict(read.state_dict())
    model.tie_weights()
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
