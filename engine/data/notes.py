"""What became of parts of rows that could be read, where the user should know it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeVar

from tuneproof.engine.case.data import Turns
from tuneproof.engine.data.example import Source
from tuneproof.engine.data.parts import Part


@dataclass(frozen=True)
class RowNote:
    """Something that many rows have in common; equal notes are one."""

    of_file: ClassVar[bool] = False
    """Whether it is said once a file, of the first row that can be used."""


class KeyPlace(StrEnum):
    """Where a key stands."""

    ROW = "row"
    TURN = "turn"


@dataclass(frozen=True)
class UnusedKey(RowNote):
    """A key that says something in its format on which nothing here acts."""

    key: str
    place: KeyPlace
    consequence: str
    """What that means for the rows, as a sentence without its end."""


@dataclass(frozen=True)
class UnknownTurnKey(RowNote):
    """A key of a turn that no known format has."""

    key: str


@dataclass(frozen=True)
class SkippedTurns(RowNote):
    """Answers at the end of a conversation that the data say not to learn, so that an earlier one is the output."""

    key: str
    """The key that says so."""


@dataclass(frozen=True)
class Disagreement(RowNote):
    """Several people gave different answers."""

    by_majority: bool
    """Whether one answer was given most often; if not, the first of those that were is taken."""


class PairKind(StrEnum):
    """How data say which answers are preferred."""

    BETTER_AND_WORSE = "chosen and rejected"
    GOOD_OR_BAD = "label true or false"


@dataclass(frozen=True)
class PreferencePair(RowNote):
    """The row says which of two answers is preferred, or whether an answer is good."""

    kind: PairKind


@dataclass(frozen=True)
class SwallowedLines(RowNote):
    """The row has a cell in quotation marks that goes over lines of which each looks like a row."""


@dataclass(frozen=True)
class NotRead(RowNote):
    """Something of the file was left unread."""

    of_file = True
    what: str
    """What it is, as the words for it in a sentence."""
    rows: int | None
    """How many rows it has; None if that cannot be known."""


@dataclass(frozen=True)
class TakenPart(RowNote):
    """Rows are of the part that the name of their file, sheet or list says."""

    of_file = True
    part: Part


@dataclass(frozen=True)
class RenamedColumns(RowNote):
    """Several columns have one name, so that each got a number."""

    of_file = True
    name: str
    new_names: tuple[str, ...]


@dataclass(frozen=True)
class UnansweredTurns(RowNote):
    """Turns of the assistant that are no examples, where every turn is asked for, because they answer no turn of the user."""


N = TypeVar("N", bound=RowNote)


@dataclass
class RowNotes:
    """The rows of each note, in their order. Notes about the row that is being read wait until it is an example."""

    rows: dict[RowNote, list[Source]] = field(default_factory=dict)
    waiting: list[RowNote] = field(default_factory=list)
    turns: Turns = Turns.LAST
    """Which turns of the assistant in a conversation are to become examples."""

    def add(self, note: RowNote) -> None:
        """Notes something about the row that is being read; more than once is as once."""
        if note not in self.waiting:
            self.waiting.append(note)

    def keep(self, row: Source) -> None:
        """The row that has been read is an example."""
        for note in self.waiting:
            self.rows.setdefault(note, []).append(row)
        self.waiting.clear()

    def of(self, kind: type[N]) -> list[tuple[N, list[Source]]]:
        """The notes of one kind, and the rows of each."""
        return [(note, rows) for note, rows in self.rows.items() if isinstance(note, kind)]

    @classmethod
    def joined(cls, notes: Iterable[RowNotes]) -> RowNotes:
        """The notes about several sets of rows, in their order."""
        whole = cls()
        for part in notes:
            for note, rows in part.rows.items():
                whole.rows.setdefault(note, []).extend(rows)
        return whole
