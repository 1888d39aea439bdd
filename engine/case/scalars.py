"""Words and numbers of a case file: the core schema of YAML 1.2 (section 10.3.2), in which `2e-4` is a number and `no` is a text."""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

LARGEST_INTEGER = 2**64 - 1
"""The largest integer that a case may hold, positive or negative: JSON readers in other languages take no more."""

MOST_WHOLE_DIGITS = 15
"""Digits of a number such as `1e3` that is read as an integer: more would be exact only by luck."""

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o([0-7]+)")
_HEXADECIMAL = re.compile(r"0x([0-9a-fA-F]+)")
_WHOLE = re.compile(r"([-+]?[0-9]+)[eE]\+?([0-9]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

INTEGER_TAG, FLOAT_TAG, TEXT_TAG = (f"tag:yaml.org,2002:{name}" for name in ("int", "float", "str"))
BOOLEAN_TAG, NULL_TAG = (f"tag:yaml.org,2002:{name}" for name in ("bool", "null"))
SCALAR_TAGS = {INTEGER_TAG, FLOAT_TAG, TEXT_TAG, BOOLEAN_TAG, NULL_TAG}


def plain_scalar(text: str) -> Scalar:
    """The value of a word without quotes.

    A whole number with an exponent, such as `1e3`, is an integer here, so that it can be a number of steps. Raises ValueError, with a
    sentence, for a number that a case cannot hold: too large, infinite, or not a number.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    if (whole := _integer(text)) is not None:
        return whole
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that a case can hold")
    if not _FLOAT.fullmatch(text):
        return text
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {_shortened(text)} is too large")
    return number


def tagged_scalar(text: str, tag: str) -> Scalar:
    """The value of a word with a tag of the core schema, such as `!!str 12`. Raises ValueError if the word is not of that type."""
    if tag == TEXT_TAG:
        return text
    value = plain_scalar(text)
    wanted = {INTEGER_TAG: int, FLOAT_TAG: float, BOOLEAN_TAG: bool, NULL_TAG: type(None)}[tag]
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise ValueError(f"{_shortened(text)} is not of the type that its tag says")
    return value


def is_plain_text(text: str) -> bool:
    """Whether a word without quotes is read as a text, and not as a number or constant."""
    try:
        return isinstance(plain_scalar(text), str)
    except ValueError:
        return False


def _integer(text: str) -> int | None:
    if _DECIMAL.fullmatch(text):
        if len(text.lstrip("+-0")) <= len(str(LARGEST_INTEGER)):
            return _bounded(int(text), text)
        raise ValueError(f"the number {_shortened(text)} is too large")
    for digits, base in ((_OCTAL.fullmatch(text), 8), (_HEXADECIMAL.fullmatch(text), 16)):
        if digits is not None:
            return _bounded(int(digits[1], base), text)
    if (whole := _WHOLE.fullmatch(text)) and len(whole[1].lstrip("+-0")) + int(whole[2][:3]) <= MOST_WHOLE_DIGITS and len(whole[2]) <= 2:
        number, exponent = int(whole[1]), int(whole[2])
        return int(number * 10**exponent)
    return None


def _bounded(number: int, text: str) -> int:
    if abs(number) > LARGEST_INTEGER:
        raise ValueError(f"the number {_shortened(text)} is too large")
    return number


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
