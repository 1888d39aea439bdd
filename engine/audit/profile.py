"""What the data is like as a whole: its fields, its labels, how long its rows are, and how much of eval's vocabulary train has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.audit.label_names import LabelReader, label_reader
from tuneproof.engine.audit.table import Rows, Table
from tuneproof.engine.data.example import Example, norm
from tuneproof.engine.facts import RowLengths
from tuneproof.engine.scoring.outputs import Judge

_WORD = re.compile(r"\w+")


class Part(BaseModel):
    """A part of the profile: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid")


class MetadataField(Part):
    """A field beside the example: in how many rows it has a value, and how many different ones."""

    rows: int
    different: int


class LabelRows(Part):
    """A label, and how many rows of each part name it."""

    label: str
    train: int
    validation: int
    eval: int


class Overlap(Part):
    """The words of eval, and how many of them stand in train: each different word once, and every word as often as it comes."""

    different: int
    different_known: int
    running: int
    running_known: int


class Profile(Part):
    """The data as a whole; `labels` where the outputs are labels, `inputs` and `outputs` where there are eval rows."""

    fields: dict[str, int]
    metadata: dict[str, MetadataField]
    labels: list[LabelRows] | None
    lengths: RowLengths | None
    inputs: Overlap | None
    outputs: Overlap | None


def profile(
    train: Sequence[Example], validation: Sequence[Example], scored: Sequence[Example], judge: Judge | None, lengths: RowLengths | None
) -> Profile:
    """The profile of the parts; `lengths` says how long the rows to learn from are."""
    rows = [*train, *validation, *scored]
    reader = label_reader(Table(Rows(train), Rows(scored), [], judge))
    return Profile(
        fields=_fields(rows),
        metadata=_metadata(rows),
        labels=_labels(reader, train, validation, scored) if reader else None,
        lengths=RowLengths(unit=lengths.unit, prompt=lengths.prompt, answer=lengths.answer) if lengths else None,
        inputs=_overlap((e.input for e in train), (e.input for e in scored)) if scored else None,
        outputs=_overlap((e.output for e in train), (e.output for e in scored)) if scored else None,
    )


def _fields(rows: Sequence[Example]) -> dict[str, int]:
    """In how many rows each part of an example has something in it."""
    filled = Counter(
        name
        for row in rows
        for name, value in (
            ("instruction", row.instruction),
            ("system", row.system),
            ("history", row.history),
            ("input", row.input),
            ("output", row.output),
        )
        if value
    )
    return {name: filled[name] for name in ("instruction", "system", "history", "input", "output") if filled[name]}


def _metadata(rows: Iterable[Example]) -> dict[str, MetadataField]:
    counts: Counter[str] = Counter()
    values: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.metadata.items():
            if value is not None and value != "":
                counts[name] += 1
                values.setdefault(name, set()).add(str(value))
    return {name: MetadataField(rows=count, different=len(values[name])) for name, count in sorted(counts.items())}


def _labels(reader: LabelReader, *parts: Sequence[Example]) -> list[LabelRows]:
    """Every label that is named, the most frequent one in train first."""
    train, validation, scored = (Counter(label for row in part for label in reader.labels(row.output)) for part in parts)
    names = sorted(train.keys() | validation.keys() | scored.keys(), key=lambda name: (-train[name], -validation[name], name))
    return [LabelRows(label=name, train=train[name], validation=validation[name], eval=scored[name]) for name in names]


def _overlap(train: Iterable[str], scored: Iterable[str]) -> Overlap:
    known = {word for text in train for word in _WORD.findall(norm(text))}
    words = Counter(word for text in scored for word in _WORD.findall(norm(text)))
    return Overlap(
        different=len(words),
        different_known=len(words.keys() & known),
        running=words.total(),
        running_known=sum(times for word, times in words.items() if word in known),
    )
