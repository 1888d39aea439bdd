"""Why a row of a file cannot become an example: one class a kind, so that a check of the audit can ask for each kind."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.data.encodings import InvalidBytes, InvalidBytesKind


@dataclass(frozen=True)
class RowProblem:
    """What is wrong with one row, as a sentence for the user."""

    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class UnreadableRow(RowProblem):
    """The row is broken: it is not JSON or not a table row, or a field is missing or has the wrong type."""


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
