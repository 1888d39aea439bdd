"""What a check is and what it finds; registering is declaring, and nothing else knows a check's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.scoring.outputs import Judge


class Severity(StrEnum):
    """`block` closes the gate, `warn` is told on the card, `info` is for the reader."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Lengths:
    """A row as the chosen base reads it: its shortest prompt as text and in tokens, its answer with the end token in tokens.

    And the base itself: its name, the digest of its files, and the longest text it reads, in tokens.
    """

    render: Callable[[Example], str]
    prompt: Callable[[Example], int]
    answer: Callable[[Example], int]
    base: str
    sha256: str
    context: int


@dataclass
class Table:
    """The rows under audit: those to learn from, those of a separate eval file, and those that could not be read."""

    examples: list[Example]
    eval: list[Example]
    problems: list[tuple[Source, str]]
    judge: Judge | None = None
    lengths: Lengths | None = None
    gone: set[Source] = field(default_factory=set)

    def leave_out(self, rows: tuple[Row, ...]) -> None:
        """Takes rows out of the table, so that later checks see what is left."""
        self.gone |= {row.at for row in rows}
        self.examples = [e for e in self.examples if e.source not in self.gone]
        self.eval = [e for e in self.eval if e.source not in self.gone]


Find = Callable[[Table], Iterator[Finding]]


@dataclass(frozen=True)
class Check:
    """One check of the audit: its docstring says what it looks for and why it matters.

    `always_leaves_out` is for rows that cannot be used at all, whatever the case says.
    """

    name: str
    severity: Severity
    find: Find
    always_leaves_out: bool

    @property
    def help(self) -> str:
        """What the check looks for, for a reader."""
        return " ".join((self.find.__doc__ or "").split())


CHECKS: dict[str, Check] = {}


def check(name: str, *, severity: Severity, always_leaves_out: bool = False) -> Callable[[Find], Find]:
    """Registers a check; checks run in the order in which they are declared."""

    def register(find: Find) -> Find:
        CHECKS[name] = Check(name, severity, find, always_leaves_out)
        return find

    return register


def several(rows: int, one: str, many: str) -> str:
    """The right form of a word for a number."""
    return one if rows == 1 else many
