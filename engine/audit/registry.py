"""What a check is and what it finds; registering is declaring, and nothing else knows a check's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Source


class Severity(StrEnum):
    """`block` closes the gate, `warn` is told on the card, `info` is for the reader."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a finding, the row it is a duplicate or leak of, and what is wrong with this one."""

    at: Source
    of: Source | None = None
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """What a check saw: the rows, one sentence about them, and what to do."""

    message: str
    action: str
    rows: tuple[Row, ...]
    check: str = ""
    severity: Severity = Severity.WARN
    left_out: bool = False


Find = Callable[[Table], Iterator[Finding]]
Also = Callable[[Table], Iterable[Source]]


@dataclass(frozen=True)
class Check:
    """One check of the audit: its docstring says what it looks for and why it matters.

    `always_leaves_out` is for rows that cannot be used at all, whatever the case says. Where a table holds part of the rows, a check that
    does not hold rows against each other (`compares`) names there the rows that it could name of all; `also` says which further rows it has
    to see for its findings to be those of all rows.
    """

    name: str
    severity: Severity
    find: Find
    always_leaves_out: bool
    compares: bool
    also: Also

    @property
    def help(self) -> str:
        """What the check looks for, for a reader."""
        return " ".join((self.find.__doc__ or "").split())


CHECKS: dict[str, Check] = {}


def _nothing(table: Table) -> Iterable[Source]:
    return ()


def check(
    name: str, *, severity: Severity, always_leaves_out: bool = False, compares: bool = False, also: Also = _nothing
) -> Callable[[Find], Find]:
    """Registers a check; checks run in the order in which they are declared."""

    def register(find: Find) -> Find:
        CHECKS[name] = Check(name, severity, find, always_leaves_out, compares, also)
        return find

    return register


def several(rows: int, one: str, many: str) -> str:
    """The right form of a word for a number."""
    return one if rows == 1 else many
