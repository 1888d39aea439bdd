"""Bytes of a row that are no text."""

from __future__ import annotations


class BinaryText(str):
    """What stands for bytes that are no text. It can be stored, and is never an input or an output."""

    __slots__ = ()
