"""One labelled record, and the keys by which two records count as the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tuneproof.engine.core.hashing import sha256_data

_NOT_WORD = re.compile(r"\W+")


@dataclass(frozen=True, order=True, slots=True)
class Source:
    """Where a record stands: the file as the case names it, and the line, from 1.

    The row where rows have no lines of their own: in Parquet, hub data, and a JSON array that stands on one line.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Example:
    """One record: what is asked, what should be answered, the turns before, and what else the file said about it."""

    instruction: str
    input: str
    output: str
    source: Source
    system: str = ""
    history: tuple[Message, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def content_hash(self) -> str:
        """The digest of everything the model sees or should say; where the record stands does not count."""
        turns = [[m.role, m.content] for m in self.history]
        return sha256_data([self.instruction, self.system, turns, self.input, self.output])


def norm(text: str) -> str:
    """NFKC, casefold, white-space runs to one space, strip."""
    # NFKC leaves ASCII as it is, and most rows are ASCII.
    return " ".join((text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold().split())


def loose(text: str) -> str:
    """`norm` with every character that is not a word character turned to a space, runs collapsed."""
    return loose_of(norm(text))


def loose_of(normalised: str) -> str:
    """`loose` of a text that is under `norm` already."""
    return _NOT_WORD.sub(" ", normalised).strip()


def prompt_text(example: Example) -> str:
    """The text by which prompts are compared: every part the model reads.

    An instruction that all rows share makes no two rows more equal or more different, so it needs no leaving out here.
    """
    turns = [f"{m.role}: {m.content}" for m in example.history]
    return "\n".join(part for part in (example.instruction, example.system, *turns, example.input) if part)


def duplicate_key(example: Example) -> str:
    """The text that a row shares with its duplicates: `loose`, or `norm` where nothing but punctuation is left of it."""
    text = norm(prompt_text(example))
    return loose_of(text) or text
