"""What a check is and what it finds. A check registers itself, and nothing else knows its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Source


class Severity(StrEnum):
    """How much a finding matters: `block` closes the gate, `warn` appears on the card, `info` is for the reader."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class FlaggedRow:
    """One row of a finding, the row that it is a duplicate or leak of, and what is wrong with it."""

    at: Source
    of: Source | None = None
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """What a check found: the rows, one sentence about them, and what to do. Its severity is that of the check, if it names no other."""

    message: str
    action: str
    rows: tuple[FlaggedRow, ...]
    check: str = ""
    severity: Severity | None = None
    left_out: bool = False
    group_by: str | None = None
    """What `data.split.group_by` has to be so that nothing is found."""


CheckFunction = Callable[[Table], Iterator[Finding]]
NeededRows = Callable[[Table], Iterable[Source]]


@dataclass(frozen=True)
class Check:
    """One check of the audit. The docstring of `find` says what it looks for and why it matters."""

    name: str
    severity: Severity
    find: CheckFunction
    always_leaves_out: bool
    """Whether its rows cannot be used at all, so that they are left out whatever the case says."""
    compares: bool
    """Whether it compares rows with each other. A check that does not finds the same rows in a part of the data as in all of it."""
    also_needs: NeededRows
    """Rows of a part, other than those it finds, that it must see to find in all of the data what it would find there."""

    @property
    def help(self) -> str:
        """What the check looks for, for a reader."""
        return " ".join((self.find.__doc__ or "").split())


CHECKS: dict[str, Check] = {}
"""All registered checks by name, in the order in which they run. Import it from `audit.checks`, which registers them."""


def _none(table: Table) -> Iterable[Source]:
    return ()


def check(
    name: str, *, severity: Severity, always_leaves_out: bool = False, compares: bool = False, also_needs: NeededRows = _none
) -> Callable[[CheckFunction], CheckFunction]:
    """Registers a check; the arguments are the fields of `Check`."""

    def register(find: CheckFunction) -> CheckFunction:
        CHECKS[name] = Check(name, severity, find, always_leaves_out, compares, also_needs)
        return find

    return register
