"""JSON to raw rows: JSONL, an array of rows, or an object with one such array in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tuneproof.engine.data.encodings import first_invalid_in_text, has_invalid_bytes, invalid_bytes_at
from tuneproof.engine.data.problems import NotUtf8Row, RowProblem, UnreadableRow
from tuneproof.engine.data.raw import InvalidRow, RawRow, RawRows

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SPACE = " \t\r\n"


def json_lines(content: bytes) -> RawRows:
    """One row a line; a line that cannot be read costs only itself."""
    for number, line in enumerate(content.removeprefix(BYTE_ORDER_MARK).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield RawRow(number, _parse_json(line.decode("utf-8")))
        except UnicodeDecodeError as error:
            yield InvalidRow(number, NotUtf8Row.of(invalid_bytes_at(line, error.start), "of the line"))
        except ValueError as error:
            yield InvalidRow(number, UnreadableRow(f"not JSON: {error}"))


def json_file(content: bytes) -> RawRows:
    """A JSON array of rows, an object with one such array in it, or JSONL in a file that is named .json."""
    document = _Document(content)
    start = _skip(document.text, 0, SPACE)
    if document.text[start : start + 1] == "[":
        yield from _with_unique_lines(list(document.rows_of_array(start)))
        return
    try:
        value = _parse_json(document.text)
    except ValueError:
        yield from json_lines(content)
        return
    arrays = _arrays_of_object(document.text, start) if isinstance(value, dict) else []
    if len(arrays) == 1:
        yield from _with_unique_lines(list(document.rows_of_array(arrays[0])))
    else:
        invalid = document.invalid_bytes(0, len(document.text))
        yield RawRow(1, value) if invalid is None else InvalidRow(1, invalid)


def _with_unique_lines(rows: list[RawRow | InvalidRow]) -> RawRows:
    """The rows by their lines, or by their numbers if two begin on the same line, so that a source always means one row."""
    if len({row.line for row in rows}) == len(rows):
        yield from rows
    else:
        yield from (replace(row, line=number) for number, row in enumerate(rows, start=1))


class _Document:
    """A JSON file whose array is parsed element by element, so that an invalid byte costs only its element."""

    def __init__(self, content: bytes) -> None:
        # Invalid bytes become lone surrogates, which the parser accepts in strings; each element is checked for them afterwards.
        self.text = content.removeprefix(BYTE_ORDER_MARK).decode("utf-8", "surrogateescape")
        self._has_invalid_bytes = has_invalid_bytes(self.text)
        self._counted_characters = 0
        self._counted_bytes = len(BYTE_ORDER_MARK) if content.startswith(BYTE_ORDER_MARK) else 0

    def rows_of_array(self, start: int) -> RawRows:
        """The elements of the array that begins at a character, each with the line where it begins."""
        text = self.text
        decoder = json.JSONDecoder(parse_constant=_refuse_constant)
        line, counted, at = 1, 0, start + 1
        while True:
            at = _skip(text, at, SPACE)
            line, counted = line + text.count("\n", counted, at), at
            if at >= len(text):
                yield InvalidRow(line, UnreadableRow("the array is not closed; what follows cannot be read"))
                return
            if text[at] == "]":
                return
            try:
                value, end = decoder.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                yield InvalidRow(line, self._syntax_problem(at, error))
                return
            invalid = self.invalid_bytes(at, end)
            yield RawRow(line, value) if invalid is None else InvalidRow(line, invalid)
            at = _skip(text, end, SPACE)
            if at < len(text) and text[at] == ",":
                at += 1
            elif at < len(text) and text[at] != "]":
                yield InvalidRow(line, UnreadableRow("no comma between two rows; the rest of the array cannot be read"))
                return

    def invalid_bytes(self, start: int, end: int) -> NotUtf8Row | None:
        """The problem of the first invalid bytes between two characters. Ranges have to be given in the order of the text."""
        found = first_invalid_in_text(self.text[start:end]) if self._has_invalid_bytes else None
        if found is None:
            return None
        self._counted_bytes += len(self.text[self._counted_characters : start].encode("utf-8", "surrogateescape"))
        self._counted_characters = start
        return NotUtf8Row.of(replace(found, start=self._counted_bytes + found.start), "of the file")

    def _syntax_problem(self, at: int, error: Exception) -> RowProblem:
        position = error.pos if isinstance(error, json.JSONDecodeError) else at
        is_invalid_byte = has_invalid_bytes(self.text[position : position + 1])
        invalid = self.invalid_bytes(position, position + 1) if is_invalid_byte else None
        if invalid is not None:
            return replace(invalid, message=f"{invalid}; it is not inside a string, so the rest of the array cannot be read")
        return UnreadableRow(f"not JSON: {error}; the rest of the array cannot be read")


def _arrays_of_object(text: str, start: int) -> list[int]:
    """Where the arrays begin that are values of a well-formed object."""
    decoder = json.JSONDecoder()
    arrays = []
    at = _skip(text, start + 1, SPACE)
    while text[at] != "}":
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at, SPACE + ":")
        if text[at] == "[":
            arrays.append(at)
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at, SPACE + ",")
    return arrays


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _parse_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError, also for NaN and Infinity, which Python's parser would accept."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
