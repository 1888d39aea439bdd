"""`data.leave_out` as the audit reads it: checks whose rows are left out, and single rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tuneproof.engine.data.example import Source

BY_HAND, NO_SUCH_ROW = "by-hand", "no-such-row"
"""The checks that report the single rows, and those of them that are not there."""

_ROW = re.compile(r"(?s)(.+):([1-9][0-9]*)")
"""A file and a line, as `str(Source)` writes them. No check has a colon in its name."""


@dataclass(frozen=True)
class LeftOut:
    """The checks and the rows that entries of `data.leave_out` name, in their order."""

    checks: tuple[str, ...]
    rows: tuple[Source, ...]

    @classmethod
    def of(cls, entries: Sequence[str]) -> LeftOut:
        """An entry is a row if it ends in a colon and a line, and else the name of a check, known or not."""
        rows = {entry: row for entry in entries if (row := row_of(entry)) is not None}
        return cls(tuple(entry for entry in entries if entry not in rows), tuple(dict.fromkeys(rows.values())))


def row_of(entry: str) -> Source | None:
    """The row that an entry names; None if it names a check."""
    found = _ROW.fullmatch(entry)
    return Source(found[1], int(found[2])) if found else None
