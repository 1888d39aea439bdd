"""JSON to raw rows: JSONL, an array of rows, or an object that holds rows."""

from __future__ import annotations

import io
import json
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tuneproof.engine.core.storable import MOST_DIGITS
from tuneproof.engine.data.binary_text import NotANumber
from tuneproof.engine.data.encodings import first_invalid_in_text, has_invalid_bytes, invalid_bytes_at
from tuneproof.engine.data.json_layouts import SPACE, RowList, RowLists, row_lists, rows_by_columns_or_ids, skip
from tuneproof.engine.data.json_slips import slip_of
from tuneproof.engine.data.notes import RowNote
from tuneproof.engine.data.problems import NotUtf8Row, RowProblem, UnreadableRow
from tuneproof.engine.data.raw import InvalidRow, Misnamed, RawRow, RawRows
from tuneproof.engine.data.reading_limits import MIB, MOST_ROW_BYTES

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

TOO_LONG = UnreadableRow(f"the row has more than {MOST_ROW_BYTES // MIB} MiB; perhaps a line break is missing")

MOST_LINES_OF_A_ROW, MOST_TRIES = 1000, 3
"""How far the end of a row is looked for that goes over several lines, and how often in vain."""

LEAST_SEARCHED, MOST_SEARCHED = 4096, MIB
"""Characters in which the end of a broken element of an array is looked for, at first and at last."""

SHOWN_AFTER = 1000
"""Characters after a slip that tell what it is."""


def json_lines(content: io.BufferedIOBase) -> RawRows:
    """One row a line; a line that cannot be read costs only itself. Raises Misnamed for one array over the whole file."""
    parser, lines, is_first = _RowParser(), _Lines(content), True
    for number, line in lines:
        if len(line) > MOST_ROW_BYTES:
            yield InvalidRow(number, TOO_LONG)
        elif line.strip():
            row = _row(number, line, parser)
            if is_first and line.lstrip().startswith(b"[") and _is_array_of_rows(row) and not (isinstance(row, RawRow) and lines.go_on()):
                raise Misnamed("the file is one JSON array, not one row a line", "call it .json")
            is_first = False
            if isinstance(row, InvalidRow) and line.lstrip().startswith(b"{"):
                row = lines.over_several(number, line, parser) or row
            yield row


def _is_array_of_rows(row: RawRow | InvalidRow) -> bool:
    return isinstance(row, InvalidRow) or (isinstance(row.value, list) and isinstance(next(iter(row.value), None), dict))


class _Lines(Iterator[tuple[int, bytes]]):
    """The lines of a file with their numbers, without line ends; of one that is too long, only its beginning."""

    def __init__(self, content: io.BufferedIOBase) -> None:
        self._content, self._number = content, 0
        self._waiting = deque[bytes]()
        self._tries = 0

    def __next__(self) -> tuple[int, bytes]:
        line = self._waiting.popleft() if self._waiting else self._content.readline(MOST_ROW_BYTES + 1)
        if not line:
            raise StopIteration
        self._number += 1
        if len(line) > MOST_ROW_BYTES:
            self._skip_rest(line)
        if self._number == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        return self._number, line.removesuffix(b"\n")

    def _skip_rest(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._content.readline(MIB)

    def go_on(self) -> bool:
        """Whether there are further lines that are not empty; they are still given."""
        following = list(self._waiting)
        self._waiting.clear()
        while not any(line.strip() for line in following) and (line := self._content.readline(MOST_ROW_BYTES + 1)):
            following.append(line)
        self._waiting.extend(following)
        return any(line.strip() for line in following)

    def over_several(self, first: int, line: bytes, parser: _RowParser) -> InvalidRow | None:
        """The problem of a row that begins in a line and goes on in the next ones; None if it does not, and they are read again."""
        if self._tries >= MOST_TRIES or line.rstrip().endswith(b"}"):
            return None
        end = line[: len(line) - len(line.lstrip())] + b"}"
        taken, size = [line], len(line)
        while len(taken) < MOST_LINES_OF_A_ROW and size <= MIB and (following := next(self, None)) is not None:
            taken.append(following[1])
            size += len(following[1])
            if following[1].startswith(end):
                rest = following[1].removeprefix(end).strip()
                if isinstance(_row(first, b"\n".join([*taken[:-1], end]), parser), RawRow) and rest in (b"", b",", b"{"):
                    message = f"one row goes over lines {first:,} to {self._number:,}: write each row in one line (jq -c . FILE)"
                    if rest == b"{":
                        self._waiting.appendleft(b"{\n")
                        self._number -= 1
                    return InvalidRow(first, UnreadableRow(message, lines=len(taken)))
                break
        self._tries += 1
        self._waiting.extendleft(line + b"\n" for line in reversed(taken[1:]))
        self._number -= len(taken) - 1
        return None


def _row(number: int, line: bytes, parser: _RowParser) -> RawRow | InvalidRow:
    text = ""
    try:
        text = line.decode("utf-8")
        value = parser.parse(text)
    except UnicodeDecodeError as error:
        return InvalidRow(number, NotUtf8Row.of(invalid_bytes_at(line, error.start), "of the line"))
    except (ValueError, RecursionError) as error:
        return InvalidRow(number, UnreadableRow(f"not JSON: {slip_of(text, error)}"))
    return RawRow(number, value) if parser.fault is None else InvalidRow(number, parser.fault)


def json_file(content: io.BufferedIOBase) -> RawRows:
    """A JSON array of rows, an object that holds rows, or JSONL in a file that is named .json."""
    document = _Document(whole := content.read())
    start = skip(document.text, 0, SPACE)
    if document.text[start : start + 1] == "[":
        yield from document.rows_with_unique_lines([RowList(start)], is_whole=True)
        return
    try:
        value = document.parser.parse(document.text)
    except (ValueError, RecursionError) as error:
        yield from _broken_file(document, whole, start, error)
        return
    problem = document.parser.fault or document.invalid_bytes(0, len(document.text))
    rows = rows_by_columns_or_ids(value) if isinstance(value, dict) and problem is None else None
    found = row_lists(value, document.text, start) if isinstance(value, dict) and rows is None else None
    if rows is not None:
        yield from (RawRow(number, row) for number, row in enumerate(rows, start=1))
    elif found is not None:
        del value
        yield from document.rows_of(found)
    else:
        yield RawRow(1, value) if problem is None else InvalidRow(1, problem)


_ARRAY_IN_OBJECT = re.compile(r'\{\s*(?:"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[\w.+-]+)\s*,\s*)*"[^"\\]*"\s*:\s*\[\s*\{')
"""An object that begins with an array of objects, perhaps after simple values."""


def _broken_file(document: _Document, whole: bytes, start: int, error: Exception) -> RawRows:
    """The rows of a file that is no JSON as a whole: one row a line, or the rows of an object with an array in it that is broken."""
    array = _ARRAY_IN_OBJECT.match(document.text, start)
    if array and array.end() < (error.pos if isinstance(error, json.JSONDecodeError) else 0):
        yield from document.rows_with_unique_lines([RowList(document.text.rindex("[", start, array.end()))])
        return
    rows = list(json_lines(io.BytesIO(whole)))
    is_lines = sum(isinstance(row, RawRow) and isinstance(row.value, dict) for row in rows) * 2 > len(rows)
    if is_lines or not isinstance(error, json.JSONDecodeError) or error.msg == "Extra data":
        yield from rows
        return
    lines = document.text.count("\n") + 1
    message = f"not JSON: {slip_of(document.text, error)}; nothing of the file can be read"
    yield InvalidRow(document.text.count("\n", 0, error.pos) + 1, UnreadableRow(message, lines=lines))


_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]]', re.DOTALL)


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

    def rows_of(self, found: RowLists) -> RawRows:
        """The rows of all lists; what is not read is noted at the first of them."""
        self._counted_characters, self._counted_bytes = 0, self._mark_bytes
        notes: tuple[RowNote, ...] = found.not_read
        for row in self.rows_with_unique_lines(found.lists):
            if isinstance(row, RawRow) and notes:
                row, notes = replace(row, notes=notes), ()
            yield row

    def rows_with_unique_lines(self, lists: list[RowList], *, is_whole: bool = False) -> RawRows:
        """The rows of arrays by their lines, or by their numbers if two begin on the same line, so that a source means one row.

        `is_whole` if nothing may follow the array.
        """
        seen, lines_are_unique = set[int](), True
        for row in self._rows_of_arrays(lists, is_whole):
            if row.line in seen:
                lines_are_unique = False
                break
            seen.add(row.line)
        self._counted_characters, self._counted_bytes = 0, self._mark_bytes
        for number, row in enumerate(self._rows_of_arrays(lists, is_whole), start=1):
            yield row if lines_are_unique else replace(row, line=number)

    def _rows_of_arrays(self, lists: list[RowList], is_whole: bool) -> RawRows:
        for each in lists:
            for row in self._rows_of_array(each.start, is_whole):
                yield replace(row, part=each.part) if isinstance(row, RawRow) and each.part else row

    def _rows_of_array(self, start: int, is_whole: bool) -> RawRows:
        """The elements of the array that begins at a character, each with the line where it begins."""
        text = self.text
        line, counted, at = 1, 0, start + 1
        while True:
            at = skip(text, at, SPACE)
            line, counted = line + text.count("\n", counted, at), at
            if at >= len(text):
                yield InvalidRow(line, UnreadableRow("the array is not closed: the file may be cut off"))
                return
            if text[at] == "]":
                if is_whole and text[at + 1 :].strip():
                    yield InvalidRow(line, self._not_read(at + 1, "the array ends here: put all rows into one"))
                return
            try:
                value, end = self.parser.parse_at(text, at)
            except (ValueError, RecursionError) as error:
                following = self._end_of_broken(at)
                if following is None:
                    yield InvalidRow(line, self._syntax_problem(at, error))
                    return
                lines = text[at:following].rstrip(SPACE + ",").count("\n") + 1
                not_read = f"; lines {line:,} to {line + lines - 1:,} are not read" if lines > 1 else ""
                yield InvalidRow(line, UnreadableRow(f"not JSON: {self._slip(at, error)}{not_read}", lines=lines))
                at = following
            else:
                problem = TOO_LONG if end - at > MOST_ROW_BYTES else self.invalid_bytes(at, end) or self.parser.fault
                yield RawRow(line, value) if problem is None else InvalidRow(line, problem)
                at = end
            at = skip(text, at, SPACE)
            if at < len(text) and text[at] == ",":
                at += 1
            elif at < len(text) and text[at] not in "]{":
                yield InvalidRow(line, self._not_read(at, "no comma after the row"))
                return

    def _end_of_broken(self, at: int) -> int | None:
        """Where an element ends that is not JSON, if its brackets say so and another or the end of the array follows."""
        if self.text[at] not in "{[":
            return None
        # Most elements are short, and looking far for the end of each would take long in a file with many broken ones.
        searched = LEAST_SEARCHED
        while True:
            end = self._closing_bracket(at, searched)
            if end is not None:
                following = skip(self.text, end, SPACE)
                if self.text[following : following + 1] not in ("", ",", "]", "{"):
                    end = None
            # A quotation mark that is missing turns all that follows inside out, so that brackets seem to close far away.
            nearer = self._next_at_indentation(at, at + searched if end is None else end)
            found = end if nearer is None else nearer
            if found is not None or searched >= MOST_SEARCHED or at + searched >= len(self.text):
                return found
            searched *= 16

    def _closing_bracket(self, at: int, searched: int) -> int | None:
        """The end of what begins with a bracket; None if its brackets do not fit, or do not close within so many characters."""
        closers = list[str]()
        for found in _BRACKET.finditer(self.text, at, at + searched):
            if (closer := {"{": "}", "[": "]"}.get(found[0])) is not None:
                closers.append(closer)
            elif found[0] in "}]":
                if found[0] != closers.pop():
                    return None
                if not closers:
                    return found.end()
        return None

    def _next_at_indentation(self, at: int, before: int) -> int | None:
        """Where the next element begins that stands as far to the right as a broken one, if one can be read that is before a character."""
        indentation = self.text[self.text.rfind("\n", 0, at) + 1 : at]
        if indentation.strip(SPACE + ",[") or self.text[at : at + 1] != "{":
            return None
        for found in re.compile(rf"\n[\[, \t]{{{len(indentation)}}}(?=\{{)").finditer(self.text, at, before):
            try:
                self.parser.parse_at(self.text, found.end())
            except (ValueError, RecursionError):
                continue
            return found.end()
        return None

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
        return self._not_read(at, f"not JSON: {self._slip(at, error)}")

    def _slip(self, at: int, error: Exception) -> str:
        """The slip in an element, with its place counted from its beginning."""
        if not isinstance(error, json.JSONDecodeError):
            return slip_of("", error)
        text = self.text[at : max(error.pos, at) + SHOWN_AFTER]
        return slip_of(text, json.JSONDecodeError(error.msg, text, max(0, error.pos - at)))

    def _not_read(self, at: int, reason: str) -> UnreadableRow:
        """The problem of all that follows a character."""
        lines = self.text.count("\n", at, len(self.text.rstrip())) + 1
        rest = f"the {lines:,} lines" if lines > 1 else f"the {len(self.text) - at:,} characters"
        return UnreadableRow(f"{reason}; {rest} from here on are not read", lines=lines)


class _RowParser:
    """Parses JSON values. What Python's parser would accept and no other, or what has two meanings, is a fault of the value."""

    def __init__(self) -> None:
        self.fault: RowProblem | None = None
        """What is wrong with the value that was parsed last, although its end is known."""
        self._has_constant = False
        self._decoder = json.JSONDecoder(parse_constant=self._constant, parse_int=self._integer, object_pairs_hook=self._object)

    def parse(self, text: str) -> Any:
        """The value of a whole text. Raises ValueError or RecursionError if it is not JSON."""
        self.fault, self._has_constant = None, False
        return self._row_of(self._decoder.decode(text))

    def parse_at(self, text: str, at: int) -> tuple[Any, int]:
        """The value that begins at a character, and where it ends. Raises as `parse` does."""
        self.fault, self._has_constant = None, False
        value, end = self._decoder.raw_decode(text, at)
        return self._row_of(value), end

    def _row_of(self, value: Any) -> Any:
        """A row, in which a field that is not a number has no value, as data frames write a missing one."""
        if self._has_constant and isinstance(value, dict):
            return {key: None if isinstance(item, NotANumber) else item for key, item in value.items()}
        return value

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

    def _constant(self, name: str) -> NotANumber:
        self._has_constant = True
        return NotANumber(name)
