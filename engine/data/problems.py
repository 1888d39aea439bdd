"""Why a row of a file cannot become an example: one class a kind, so that a check of the audit can ask for each kind."""

from __future__ import annotations

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

    lines: int = 1
    """Lines of the file that were not read."""


@dataclass(frozen=True)
class NotUtf8Row(RowProblem):
    """The row has bytes that are not UTF-8."""

    kind: InvalidBytesKind
    place: str = ""
    """The beginning of the message, without what the bytes look like."""
    encoding: str = ""
    """The encoding that the file as a whole probably has; empty if it cannot be told."""

    @classmethod
    def of(cls, found: InvalidBytes, unit: str) -> NotUtf8Row:
        """The problem for these bytes; `unit` says what their position counts in, such as "of the line"."""
        return cls(found.message(unit), found.kind, found.place(unit))

    def in_file_of(self, encoding: str) -> NotUtf8Row:
        """The problem in a file that probably has another encoding, unless the bytes are ones that only a slip in UTF-8 can be."""
        if self.kind not in (InvalidBytesKind.SINGLE_BYTE, InvalidBytesKind.OTHER, InvalidBytesKind.CUT_OFF):
            return self
        said = self.message if self.kind is InvalidBytesKind.SINGLE_BYTE and encoding in self.kind else self.place
        return NotUtf8Row(f"{said}; the file is probably {encoding}", self.kind, self.place, encoding)


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
