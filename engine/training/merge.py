"""Merging an adapter into its base: the whole model that a server loads.

Imports torch, transformers and peft, so only the worker imports this module.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from tuneproof.engine.core.errors import RunFailed
from tuneproof.engine.models.base_model import BaseCheckpoint

SERVED_DTYPE = torch.bfloat16
"""What models are served in. An adapter over quantised weights is merged into these too: a merge into the quantised ones rounds each sum to
one of 16 or 256 values, and for some methods gives another model altogether (measured with PEFT 0.21)."""


def merge(base: BaseCheckpoint, adapter: Path, folder: Path) -> list[str]:
    """Writes base and adapter as one model, with its tokenizer, into the folder, and gives the names of its files.

    Raises RunFailed where the sum of the two is not finite.
    """
    making = folder.with_name(folder.name + ".tmp")
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in (making, folder):
        shutil.rmtree(left, ignore_errors=True)
    # As it is stored: rounded before the sum, it would swallow the small changes that rounding after it keeps on average.
    plain = AutoModelForCausalLM.from_pretrained(base.folder, dtype="auto")
    try:
        merged = PeftModel.from_pretrained(plain, adapter).merge_and_unload(safe_merge=True)
    except ValueError as error:
        fix = "lower training.learning_rate in a new run"
        raise RunFailed(f"the adapter cannot be merged: {error}", where=str(adapter), fix=fix) from None
    merged.to(SERVED_DTYPE).save_pretrained(making)
    base.tokenizer.save_pretrained(making)
    making.rename(folder)
    return sorted(path.name for path in folder.iterdir())
