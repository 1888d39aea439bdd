"""Copies of the sample model with another chat template, or with none and a tokenizer that puts a token before every text."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers.processors import TemplateProcessing

from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base

TEMPLATES = Path(__file__).with_name("templates")

FIRST = "<|system|>"
"""The token that the tokenizer of the base without a template puts before every text."""


def base_with(template: str, folder: Path) -> BaseCheckpoint:
    """The sample model with a chat template of the folder `templates`."""
    shutil.copytree(load_base(ModelChoice(base="sample")).folder, folder)
    shutil.copyfile(TEMPLATES / f"{template}.jinja", folder / "chat_template.jinja")
    return load_base(ModelChoice(base=str(folder)))


def resize_embeddings(folder: Path, tokens: int) -> None:
    """Gives a copy of the sample model more embeddings, of zeros, and a config.json that says so."""
    weights = load_file(folder / "model.safetensors")
    table = weights["model.embed_tokens.weight"]
    weights["model.embed_tokens.weight"] = np.pad(table, ((0, tokens - len(table)), (0, 0)))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    edit_json(folder / "config.json", vocab_size=tokens)


def edit_json(path: Path, **settings: Any) -> None:
    """Changes settings in a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))


def base_without_template(folder: Path) -> BaseCheckpoint:
    """The sample model without a chat template, and with a tokenizer that adds `FIRST`."""
    sample = load_base(ModelChoice(base="sample"))
    shutil.copytree(sample.folder, folder)
    (folder / "chat_template.jinja").unlink()
    tokenizer = sample.tokenizer
    tokenizer.chat_template = None
    number = tokenizer.convert_tokens_to_ids(FIRST)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single=f"{FIRST} $A", special_tokens=[(FIRST, number)])
    tokenizer.save_pretrained(folder)
    return load_base(ModelChoice(base=str(folder)))
