"""One labelled example, and the normalised texts by which two examples count as the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.messages import Message as Message
from tuneproof.engine.data.messages import ToolUse, tool_use_data, turn_data
from tuneproof.engine.data.spaceless import only_words

NO_METADATA: Mapping[str, Any] = {}
"""The metadata of every example without any."""


@dataclass(frozen=True, order=True, slots=True)
class Source:
    """The row that an example was read from."""

    file: str
    """The file or hub name in the case, as short as tells it from the other files."""
    line: int
    """From 1; the number of the row if rows have no lines of their own (Parquet, hub data, a JSON array on one line)."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled example: a prompt and the output that the model should give."""

    instruction: str
    """The row's own instruction, or empty; it comes before that of the task."""
    input: str
    """The last user turn."""
    output: str
    """The label: the assistant turn to train on or to compare answers with."""
    source: Source
    system: str = ""
    history: tuple[Message, ...] = ()
    """The turns before `input`, without the system message."""
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The other columns of the row."""
    tool_use: ToolUse | None = None
    """The tools of the row, see `messages`; None for a row without any."""
    conversation: str = ""
    """What the examples of one conversation have in common; empty if each conversation is one example."""

    @property
    def content_hash(self) -> str:
        """The digest of prompt and output; source, metadata and conversation do not count."""
        turns = [turn_data(turn) for turn in self.history]
        parts = [self.instruction, self.system, turns, self.input, self.output]
        return sha256_data(parts if self.tool_use is None else [*parts, tool_use_data(self.tool_use)])

    @property
    def turns_after_input(self) -> tuple[Message, ...]:
        """The turns between the input and the answer: calls, and results of tools."""
        return () if self.tool_use is None else self.tool_use.turns


def norm(text: str) -> str:
    """The text in NFKC, case-folded, with each run of white space as one space and none at the ends."""
    # NFKC does not change ASCII, and most rows are ASCII.
    folded = (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold()
    # Of white space only the space is printable, and taking a text apart is the slowest step.
    return folded.strip(" ") if "  " not in folded and folded.isprintable() else " ".join(folded.split())


def loose(text: str) -> str:
    """`norm` without punctuation: each run of characters that are not word characters is one space."""
    return loose_of(norm(text))


def loose_of(normalised: str) -> str:
    """`loose` of a text to which `norm` was applied already."""
    return only_words(normalised)


def prompt_text(example: Example) -> str:
    """The text by which prompts are compared: every part that the model reads.

    An instruction that all rows share is part of it: it makes no two rows more alike than they are.
    """
    turns = [f"{turn.role}: {turn.text}" for turn in example.history]
    parts = [example.instruction, example.system, *turns, example.input]
    if example.tool_use is not None:
        parts = [*example.tool_use.tools, *parts, *(f"{turn.role}: {turn.text}" for turn in example.tool_use.turns)]
    return "\n".join(part for part in parts if part)


def duplicate_key(example: Example) -> str:
    """The text that duplicates have in common: the prompt under `loose`, or under `norm` if it has only punctuation."""
    return duplicate_key_of(norm(prompt_text(example)))


def duplicate_key_of(normalised: str) -> str:
    """The same for a prompt to which `norm` was applied already."""
    return loose_of(normalised) or normalised


def rows_without_instruction(examples: Iterable[Example]) -> int:
    """How many rows say nothing of their own about what to do: no instruction, and no system text."""
    return sum(not (example.instruction or example.system) for example in examples)
