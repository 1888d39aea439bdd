"""Whether a model folder is whole, as far as its files tell without loading the model. Imports neither torch nor transformers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.files import local_folder
from tuneproof.engine.models.plain_files import check_plain, read_json
from tuneproof.engine.models.sample_models import SAMPLE_MODELS
from tuneproof.engine.models.weight_files import check_weights

TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "tekken.json", "*.model", "*.tiktoken", "*.codes")
"""Patterns of the files that a tokenizer can be made from."""

READ_AS_JSON = ("generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.json")
"""Files that need not be there, but are read where they are."""

ADAPTER_CONFIG = "adapter_config.json"

LONGEST_NAME = 200
"""Characters of the name of a base that a message shows."""

LAYER_COUNTS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_decoder_layers")
"""The keys of a config.json that say how many layers a model has, by architecture."""


def check_named_folder(base: str) -> None:
    """Checks the folder of a base that a case names; nothing is checked of a name on the hub. Raises CaseError as `check_folder` does."""
    folder = local_folder(base)
    if folder is not None:
        check_folder(folder)
    elif base in SAMPLE_MODELS:
        raise CaseError(
            "this model is not on this machine yet", where=f"model.base: {base}", fix=f"fetch it: tuneproof sample-model {base}"
        )
    elif Path(base).exists():
        raise CaseError("a base model is a folder, and this is a file", where=f"model.base: {base}", fix="name the folder that it is in")


def check_folder(folder: Path) -> None:
    """Finds what would stop a model from being loaded.

    Raises CaseError with the file and what to do: for configuration, tokenizer or weights that are missing, empty, cut off, a Git LFS
    pointer or not what their names say, and for a folder from which something else would be loaded.
    """
    _check_that_only_this_is_loaded(folder)
    config = read_json(folder / "config.json")
    for name in READ_AS_JSON:
        if (folder / name).exists():
            read_json(folder / name)
    _check_tokenizer(folder)
    shapes = check_weights(folder)
    _check_layers(folder, config, len(shapes))


def _check_that_only_this_is_loaded(folder: Path) -> None:
    """Raises CaseError for files that transformers would load in place of the weights, or on top of them."""
    if (folder / ADAPTER_CONFIG).exists():
        has_model = (folder / "config.json").exists()
        what = "which transformers would load on top of the model" if has_model else "which is no model without its base"
        raise CaseError(
            f"the folder holds an adapter, {what}",
            where=str(folder / ADAPTER_CONFIG),
            fix=f"name {_base_of_adapter(folder)}; or merge the two, and name the merged model",
        )
    if (folder / ".metadata").exists():
        raise CaseError(
            "the folder holds a distributed checkpoint, whose metadata is pickled: reading it can run code",
            where=str(folder / ".metadata"),
            fix="export the model with save_pretrained, and name that folder",
        )


def _base_of_adapter(folder: Path) -> str:
    """What to name in place of an adapter, as far as its configuration says."""
    try:
        named = read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    except CaseError:
        named = None
    return f"its base, {named[:LONGEST_NAME]}" if isinstance(named, str) and named else "the folder of its base"


def _check_tokenizer(folder: Path) -> None:
    found = sorted({path for pattern in TOKENIZERS for path in folder.glob(pattern)})
    if not found:
        raise CaseError("the tokenizer is missing", where=str(folder / TOKENIZERS[0]), fix="download the whole model")
    for path in [*found, *sorted(folder.glob("*.jinja"))]:
        check_plain(path)
    settings = folder / "tokenizer_config.json"
    versions = read_json(settings).get("fast_tokenizer_files") if settings.exists() else None
    if versions is not None and not (isinstance(versions, list) and all(isinstance(name, str) and "/" not in name for name in versions)):
        raise CaseError("`fast_tokenizer_files` does not name files of this folder", where=str(settings), fix="take the key out")


def _check_layers(folder: Path, config: dict[str, Any], tensors: int) -> None:
    """Raises CaseError for a number of layers that the weights cannot have: transformers would build each before it looks."""
    for key, count in _layer_counts(config):
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= tensors:
            raise CaseError(
                f"`{key}` is {str(count)[:40]}, but the weights have {tensors:,} tensors, and every layer has one",
                where=str(folder / "config.json"),
                fix="use the config.json that belongs to the weights",
            )


def _layer_counts(config: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """The layer counts of a configuration and of the configurations in it."""
    for key, value in config.items():
        if key in LAYER_COUNTS and value is not None:
            yield key, value
        elif isinstance(value, dict):
            yield from _layer_counts(value)
