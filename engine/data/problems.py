"""Why a row of a file cannot become an example: one class a kind, so that a check of the audit can ask for each kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneproof.engine.data.encodings import InvalidBytes, InvalidBytesKind

MOST_CHARACTERS = 600
"""Characters of a message."""


@dataclass(frozen=True)
class RowProblem:
    """What is wrong with one row, as a sentence for the user."""

    message: str

    def __post_init__(self) -> None:
        # Names of columns and words of parsers are part of it, and a file can make them as long as it likes.
        if len(self.message) > MOST_CHARACTERS:
            object.__setattr__(self, "message", f"{self.message[: MOST_CHARACTERS - 3]}...")

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class UnreadableRow(RowProblem):
    """The row is broken: it is not JSON or not a table row, or a field is missing or has the wrong type."""


def two_columns(name: str) -> UnreadableRow:
    """The problem of a table in which it cannot be known which of two columns is meant."""
    return UnreadableRow(f"two columns are called `{name[:60]}`: rename one, or remove it")


def repeated_name(names: Sequence[str]) -> str | None:
    """The first name that two columns have. Columns without a name do not count: they are the ends of lines with one separator too many."""
    seen = set[str]()
    for name in filter(None, names):
        if name in seen:
            return name
        seen.add(name)
    return None


@dataclass(frozen=True)
class NotUtf8Row(RowProblem):
    """The row has bytes that are not UTF-8."""

    kind: InvalidBytesKind

    @classmethod
    def of(cls, found: InvalidBytes, unit: str) -> NotUtf8Row:
        """The problem for these bytes; `unit` says what their position counts in, such as "of the line"."""
        return cls(found.message(unit), found.kind)


@dataclass(frozen=True)
class DifferentShape(RowProblem):
    """The row has a known shape, but not the one of its file."""

    row_shape: str
    file_shape: str


@dataclass(frozen=True)
class BadTurns(RowProblem):
    """The row is a conversation that does not end with an answer to a user's turn."""


@dataclass(frozen=True)
class NothingToLearn(RowProblem):
    """The data say that no answer of the row is to be learned: a weight of 0, an annotator's decision, an answer that was rejected."""


@dataclass(frozen=True)
class AnsweredTwice(RowProblem):
    """The row has another person's answer to the task of an earlier row, with which it is counted."""
