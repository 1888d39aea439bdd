"""What is wrong with text that is nearly JSON, by name and with its fix: the usual slips of people and of programs that print."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

_NAMES_OF_PYTHON = re.compile(r"(?:None|True|False)\b")
_CURLY = tuple("“”„\u2018\u2019«»")
_WORD = re.compile(r"\w")


def slip_of(text: str, error: Exception) -> str:
    """What is wrong where the parser stopped, as the end of a sentence, with what to do; the parser's own words if it has no name."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    at = error.pos
    before = text[:at].rstrip()[-1:]
    found = next((name for applies, name in _SLIPS if applies(text, at, before, error.msg)), None)
    return f"{found} (character {at + 1:,})" if found else str(error)


def _is_trailing_comma(text: str, at: int, before: str, message: str) -> bool:
    return (text[at : at + 1] in tuple("}]") and before == ",") or "trailing comma" in message


def _is_python(text: str, at: int, before: str, message: str) -> bool:
    return text[at : at + 1] == "'" or _NAMES_OF_PYTHON.match(text, at) is not None


def _is_comment(text: str, at: int, before: str, message: str) -> bool:
    return text.startswith(("//", "/*", "#"), at)


def _is_concatenated(text: str, at: int, before: str, message: str) -> bool:
    return message == "Extra data" and text[at : at + 1] in tuple("{[")


def _is_comma_after(text: str, at: int, before: str, message: str) -> bool:
    return message == "Extra data" and text[at:].strip() == ","


def _is_curly(text: str, at: int, before: str, message: str) -> bool:
    return text[at : at + 1] in _CURLY


def _is_cut_off(text: str, at: int, before: str, message: str) -> bool:
    return not text[at:].strip() or message.startswith("Unterminated string")


def _is_bare_key(text: str, at: int, before: str, message: str) -> bool:
    return "property name" in message and _WORD.match(text, at) is not None


def _is_missing_comma(text: str, at: int, before: str, message: str) -> bool:
    return "',' delimiter" in message and text[at : at + 1] in tuple('"{[')


def _is_quote_in_string(text: str, at: int, before: str, message: str) -> bool:
    return "delimiter" in message and before == '"'


_SLIPS: tuple[tuple[Callable[[str, int, str, str], bool], str], ...] = (
    (_is_trailing_comma, "a comma stands before a closing bracket: remove it"),
    (_is_python, "this is Python's notation (single quotes, None, True, False): write rows with json.dumps"),
    (_is_comment, "JSON has no comments: remove it"),
    (_is_concatenated, "two rows stand in one line, as in `}{`: put a line break between them"),
    (_is_comma_after, "a comma stands after the row: remove it, or put all rows into one array in a .json"),
    (_is_curly, "these are typographic quotation marks: use straight ones"),
    (_is_bare_key, "a key stands without quotation marks: put it between straight ones"),
    (_is_cut_off, "the row ends in the middle"),
    (_is_missing_comma, "a comma is missing"),
    (_is_quote_in_string, 'a quotation mark inside a string has to be written \\"'),
    (lambda text, at, before, message: "control character" in message, "a line break or tab inside a string has to be written \\n or \\t"),
    (lambda text, at, before, message: "escape" in message, "a backslash inside a string has to be written twice"),
)
"""Each slip with its fix, in the order in which they are tried."""
