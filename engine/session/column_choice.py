"""Which columns hold the request and the answer: chosen from those of the first rows, one after the other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice
from typing import Any

from tuneproof.engine.case.data import Columns
from tuneproof.engine.data.files import read_file
from tuneproof.engine.data.paths import leaf_paths
from tuneproof.engine.data.raw import RawRow
from tuneproof.engine.data.reading_limits import ReadingLimits
from tuneproof.engine.data.source_files import source_files

ROWS_READ = 20
"""Rows at the start of a file whose keys are its columns."""

MOST_LEAVES = 30
"""Paths that are listed into each value."""

VALUES_SHOWN = 3
MOST_CHARACTERS = 400
"""Of each value that is shown."""


@dataclass(frozen=True)
class Column:
    """A column, or a path into one, with its first values, as text."""

    name: str
    values: tuple[str, ...]


def first_columns(examples: str | list[str]) -> list[Column]:
    """The columns of the first rows of the first file, and the paths to texts inside them.

    None for a data set on the hub, and for rows that have no keys.

    Raises DataRefused as `read_file` does.
    """
    path = next(iter(source_files(examples).values()), None)
    if path is None:
        return []
    rows = islice(read_file(path, ReadingLimits.of_this_machine()), ROWS_READ)
    found: dict[str, list[str]] = {}
    for row in rows:
        if isinstance(row, RawRow) and isinstance(row.value, Mapping):
            for name, value in row.value.items():
                _add(found, str(name), value)
                if isinstance(value, dict | list):
                    for leaf_path, leaf in islice(leaf_paths(str(name), value), MOST_LEAVES):
                        _add(found, leaf_path, leaf)
    return [Column(name, tuple(values)) for name, values in found.items()]


def _add(found: dict[str, list[str]], name: str, value: Any) -> None:
    values = found.setdefault(name, [])
    if len(values) < VALUES_SHOWN:
        values.append(_text(value))


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


class Part(Enum):
    """What a column can hold, in the order in which it is asked for."""

    INPUT = "the request"
    OUTPUT = "the answer that you want"
    INSTRUCTION = "an instruction for the row"


@dataclass(frozen=True)
class ColumnChoice:
    """The columns chosen so far."""

    input: str | None = None
    output: str | None = None
    is_whole: bool = False
    """Whether the instruction was chosen, too, or that there is none."""
    instruction: str | None = None

    @property
    def asks_for(self) -> Part | None:
        """What is chosen next; None if nothing is left."""
        if self.is_whole:
            return None
        return Part.INPUT if self.input is None else Part.OUTPUT if self.output is None else Part.INSTRUCTION

    def left(self, columns: Sequence[Column]) -> list[Column]:
        """The columns that hold nothing yet."""
        return [column for column in columns if column.name not in (self.input, self.output)]

    def with_next(self, name: str | None) -> ColumnChoice:
        """With the next column chosen; None says that no column has an instruction."""
        match self.asks_for:
            case Part.INPUT:
                return replace(self, input=name)
            case Part.OUTPUT:
                return replace(self, output=name)
        return replace(self, instruction=name, is_whole=True)

    def without_last(self) -> ColumnChoice:
        """With the last choice taken back."""
        return ColumnChoice(self.input) if self.output is not None else ColumnChoice()

    @property
    def columns(self) -> Columns | None:
        """The whole choice as the case has it; None as long as something is left to choose."""
        if not self.is_whole or self.input is None or self.output is None:
            return None
        return Columns(input=self.input, output=self.output, instruction=self.instruction)
