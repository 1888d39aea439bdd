"""JSON to raw rows: one value a line, an array of values, or an object that holds one such array."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tuneproof.engine.data.encodings import bad_at, first_bad_of, is_marked
from tuneproof.engine.data.problems import NotUtf8, RowProblem, Unreadable
from tuneproof.engine.data.raw import BadRow, RawRow, Rows

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SPACE = " \t\r\n"


def json_lines(content: bytes) -> Rows:
    """One value a line; a line that cannot be read costs itself alone."""
    for number, line in enumerate(content.removeprefix(BYTE_ORDER_MARK).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield RawRow(number, _strict_json(line.decode("utf-8")))
        except UnicodeDecodeError as error:
            yield BadRow(number, NotUtf8.at(bad_at(line, error.start), "of the line"))
        except ValueError as error:
            yield BadRow(number, Unreadable(f"not JSON: {error}"))


def json_file(content: bytes) -> Rows:
    """A JSON array of rows, an object that holds one such array, or JSON lines under the wrong ending."""
    array = _Array(content)
    start = _skip(array.text, 0, SPACE)
    if array.text[start : start + 1] == "[":
        yield from _told_apart(list(array.rows(start)))
        return
    try:
        whole = _strict_json(array.text)
    except ValueError:
        yield from json_lines(content)
        return
    arrays = _arrays_in(array.text, start) if isinstance(whole, dict) else []
    if len(arrays) == 1:
        yield from _told_apart(list(array.rows(arrays[0])))
    else:
        bad = array.bad_bytes(0, len(array.text))
        yield RawRow(1, whole) if bad is None else BadRow(1, bad)


def _told_apart(rows: list[RawRow | BadRow]) -> Rows:
    """The rows by their lines, or by their numbers where two begin on one line: a place in the data has to be that of one row."""
    if len({row.line for row in rows}) == len(rows):
        yield from rows
    else:
        yield from (replace(row, line=number) for number, row in enumerate(rows, start=1))


class _Array:
    """The text of a file in which an array is read element by element, so that a bad place costs the element in which it stands."""

    def __init__(self, content: bytes) -> None:
        # Undecodable bytes become lone surrogates, which stand in strings like any character and are looked for afterwards.
        self.text = content.removeprefix(BYTE_ORDER_MARK).decode("utf-8", "surrogateescape")
        self._is_marked = is_marked(self.text)
        self._passed = 0
        self._bytes = len(BYTE_ORDER_MARK) if content.startswith(BYTE_ORDER_MARK) else 0

    def rows(self, start: int) -> Rows:
        """The elements of the array that begins there, each with the line where it begins."""
        text = self.text
        decoder = json.JSONDecoder(parse_constant=_no_constant)
        line, counted, at = 1, 0, start + 1
        while True:
            at = _skip(text, at, SPACE)
            line, counted = line + text.count("\n", counted, at), at
            if at >= len(text):
                yield BadRow(line, Unreadable("the array is not closed; what follows cannot be read"))
                return
            if text[at] == "]":
                return
            try:
                value, end = decoder.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                yield BadRow(line, self._broken(at, error))
                return
            bad = self.bad_bytes(at, end)
            yield RawRow(line, value) if bad is None else BadRow(line, bad)
            at = _skip(text, end, SPACE)
            if at < len(text) and text[at] == ",":
                at += 1
            elif at < len(text) and text[at] != "]":
                yield BadRow(line, Unreadable("no comma between two rows; the rest of the array cannot be read"))
                return

    def bad_bytes(self, start: int, end: int) -> NotUtf8 | None:
        """What is not UTF-8 between two places; those asked for later have to come later."""
        bad = first_bad_of(self.text[start:end]) if self._is_marked else None
        if bad is None:
            return None
        self._bytes += len(self.text[self._passed : start].encode("utf-8", "surrogateescape"))
        self._passed = start
        return NotUtf8.at(replace(bad, start=self._bytes + bad.start), "of the file")

    def _broken(self, at: int, error: Exception) -> RowProblem:
        place = error.pos if isinstance(error, json.JSONDecodeError) else at
        bad = self.bad_bytes(place, place + 1) if is_marked(self.text[place : place + 1]) else None
        if bad is not None:
            return replace(bad, told=f"{bad}; it stands outside of a text, so the rest of the array cannot be read")
        return Unreadable(f"not JSON: {error}; the rest of the array cannot be read")


def _arrays_in(text: str, at: int) -> list[int]:
    """Where the arrays begin that are members of an object, which is known to be well-formed."""
    decoder = json.JSONDecoder()
    begins = []
    at = _skip(text, at + 1, SPACE)
    while text[at] != "}":
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at, SPACE + ":")
        if text[at] == "[":
            begins.append(at)
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at, SPACE + ",")
    return begins


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _strict_json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
