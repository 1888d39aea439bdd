"""JSON to raw rows: JSONL, an array of rows, or an object with one such array in it."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import replace
from typing import Any

from tuneproof.engine.core.storable import MOST_DIGITS
from tuneproof.engine.data.encodings import first_invalid_in_text, has_invalid_bytes, invalid_bytes_at
from tuneproof.engine.data.problems import NotUtf8Row, RowProblem, UnreadableRow
from tuneproof.engine.data.raw import InvalidRow, RawRow, RawRows
from tuneproof.engine.data.reading_limits import MIB, MOST_ROW_BYTES

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SPACE = " \t\r\n"


TOO_LONG = UnreadableRow(f"the row has more than {MOST_ROW_BYTES // MIB} MiB; perhaps a line break is missing")


def json_lines(content: io.BufferedIOBase) -> RawRows:
    """One row a line; a line that cannot be read costs only itself."""
    parser, number = _RowParser(), 0
    while line := content.readline(MOST_ROW_BYTES + 1):
        number += 1
        if len(line) > MOST_ROW_BYTES:
            while line and not line.endswith(b"\n"):
                line = content.readline(MIB)
            yield InvalidRow(number, TOO_LONG)
            continue
        if number == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        if line.strip():
            yield _row(number, line.removesuffix(b"\n"), parser)


def _row(number: int, line: bytes, parser: _RowParser) -> RawRow | InvalidRow:
    try:
        value = parser.parse(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return InvalidRow(number, NotUtf8Row.of(invalid_bytes_at(line, error.start), "of the line"))
    except (ValueError, RecursionError) as error:
        return InvalidRow(number, UnreadableRow(f"not JSON: {_reason(error)}"))
    return RawRow(number, value) if parser.fault is None else InvalidRow(number, parser.fault)


def json_file(content: io.BufferedIOBase) -> RawRows:
    """A JSON array of rows, an object with one such array in it, or JSONL in a file that is named .json."""
    document = _Document(whole := content.read())
    start = _skip(document.text, 0, SPACE)
    if document.text[start : start + 1] == "[":
        yield from document.rows_with_unique_lines(start)
        return
    try:
        value = document.parser.parse(document.text)
    except (ValueError, RecursionError):
        yield from json_lines(io.BytesIO(whole))
        return
    arrays = _arrays_of_object(document.text, start) if isinstance(value, dict) else []
    if len(arrays) == 1:
        del value
        yield from document.rows_with_unique_lines(arrays[0])
    else:
        problem = document.parser.fault or document.invalid_bytes(0, len(document.text))
        yield RawRow(1, value) if problem is None else InvalidRow(1, problem)


class _Document:
    """A JSON file whose array is parsed element by element, so that an invalid byte costs only its element."""

    def __init__(self, content: bytes) -> None:
        # Invalid bytes become lone surrogates, which the parser accepts in strings; each element is checked for them afterwards.
        self.text = content.removeprefix(BYTE_ORDER_MARK).decode("utf-8", "surrogateescape")
        self._has_invalid_bytes = has_invalid_bytes(self.text)
        self.parser = _RowParser()
        self._counted_characters = 0
        self._mark_bytes = len(BYTE_ORDER_MARK) if content.startswith(BYTE_ORDER_MARK) else 0
        self._counted_bytes = self._mark_bytes

    def rows_with_unique_lines(self, start: int) -> RawRows:
        """The rows of an array by their lines, or by their numbers if two begin on the same line, so that a source means one row."""
        seen, lines_are_unique = set[int](), True
        for row in self._rows_of_array(start):
            if row.line in seen:
                lines_are_unique = False
                break
            seen.add(row.line)
        self._counted_characters, self._counted_bytes = 0, self._mark_bytes
        for number, row in enumerate(self._rows_of_array(start), start=1):
            yield row if lines_are_unique else replace(row, line=number)

    def _rows_of_array(self, start: int) -> RawRows:
        """The elements of the array that begins at a character, each with the line where it begins."""
        text = self.text
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
                value, end = self.parser.parse_at(text, at)
            except (ValueError, RecursionError) as error:
                yield InvalidRow(line, self._syntax_problem(at, error))
                return
            problem = TOO_LONG if end - at > MOST_ROW_BYTES else self.invalid_bytes(at, end) or self.parser.fault
            yield RawRow(line, value) if problem is None else InvalidRow(line, problem)
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
        return UnreadableRow(f"not JSON: {_reason(error)}; the rest of the array cannot be read")


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


class _RowParser:
    """Parses JSON values. What Python's parser would accept and no other, or what has two meanings, is a fault of the value."""

    def __init__(self) -> None:
        self.fault: RowProblem | None = None
        """What is wrong with the value that was parsed last, although its end is known."""
        self._decoder = json.JSONDecoder(parse_constant=self._constant, parse_int=self._integer, object_pairs_hook=self._object)

    def parse(self, text: str) -> Any:
        """The value of a whole text. Raises ValueError or RecursionError if it is not JSON."""
        self.fault = None
        return self._decoder.decode(text)

    def parse_at(self, text: str, at: int) -> tuple[Any, int]:
        """The value that begins at a character, and where it ends. Raises as `parse` does."""
        self.fault = None
        return self._decoder.raw_decode(text, at)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            self.fault = UnreadableRow(f"the key `{twice[:60]}` occurs twice, so it cannot be known which value is meant")
        return found

    def _integer(self, digits: str) -> int:
        if len(digits) <= MOST_DIGITS:
            return int(digits)
        self.fault = UnreadableRow(f"an integer has {len(digits):,} digits, and at most {MOST_DIGITS:,} can be stored")
        return 0

    def _constant(self, name: str) -> None:
        self.fault = UnreadableRow(f"{name} is not JSON")


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
