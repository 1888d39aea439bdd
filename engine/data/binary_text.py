"""Values of a row that are no text."""

from __future__ import annotations


class NoText(str):
    """What stands for a value that is no text. It can be stored, and is never an input or an output."""

    __slots__ = ()
    reason = "is no text"
    """The end of a sentence about it."""


class BinaryText(NoText):
    """Bytes that are no text."""

    __slots__ = ()
    reason = "has bytes that are not text in UTF-8"


class NotANumber(NoText):
    """NaN or an infinite number, which JSON does not have."""

    __slots__ = ()
    reason = "has a number that JSON does not have (NaN or infinity)"
