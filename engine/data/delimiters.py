"""What separates the cells of a table: a spreadsheet writes what its locale has, whatever the ending of the file says."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

DELIMITERS = (",", ";", "\t", "|")

LEAST_SHARE = 0.5
"""The least share of rows with as many cells as the header, for a delimiter that the ending of the file does not say."""

STATED = re.compile(r'"?sep=(.)"?[;,\t]*\s*', re.DOTALL)
"""A first line in which Excel is told the delimiter."""


def stated_delimiter(line: str) -> str | None:
    """The delimiter that a first line such as `sep=;` states; None if it is any other line."""
    found = STATED.fullmatch(line)
    return found[1] if found and found[1] not in '"\r\n' else None


def delimiter_of(lines: Sequence[str], usual: str) -> str:
    """The delimiter under which the first lines of a table are most like one: rows with as many cells as the header, and many cells.

    `usual` is the one that the ending of the file says. Another is only taken if it divides the header.
    """
    best, best_score = usual, _score(lines, usual)
    for delimiter in DELIMITERS:
        score = _score(lines, delimiter)
        if score > best_score and score[0] >= LEAST_SHARE and score[1] > 1:
            best, best_score = delimiter, score
    return best


def _score(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    """The share of rows that have as many cells as the header, and how many cells it has; (0, 1) where it has one."""
    rows = [row for row in _rows(lines, delimiter) if row]
    width = len(rows[0]) if rows else 0
    if width < 2:
        return 0.0, 1
    return sum(len(row) == width for row in rows[1:]) / max(1, len(rows) - 1), width


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return []
