"""Copies of the sample model with another chat template, or with none and a tokenizer that puts a token before every text."""

from __future__ import annotations

import shutil
from pathlib import Path

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
