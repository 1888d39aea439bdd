"""Merging an adapter into its base, into one model that a server loads.

Imports torch, transformers and peft, so only the worker imports this module.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from peft.tuners.tuners_utils import BaseTunerLayer

from tuneproof.engine.core.errors import RunFailed
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.models.plain_files import read_json
from tuneproof.engine.models.pretrained import read_adapter, read_model

PISSA = "pissa"
"""The value of `init_lora_weights` with which PEFT subtracts the adapter's first values from the base when it loads the two."""


class DoesNotFit(RunFailed):
    """A merged weight is too large for the number type."""


def merge(base: BaseCheckpoint, adapter: Path, folder: Path, dtype: torch.dtype = torch.bfloat16) -> list[str]:
    """Writes base and adapter as one model, with its tokenizer, into the folder, and returns the names of its files.

    Every layer with an adapter is summed in float32 and rounded to `dtype` once, also where an adapter was trained over quantised weights:
    merging into those rounds each sum to one of 16 or 256 values, and changes what some methods predict (measured with PEFT 0.21).
    Raises RunFailed if a merged weight is not finite, DoesNotFit if only `dtype` cannot hold it.
    """
    unfinished = folder.with_name(folder.name + ".tmp")
    folder.parent.mkdir(parents=True, exist_ok=True)
    for leftover in (unfinished, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    merged = merged_model(base, adapter, dtype)
    merged.save_pretrained(unfinished)
    base.tokenizer.save_pretrained(unfinished)
    unfinished.rename(folder)
    return sorted(path.name for path in folder.iterdir())


def merged_model(base: BaseCheckpoint, adapter: Path, dtype: torch.dtype) -> Any:
    """The merged model in memory. Raises as `merge` does."""
    # In the type it is stored in, so that the whole base is never in memory in float32, unless loading it changes it.
    loaded = read_model(base.folder, base.generation, trusts_code=base.trusts_code, dtype=torch.float32 if _is_pissa(adapter) else "auto")
    model = read_adapter(loaded, adapter)
    for name, layer in model.named_modules():
        if isinstance(layer, BaseTunerLayer):
            _merge_layer(layer, name, adapter, dtype)
    merged = model.unload()
    for name, parameter in merged.named_parameters():
        if not _fits(parameter, dtype):
            raise _too_large(name, adapter, dtype)
    return merged.to(dtype)


def _merge_layer(layer: Any, name: str, adapter: Path, dtype: torch.dtype) -> None:
    layer.get_base_layer().to(torch.float32)
    try:
        layer.merge(safe_merge=True)
    except ValueError as error:
        fix = "lower training.learning_rate in a new run"
        raise RunFailed(f"the adapter cannot be merged: {error}", where=str(adapter), fix=fix) from None
    # Some methods replace the layer of the base instead of changing its weights.
    summed = layer.get_base_layer()
    if not all(_fits(parameter, dtype) for parameter in summed.parameters()):
        raise _too_large(name, adapter, dtype)
    summed.to(dtype)


def _fits(weights: torch.Tensor, dtype: torch.dtype) -> bool:
    largest = torch.finfo(dtype).max
    return not weights.is_floating_point() or not weights.numel() or bool(weights.detach().abs().amax() <= largest)


def _too_large(name: str, adapter: Path, dtype: torch.dtype) -> DoesNotFit:
    kind = str(dtype).removeprefix("torch.")
    return DoesNotFit(
        f"the merged layer `{name}` has a weight that is too large for {kind}",
        where=str(adapter),
        fix="set evaluate.merged_dtype: bfloat16 or float32",
    )


def _is_pissa(adapter: Path) -> bool:
    return read_json(adapter / "adapter_config.json").get("init_lora_weights") == PISSA
