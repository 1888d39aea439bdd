"""The parts of a data set, and the names by which files, sheets and lists say which part they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar


class Part(StrEnum):
    """A part of the examples: to train on, to choose a checkpoint or a prompt with, and to score arms on."""

    TRAIN = "train"
    VALIDATION = "validation"
    EVAL = "eval"


NAMES = {
    **dict.fromkeys(("train", "training"), Part.TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev"), Part.VALIDATION),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), Part.EVAL),
}
"""The words for a part, as the hub reads them in the names of files."""

_WORD = re.compile("[a-z]+")

T = TypeVar("T")


def part_of_name(name: str) -> Part | None:
    """The part that a name such as `test-00000-of-00001` or `tickets_dev` says; None if it says none, or several."""
    parts = {NAMES[word] for word in _WORD.findall(name.lower()) if word in NAMES}
    return parts.pop() if len(parts) == 1 else None


def parts_of(named: Mapping[T, Iterable[str]]) -> dict[T, Part]:
    """The part of each thing by its names, the nearest first; what says none is for training.

    All are for training if there would be nothing else to train on.
    """
    found = {each: next(filter(None, map(part_of_name, names)), Part.TRAIN) for each, names in named.items()}
    return found if Part.TRAIN in found.values() else dict.fromkeys(found, Part.TRAIN)
