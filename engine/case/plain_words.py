"""What pydantic found wrong with a value that a person typed, in words of the field and not of pydantic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

Words = Callable[[Any, Mapping[str, Any]], str]
"""What to write instead, from the given value and the limits that the schema sets."""

LARGEST_PERCENT = 100


def _at_most(given: Any, limits: Mapping[str, Any]) -> str:
    limit = limits.get("le", limits.get("lt"))
    if limit == 1 and isinstance(given, int | float) and 1 <= given <= LARGEST_PERCENT:
        return f"write a share between 0 and 1: {given / LARGEST_PERCENT:g} means {given:g} %"
    return f"write {limit:,} or less" if "le" in limits else f"write a number below {limit:,}"


def _one_of(given: Any, limits: Mapping[str, Any]) -> str:
    return f"choose one of {str(limits['expected']).replace(chr(39), '')}"


WORDS: dict[str, Words] = {
    "greater_than": lambda given, limits: f"write a number above {limits['gt']:g}",
    "greater_than_equal": lambda given, limits: f"write {limits['ge']:g} or more",
    "less_than": _at_most,
    "less_than_equal": _at_most,
    "int_type": lambda given, limits: "write a whole number",
    "int_from_float": lambda given, limits: f"write a whole number, not {given:g}",
    "int_parsing_size": lambda given, limits: "write a smaller number",
    "float_type": lambda given, limits: "write a number",
    "finite_number": lambda given, limits: "write a number that is not infinite",
    "bool_type": lambda given, limits: "answer yes or no",
    "string_type": lambda given, limits: "write a text",
    "string_too_short": lambda given, limits: "this cannot be empty",
    "string_too_long": lambda given, limits: f"write at most {limits['max_length']:,} characters; these are {len(given):,}",
    "string_pattern_mismatch": lambda given, limits: "this has a character that is not allowed here",
    "too_short": lambda given, limits: "list at least one",
    "list_type": lambda given, limits: "write one a line",
    "enum": _one_of,
    "literal_error": _one_of,
    "model_type": lambda given, limits: "this needs keys below it",
    "dict_type": lambda given, limits: "this needs keys below it",
}
"""For the types of errors that a value of the case file can have. Those of the project's own validators say what to do themselves."""


def in_plain_words(error: ErrorDetails) -> str:
    """The error as something to do: `write a number above 0`."""
    if error["type"] == "missing":
        return f"`{error['loc'][-1]}` is missing"
    if error["type"] == "extra_forbidden":
        return f"there is no key `{error['loc'][-1]}` here"
    words = WORDS.get(error["type"])
    if words is not None:
        return words(error["input"], error.get("ctx", {}))
    return error["msg"].removeprefix("Value error, ").removeprefix("Input ")
