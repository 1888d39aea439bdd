"""Why a row of a file makes no example: one class a kind, so that each kind can be found by a check of its own."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.data.encodings import BadPlace, Form


@dataclass(frozen=True)
class RowProblem:
    """What is wrong with one row, for a reader."""

    told: str

    def __str__(self) -> str:
        return self.told


@dataclass(frozen=True)
class Unreadable(RowProblem):
    """The row is broken: no JSON, no table row, a field is missing or of the wrong type."""


@dataclass(frozen=True)
class NotUtf8(RowProblem):
    """The row has bytes that are not UTF-8."""

    form: Form

    @classmethod
    def at(cls, place: BadPlace, where: str) -> NotUtf8:
        """The problem that such a place is; `where` is what its position counts in."""
        return cls(place.told(where), place.form)


@dataclass(frozen=True)
class OtherShape(RowProblem):
    """The row is of a known shape, and not of its file's."""

    row: str
    file: str


@dataclass(frozen=True)
class WrongTurns(RowProblem):
    """The row is a conversation whose turns do not lead to an answer that can be learned."""
