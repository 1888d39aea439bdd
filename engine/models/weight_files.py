"""The safetensors files that hold the weights of a model: which they are, and whether each is whole."""

from __future__ import annotations

import json
import math
from pathlib import Path, PurePosixPath
from typing import Any

from safetensors import SafetensorError, safe_open

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.plain_files import check_plain, read_json

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"

PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.ckpt.index", "tf_model.h5", "flax_model.msgpack")
"""Weights in other formats, most of which run code when they are read."""

HEADER_BYTES = 8
"""A safetensors file begins with the length of its header, 64 bits, little-endian."""

AGAIN = "download the file again"


def shard_names(folder: Path) -> list[str]:
    """The files that the indexes of a folder name, as long as they are in it; for digests, so an index that cannot be read names none."""
    named: set[str] = set()
    for index in folder.glob("*.safetensors.index.json"):
        try:
            weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            named |= {name for name in weight_map.values() if isinstance(name, str) and _is_inside(name)}
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            continue
    return sorted(named)


def weight_files(folder: Path) -> list[str]:
    """The files that transformers reads the weights from, as paths in the folder.

    Raises CaseError if there is none, and for an index that is broken, names a file outside the folder, or one that is not there.
    """
    chosen = read_json(folder / "config.json").get("transformers_weights")
    if chosen is not None and not (isinstance(chosen, str) and _is_inside(chosen)):
        raise CaseError("`transformers_weights` names a file outside the folder", where=str(folder / "config.json"), fix="take the key out")
    if chosen is None:
        chosen = SINGLE if (folder / SINGLE).exists() or not (folder / INDEX).exists() else INDEX
    if not (folder / chosen).exists():
        raise _no_weights(folder, chosen)
    return _shards(folder, chosen) if chosen.endswith(".index.json") else [chosen]


def check_weights(folder: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each stored tensor by its name, from the headers of the files; reads no weights.

    Raises CaseError with the file that is missing, empty, cut off or something else.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for name in weight_files(folder):
        shapes |= read_header(folder / name)
    if not shapes:
        raise CaseError("the weights have no tensor", where=str(folder / weight_files(folder)[0]), fix=AGAIN)
    return shapes


def base_parameters(folder: Path) -> int:
    """The number of values in the weights of a model, from the headers of the files. Raises CaseError as `check_weights` does."""
    return sum(math.prod(shape) for shape in check_weights(folder).values())


def stored_parameters(path: Path, frozen: tuple[str, ...] = ()) -> int:
    """The number of values in a safetensors file, without tensors whose names have one of these parts."""
    return sum(math.prod(shape) for name, shape in read_header(path).items() if not any(part in name for part in frozen))


def _shards(folder: Path, index: str) -> list[str]:
    weight_map = read_json(folder / index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map or not all(isinstance(name, str) for name in weight_map.values()):
        raise CaseError("the index has no `weight_map` from tensors to files", where=str(folder / index), fix=AGAIN)
    names = sorted(set(weight_map.values()))
    for name in names:
        if not _is_inside(name):
            raise CaseError(
                f"the index names `{name}`, which is not a safetensors file in this folder",
                where=str(folder / index),
                fix="do not use this model, or correct its index",
            )
        if not (folder / name).exists():
            missing = sum(not (folder / each).exists() for each in names)
            raise CaseError(
                f"the file is missing; {INDEX} names {len(names)} files, and {missing} of them {'is' if missing == 1 else 'are'} not here",
                where=str(folder / name),
                fix="download the missing files",
            )
    return names


def _is_inside(name: str) -> bool:
    """Whether a name is that of a safetensors file, or of an index of some, in the folder or below it."""
    path = PurePosixPath(name)
    plain = not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name
    return plain and name.endswith((".safetensors", ".safetensors.index.json"))


def _no_weights(folder: Path, wanted: str) -> CaseError:
    other = next((name for name in PICKLED if (folder / name).exists()), None)
    if other is not None:
        return CaseError(
            f"the weights are only there as {other}, and only safetensors are loaded: other formats can run code",
            where=str(folder),
            fix="convert them: load the model with transformers and call save_pretrained, or take a revision with safetensors",
        )
    return CaseError("the file with the weights is missing", where=str(folder / wanted), fix="download the whole model")


def read_header(path: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of the tensors in a safetensors file, by their names. Raises CaseError if the file is cut off or is none."""
    check_plain(path)
    size, whole = path.stat().st_size, _whole_size(path)
    if whole is not None and size < whole:
        raise CaseError(f"the file is cut off: it has {size:,} of {whole:,} bytes", where=str(path), fix=AGAIN)
    try:
        with safe_open(path, framework="np") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in list(file.keys())}
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise CaseError(f"this is not a whole safetensors file: {error}", where=str(path), fix=AGAIN) from None


def _whole_size(path: Path) -> int | None:
    """The size in bytes that the header says the file has; None if that cannot be read."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(HEADER_BYTES), "little")
            if length > path.stat().st_size:
                return HEADER_BYTES + length if length < 100_000_000 else None
            header: dict[str, Any] = json.loads(file.read(length))
        ends = [int(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
        return HEADER_BYTES + length + max(ends, default=0)
    except (OSError, ValueError, RecursionError, KeyError, TypeError, IndexError, AttributeError):
        return None
