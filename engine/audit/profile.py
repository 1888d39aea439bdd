"""The profile of the data as a whole: fields, metadata, labels, lengths of rows, and how much of the vocabulary of eval is in train."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.courtesy import Language
from tuneproof.engine.audit.label_names import MOST_OUTPUTS, LabelReader, label_reader
from tuneproof.engine.audit.near.digests import DigestCounts
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.preview import row_measures, summary_of_counts
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, norm
from tuneproof.engine.run.artifacts import RowLengths
from tuneproof.engine.scoring.grade import Grader


class ProfilePart(BaseModel):
    """A part of the profile; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid")


class MetadataField(ProfilePart):
    """A metadata field: the number of rows with a value, and of different values."""

    rows: int
    different: int


class LabelRows(ProfilePart):
    """A label, and the number of rows of each part that name it."""

    label: str
    train: int
    validation: int
    eval: int


class Overlap(ProfilePart):
    """How much of the vocabulary of eval is in train."""

    different: int
    """Different words of eval."""
    different_known: int
    """Those of them that are in train."""
    running: int
    """Words of eval, counted as often as they occur."""
    running_known: int
    """Those of them that are in train."""


class Compared(ProfilePart):
    """How rows are compared with each other."""

    shingle: Shingle
    rows: int
    short: int
    """The inputs that are compared without words of courtesy and articles too."""
    by_character: int
    """The inputs in a script without spaces, whose characters count as words."""
    articles: Language | None
    """The language whose articles are left away too."""


class Profile(ProfilePart):
    """The data as a whole."""

    fields: dict[str, int]
    """The number of rows in which each part of an example has text."""
    metadata: dict[str, MetadataField]
    labels: list[LabelRows] | None
    """None if the outputs are not labels."""
    lengths: RowLengths | None
    inputs: Overlap | None
    """The words of inputs; None if there are no eval rows."""
    outputs: Overlap | None
    """The words of outputs; None if there are no eval rows."""
    compared: Compared | None = Field(default=None, exclude_if=lambda compared: compared is None)
    """How near rows are found; None where none were looked for."""


@dataclass(frozen=True)
class PartCounts:
    """The counts of one part; the counts of two halves add up."""

    filled: Counter[str]
    """The number of rows in which each part of an example has text."""
    metadata: dict[str, tuple[int, frozenset[str]]]
    """By field, the number of rows with a value, and the different values."""
    outputs: Counter[str] | None
    """None if there are too many different outputs to be labels."""
    input_words: DigestCounts
    output_words: DigestCounts

    @classmethod
    def of(cls, rows: Sequence[Example]) -> PartCounts:
        """The counts of these rows."""
        return cls(
            _filled(rows),
            _metadata(rows),
            _outputs(rows),
            _words(row.input for row in rows),
            _words(row.output for row in rows),
        )

    def plus(self, later: PartCounts) -> PartCounts:
        """The counts of both halves."""
        outputs = self.outputs + later.outputs if self.outputs is not None and later.outputs is not None else None
        names = self.metadata.keys() | later.metadata.keys()
        nothing: tuple[int, frozenset[str]] = (0, frozenset())
        both = {name: (self.metadata.get(name, nothing), later.metadata.get(name, nothing)) for name in names}
        return PartCounts(
            self.filled + later.filled,
            {name: (one[0] + other[0], one[1] | other[1]) for name, (one, other) in both.items()},
            outputs if outputs is None or len(outputs) <= MOST_OUTPUTS else None,
            self.input_words.plus(later.input_words),
            self.output_words.plus(later.output_words),
        )


@aggregate
@dataclass(frozen=True)
class RowCounts:
    """The counts of the examples and of a separate eval file, and the lengths of the examples."""

    examples: PartCounts
    eval: PartCounts
    unit: Literal["tokens", "characters"]
    prompts: Counter[int]
    """How often each length of a prompt occurs."""
    answers: Counter[int]
    """How often each length of an answer occurs."""

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
            self.examples.plus(later.examples),
            self.eval.plus(later.eval),
            self.unit,
            self.prompts + later.prompts,
            self.answers + later.answers,
        )

    def lengths(self) -> RowLengths:
        """The lengths of the examples."""
        return RowLengths(unit=self.unit, prompt=summary_of_counts(self.prompts), answer=summary_of_counts(self.answers))


def profile(
    train: Sequence[Example], validation: Sequence[Example], eval_rows: Sequence[Example], grader: Grader | None, lengths: RowLengths | None
) -> Profile:
    """The profile of the parts; `lengths` are those of the training rows."""
    reader = label_reader(Table(Rows(train), Rows(eval_rows), [], grader))
    return profile_of(PartCounts.of(train), PartCounts.of(validation), PartCounts.of(eval_rows), reader, lengths)


def profile_of(
    train: PartCounts, validation: PartCounts | None, eval_rows: PartCounts, reader: LabelReader | None, lengths: RowLengths | None
) -> Profile:
    """The profile of parts that have been counted."""
    whole = train.plus(eval_rows) if validation is None else train.plus(validation).plus(eval_rows)
    return Profile(
        fields={name: whole.filled[name] for name in FIELDS if whole.filled[name]},
        metadata={name: MetadataField(rows=rows, different=len(different)) for name, (rows, different) in sorted(whole.metadata.items())},
        labels=_labels(reader, train, validation, eval_rows) if reader else None,
        lengths=RowLengths(unit=lengths.unit, prompt=lengths.prompt, answer=lengths.answer) if lengths else None,
        inputs=_overlap(train.input_words, eval_rows.input_words),
        outputs=_overlap(train.output_words, eval_rows.output_words),
    )


FIELDS = ("instruction", "system", "history", "input", "output")
"""The parts of an example."""


def _filled(rows: Sequence[Example]) -> Counter[str]:
    """The number of rows in which each part of an example has text."""
    return Counter({name: sum(bool(getattr(row, name)) for row in rows) for name in FIELDS})


def _metadata(rows: Sequence[Example]) -> dict[str, tuple[int, frozenset[str]]]:
    """By field, the number of rows with a value, and the different values."""
    counts: Counter[str] = Counter()
    values: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.metadata.items():
            if value is not None and value != "":
                counts[name] += 1
                values.setdefault(name, set()).add(str(value))
    return {name: (count, frozenset(values[name])) for name, count in counts.items()}


def _outputs(rows: Sequence[Example]) -> Counter[str] | None:
    """How often each output occurs; None if there are too many different ones to be labels."""
    counts: Counter[str] = Counter()
    for first in range(0, len(rows), MOST_OUTPUTS):
        counts.update(row.output for row in rows[first : first + MOST_OUTPUTS])
        if len(counts) > MOST_OUTPUTS:
            return None
    return counts


def _words(texts: Iterable[str]) -> DigestCounts:
    from tuneproof.engine.audit.words import text_blocks, word_hashes

    return DigestCounts.sum(DigestCounts.of_digests(word_hashes(block)[0]) for block in text_blocks(map(norm, texts)))


def _labels(reader: LabelReader, *parts: PartCounts | None) -> list[LabelRows]:
    """Every label that is named, the most frequent one in train first."""
    train, validation, eval_rows = (_label_counts(reader, part) for part in parts)
    names = sorted(train.keys() | validation.keys() | eval_rows.keys(), key=lambda name: (-train[name], -validation[name], name))
    return [LabelRows(label=name, train=train[name], validation=validation[name], eval=eval_rows[name]) for name in names]


def _label_counts(reader: LabelReader, part: PartCounts | None) -> Counter[str]:
    counts: Counter[str] = Counter()
    for output, times in ((part and part.outputs) or {}).items():
        for label in reader.labels(output):
            counts[label] += times
    return counts


def _overlap(train: DigestCounts, eval_words: DigestCounts) -> Overlap | None:
    """None if eval has no words."""
    if not len(eval_words):
        return None
    known = eval_words.among(train)
    return Overlap(different=len(eval_words), different_known=len(known), running=eval_words.total(), running_known=known.total())
