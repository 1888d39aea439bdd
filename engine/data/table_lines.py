"""The lines of a table, which can be taken back where a quotation mark has swallowed more than its cell."""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Iterator

from tuneproof.engine.data.reading_limits import MIB, MOST_ROW_BYTES

MARK = "\0the rest of this line was too long\0"
"""Stands for the rest of a line that is too long to be held."""


class TableLines(Iterator[str]):
    """The lines of a text, with a mark in place of what no row can hold. A quoted cell may go over several lines."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._waiting = deque[tuple[str, int]]()
        self.number = 0
        """Lines that have been given."""
        self.record: list[str] = []
        """The lines of the row that is being read."""
        self._spans: list[int] = []
        """How many lines each of them stands for."""
        self._characters = 0
        self._in_quotes = False

    def begin(self) -> None:
        """A row begins with the next line."""
        self.record, self._spans = [], []
        self._characters = 0
        self._in_quotes = False

    @property
    def is_endless(self) -> bool:
        """Whether the row has more characters than a row may have."""
        return self._characters > MOST_ROW_BYTES

    def take_back(self, count: int) -> None:
        """The last lines of the row are given again."""
        for _ in range(count):
            self._waiting.appendleft((self.record.pop(), self._spans.pop()))
            self.number -= self._waiting[0][1]

    def first(self, count: int, most_characters: int) -> list[str]:
        """The first lines, which are given again."""
        self.begin()
        for line in self:
            if len(self.record) == count or self._characters > most_characters or MARK in line:
                break
        lines = list(self.record)
        self.take_back(len(lines))
        return lines

    def __next__(self) -> str:
        line, span = self._waiting.popleft() if self._waiting else (self._text.readline(MOST_ROW_BYTES), 1)
        if not line:
            raise StopIteration
        self._characters += len(line)
        if len(line) == MOST_ROW_BYTES and not line.endswith(("\n", "\r")):
            line, span = self._marked(line)
        else:
            self._count_quotes(line)
        self.number += span
        self.record.append(line)
        self._spans.append(span)
        return line

    def _marked(self, line: str) -> tuple[str, int]:
        """Skips the rest of the line, and the lines after it up to the end of a quoted cell that begins in it; with their number."""
        began_in_quotes, span = self._in_quotes, 1
        while True:
            while line and not line.endswith(("\n", "\r")):
                self._count_quotes(line)
                line = self._text.readline(MIB)
            self._count_quotes(line)
            if began_in_quotes or not self._in_quotes or not line:
                break
            line = self._text.readline(MIB)
            span += bool(line)
        return MARK + ('"' if began_in_quotes and not self._in_quotes else "") + "\n", span

    def _count_quotes(self, line: str) -> None:
        self._in_quotes ^= bool(line.count('"') % 2)


class RowForm:
    """What a line of a table looks like that is a row, in which no cell has a quotation mark that is not written twice."""

    def __init__(self, delimiter: str, width: int) -> None:
        separator = re.escape(delimiter)
        cell = rf'(?:"(?:[^"]|"")*+"|[^"{separator}\r\n]*+)'
        self._row = re.compile(rf"{cell}(?:{separator}{cell}){{{max(0, width - 1)}}}[\r\n]*")
        self._start = re.compile(rf'(?:{cell}{separator}){{0,{max(0, width - 1)}}}"(?:[^"]|"")*+')

    def is_row(self, line: str) -> bool:
        """Whether a line is a whole row with as many cells as the header."""
        return MARK not in line and self._row.fullmatch(line) is not None and not line.isspace()

    def may_begin(self, line: str) -> bool:
        """Whether a line is a row, or begins one whose last cell goes on in the next line."""
        return self.is_row(line) or self._start.fullmatch(line) is not None
