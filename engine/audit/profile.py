"""What the data is like as a whole: its fields, its labels, how long its rows are, and how much of eval's vocabulary train has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.label_names import MOST_OUTPUTS, LabelReader, label_reader
from tuneproof.engine.audit.preview import row_measures, summary_of
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, norm
from tuneproof.engine.run.artifacts import RowLengths
from tuneproof.engine.scoring.judges import Judge

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


@dataclass(frozen=True)
class PartCounts:
    """What is counted of one part; counts of two halves add up.

    `outputs` are counted as long as they may be labels. Words are those of the inputs and of the outputs.
    """

    filled: Counter[str]
    metadata: dict[str, tuple[int, frozenset[str]]]
    outputs: Counter[str] | None
    input_words: Counter[str]
    output_words: Counter[str]

    @classmethod
    def of(cls, rows: Sequence[Example]) -> PartCounts:
        """The counts of these rows."""
        outputs = Counter(row.output for row in rows)
        return cls(
            _filled(rows),
            _metadata(rows),
            outputs if len(outputs) <= MOST_OUTPUTS else None,
            _words(Counter(row.input for row in rows)),
            _words(outputs),
        )

    def plus(self, later: PartCounts) -> PartCounts:
        """The counts of both."""
        outputs = self.outputs + later.outputs if self.outputs is not None and later.outputs is not None else None
        names = self.metadata.keys() | later.metadata.keys()
        nothing: tuple[int, frozenset[str]] = (0, frozenset())
        both = {name: (self.metadata.get(name, nothing), later.metadata.get(name, nothing)) for name in names}
        return PartCounts(
            self.filled + later.filled,
            {name: (one[0] + other[0], one[1] | other[1]) for name, (one, other) in both.items()},
            outputs if outputs is None or len(outputs) <= MOST_OUTPUTS else None,
            self.input_words + later.input_words,
            self.output_words + later.output_words,
        )


@aggregate
@dataclass(frozen=True)
class RowCounts:
    """The counts of the rows to learn from and of a separate eval file, and how often each length of a prompt and an answer comes."""

    learned: PartCounts
    scored: PartCounts
    unit: Literal["tokens", "characters"]
    prompts: Counter[int]
    answers: Counter[int]

    @classmethod
    def of(cls, table: Table) -> RowCounts:
        measures = row_measures("", table.lengths)
        return cls(
            PartCounts.of(table.examples),
            PartCounts.of(table.eval),
            measures.unit,
            Counter(map(measures.prompt, table.examples)),
            Counter(map(measures.answer, table.examples)),
        )

    def plus(self, later: RowCounts) -> RowCounts:
        return RowCounts(
            self.learned.plus(later.learned),
            self.scored.plus(later.scored),
            self.unit,
            self.prompts + later.prompts,
            self.answers + later.answers,
        )

    def lengths(self) -> RowLengths:
        """How long the rows to learn from are."""
        return RowLengths(unit=self.unit, prompt=summary_of(self.prompts), answer=summary_of(self.answers))


def profile(
    train: Sequence[Example], validation: Sequence[Example], scored: Sequence[Example], judge: Judge | None, lengths: RowLengths | None
) -> Profile:
    """The profile of the parts; `lengths` says how long the rows to learn from are."""
    reader = label_reader(Table(Rows(train), Rows(scored), [], judge))
    return profile_of(PartCounts.of(train), PartCounts.of(validation), PartCounts.of(scored), reader, lengths)


def profile_of(
    train: PartCounts, validation: PartCounts | None, scored: PartCounts, reader: LabelReader | None, lengths: RowLengths | None
) -> Profile:
    """The profile of parts that are counted already."""
    whole = train.plus(scored) if validation is None else train.plus(validation).plus(scored)
    return Profile(
        fields={name: whole.filled[name] for name in FIELDS if whole.filled[name]},
        metadata={name: MetadataField(rows=rows, different=len(different)) for name, (rows, different) in sorted(whole.metadata.items())},
        labels=_labels(reader, train, validation, scored) if reader else None,
        lengths=RowLengths(unit=lengths.unit, prompt=lengths.prompt, answer=lengths.answer) if lengths else None,
        inputs=_overlap(train.input_words, scored.input_words),
        outputs=_overlap(train.output_words, scored.output_words),
    )


FIELDS = ("instruction", "system", "history", "input", "output")
"""The parts of an example."""


def _filled(rows: Sequence[Example]) -> Counter[str]:
    """In how many rows each part of an example has something in it."""
    return Counter({name: sum(bool(getattr(row, name)) for row in rows) for name in FIELDS})


def _metadata(rows: Sequence[Example]) -> dict[str, tuple[int, frozenset[str]]]:
    """In how many rows each field has a value, and which."""
    counts: Counter[str] = Counter()
    values: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.metadata.items():
            if value is not None and value != "":
                counts[name] += 1
                values.setdefault(name, set()).add(str(value))
    return {name: (count, frozenset(values[name])) for name, count in counts.items()}


def _words(texts: Counter[str]) -> Counter[str]:
    words: Counter[str] = Counter()
    for text, times in texts.items():
        found = _WORD.findall(norm(text))
        if times == 1:
            words.update(found)
        else:
            words.update({word: times * count for word, count in Counter(found).items()})
    return words


def _labels(reader: LabelReader, *parts: PartCounts | None) -> list[LabelRows]:
    """Every label that is named, the most frequent one in train first."""
    train, validation, scored = (_label_counts(reader, part) for part in parts)
    names = sorted(train.keys() | validation.keys() | scored.keys(), key=lambda name: (-train[name], -validation[name], name))
    return [LabelRows(label=name, train=train[name], validation=validation[name], eval=scored[name]) for name in names]


def _label_counts(reader: LabelReader, part: PartCounts | None) -> Counter[str]:
    counts: Counter[str] = Counter()
    for output, times in ((part and part.outputs) or {}).items():
        for label in reader.labels(output):
            counts[label] += times
    return counts


def _overlap(train: Counter[str], scored: Counter[str]) -> Overlap | None:
    """None where there is no word to look for."""
    if not scored:
        return None
    known = scored.keys() & train.keys()
    return Overlap(
        different=len(scored), different_known=len(known), running=scored.total(), running_known=sum(scored[word] for word in known)
    )
