"""What a run can store: JSON in UTF-8 that every reader takes, nested to a bounded depth."""

from __future__ import annotations

import math
import re
from typing import Any

MOST_DEPTH = 64
"""Objects and lists inside each other; readers of JSON stop at different depths, the lowest of them above this one."""

MOST_DIGITS = 4000
"""Digits of an integer; Python reads none with more than 4,300 from a text."""

BITS_OF_A_DIGIT = 3.33

SURROGATE = re.compile("[\ud800-\udfff]")


class NotStorable(ValueError):
    """A value that cannot be stored; the message is the part of a sentence that follows the name of the value."""


def require_storable(value: Any, depth: int = 0) -> None:
    """Raises NotStorable unless JSON-like data can be written and read back unchanged."""
    if isinstance(value, str):
        require_characters(value)
    elif isinstance(value, dict | list):
        if depth >= MOST_DEPTH:
            raise NotStorable(f"is nested deeper than {MOST_DEPTH} levels")
        for key in value if isinstance(value, dict) else ():
            require_characters(key)
        for item in value.values() if isinstance(value, dict) else value:
            require_storable(item, depth + 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise NotStorable("has a number that is infinite or too large")
    elif isinstance(value, int):
        if value.bit_length() > MOST_DIGITS * BITS_OF_A_DIGIT:
            raise NotStorable(f"has an integer of more than {MOST_DIGITS:,} digits")
    elif value is not None:
        raise NotStorable(f"has a value of the type {type(value).__name__}")


def require_characters(text: str) -> None:
    """Raises NotStorable for half a surrogate pair."""
    if not text.isascii() and SURROGATE.search(text):
        raise NotStorable("has half a surrogate pair, which is not a character")
