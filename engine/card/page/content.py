"""What a section of the page is made of; the template shows every part that a section has, in the order of its fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from tuneproof.engine.scoring.case_changes import CaseChange


@dataclass(frozen=True)
class Plot:
    """A drawing as SVG, with a caption that says what to see in it."""

    svg: Markup
    caption: str


@dataclass(frozen=True)
class Table:
    """Rows of text under a head; the first column names the row."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Fold:
    """What is folded away under a title: lines, tables, or both."""

    title: str
    lines: Sequence[str] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class Answer:
    """What an arm answered to a case."""

    arm: str
    text: str
    correct: bool
    verdict: str
    """Correct, or the kind of the failure with the fields that are wrong."""


@dataclass(frozen=True)
class ShownCase:
    """A case in full: what was asked, what was wanted, and the answers."""

    id: str
    asked: str
    wanted: str
    answers: Sequence[Answer]


@dataclass(frozen=True)
class CaseGroup:
    """The cases of one kind: how many there are, and a few of them in full."""

    kind: CaseChange | str
    count: int
    shown: Sequence[ShownCase]
    listed: Sequence[str] = ()
    """The ids of the others."""


@dataclass(frozen=True)
class PageSection:
    """A section of the page."""

    title: str
    paragraphs: Sequence[str] = ()
    plots: Sequence[Plot] = ()
    tables: Sequence[Table] = ()
    lines: Sequence[str] = ()
    groups: Sequence[CaseGroup] = ()
    folds: Sequence[Fold] = field(default=())

    @property
    def anchor(self) -> str:
        """The name that links lead to."""
        return "-".join(self.title.casefold().split())
