"""Merging an adapter into its base, into one model that a server loads.

Imports torch, transformers and peft, so only the worker imports this module.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from tuneproof.engine.core.errors import RunFailed
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.models.pretrained import read_adapter, read_model

SERVED_DTYPE = torch.bfloat16
"""The dtype of the merged model. An adapter trained over quantised weights is merged into bfloat16 ones too: merging into quantised weights
rounds each sum to one of 16 or 256 values, and changes what some methods predict (measured with PEFT 0.21)."""


def merge(base: BaseCheckpoint, adapter: Path, folder: Path) -> list[str]:
    """Writes base and adapter as one model, with its tokenizer, into the folder, and returns the names of its files.

    Raises RunFailed if a merged weight is not finite.
    """
    unfinished = folder.with_name(folder.name + ".tmp")
    folder.parent.mkdir(parents=True, exist_ok=True)
    for leftover in (unfinished, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    # In the dtype it is stored in: rounding the base before the sum would lose the adapter's small changes.
    model = read_model(base.folder, base.generation, trusts_code=base.trusts_code, dtype="auto")
    try:
        merged = read_adapter(model, adapter).merge_and_unload(safe_merge=True)
    except ValueError as error:
        fix = "lower training.learning_rate in a new run"
        raise RunFailed(f"the adapter cannot be merged: {error}", where=str(adapter), fix=fix) from None
    merged.to(SERVED_DTYPE).save_pretrained(unfinished)
    base.tokenizer.save_pretrained(unfinished)
    unfinished.rename(folder)
    return sorted(path.name for path in folder.iterdir())
