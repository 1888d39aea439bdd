"""Whether the outputs are labels, and which labels an output names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import listed
from tuneproof.engine.case.list_style import ListStyle
from tuneproof.engine.scoring.choice_grader import ChoiceGrader
from tuneproof.engine.scoring.json_grader import JsonGrader
from tuneproof.engine.scoring.label_lists import read_labels
from tuneproof.engine.scoring.labels_grader import LabelsGrader
from tuneproof.engine.scoring.output_inference import MAX_LABEL_LENGTH, MAX_LABELS, MIN_ROWS
from tuneproof.engine.scoring.pattern_grader import PatternGrader

ROWS_A_LABEL = 3
"""How often an output must occur on average to be a label; `task.output` is drafted by the same rule."""

MOST_OUTPUTS = 20_000
"""With more different outputs than this, outputs are not labels, so that they can be counted over any number of rows."""

STYLES = (ListStyle.COMMAS, ListStyle.SEMICOLONS, ListStyle.BARS)
"""How outputs that name several labels may separate them, where no task says so."""


@aggregate
@dataclass(frozen=True)
class Outputs:
    """How often each output of the examples occurs, ignoring outer white space; empty if there are too many different ones."""

    counts: Counter[str]
    too_many: bool = False

    @classmethod
    def of(cls, table: Table) -> Outputs:
        counts: Counter[str] = Counter()
        for first in range(0, len(table.examples), MOST_OUTPUTS):
            counts.update(text for example in table.examples[first : first + MOST_OUTPUTS] if (text := example.output.strip()))
            if len(counts) > MOST_OUTPUTS:
                break
        return cls._bounded(counts)

    def plus(self, later: Outputs) -> Outputs:
        return Outputs(Counter(), True) if self.too_many or later.too_many else self._bounded(self.counts + later.counts)

    @classmethod
    def _bounded(cls, counts: Counter[str]) -> Outputs:
        return cls(counts) if len(counts) <= MOST_OUTPUTS else cls(Counter(), True)


@dataclass(frozen=True)
class LabelReader:
    """How labels are read from an output: it is one label, or a list of several in a style."""

    style: ListStyle | None = None

    def labels(self, output: str) -> tuple[str, ...]:
        """The labels that the output names, each once; none if it is empty."""
        text = output.strip()
        if self.style is None:
            return (text,) if text else ()
        if self.style is ListStyle.JSON:
            return read_labels(text, self.style) or ()
        return tuple(dict.fromkeys(part for piece in text.split(self.style.separator) if (part := piece.strip())))


def label_reader(table: Table) -> LabelReader | None:
    """How to read labels from the outputs of a table; None if the outputs are not labels.

    They are labels if the task asks for a choice or for several labels. They are not if it asks for JSON or a pattern, or if there are more
    than 20,000 different outputs. Otherwise they are labels if there are at least ten examples, each output occurs three times on average,
    and the outputs name 2 to 200 short words or lines. An output may name several labels, in a JSON list, or separated by commas,
    semicolons or bars if the same parts occur in more outputs than there are parts.
    """
    outputs = table.count(Outputs)
    if outputs.too_many:
        return None
    match table.grader:
        case ChoiceGrader():
            return LabelReader()
        case LabelsGrader():
            return LabelReader(table.grader.style)
        case JsonGrader() | PatternGrader():
            return None
    different, rows = outputs.counts.keys(), outputs.counts.total()
    if rows < MIN_ROWS or ROWS_A_LABEL * len(different) > rows or (_are_json(different) and not _are_lists(different)):
        return None
    styles = [ListStyle.JSON] if _are_lists(different) else [style for style in STYLES if _combines(different, style.separator or "")]
    readers = [LabelReader(style) for style in styles] or [LabelReader()]
    names = {label for output in different for label in readers[0].labels(output)}
    return readers[0] if 2 <= len(names) <= MAX_LABELS and all(map(_is_short, names)) else None


def _combines(outputs: Collection[str], separator: str) -> bool:
    """Whether outputs are combinations of parts that occur in other outputs too, such as `joy,love` and `joy`."""
    split = [[part.strip() for part in output.split(separator)] for output in outputs]
    parts = {part for pieces in split for part in pieces}
    each_once = all(len(pieces) == len(set(pieces)) for pieces in split)
    return len(parts) < len(outputs) and each_once and "" not in parts


def _are_json(outputs: Collection[str]) -> bool:
    """Whether at least half of the outputs begin like a JSON object or array."""
    return 2 * sum(output[0] in "{[" for output in outputs) >= len(outputs)


def _are_lists(outputs: Collection[str]) -> bool:
    """Whether every output is a JSON list of texts."""
    return all(read_labels(output, ListStyle.JSON) is not None for output in outputs)


def _is_short(label: str) -> bool:
    return len(label) <= MAX_LABEL_LENGTH and len(label.splitlines()) == 1


def label_counts(table: Table, reader: LabelReader) -> Counter[str]:
    """The number of examples that name each label."""
    counts: Counter[str] = Counter()
    for output, times in table.count(Outputs).counts.items():
        for label in reader.labels(output):
            counts[label] += times
    return counts


def listed_labels(counts: Mapping[str, int]) -> str:
    """The first labels with their numbers of rows, the rarest first, and how many more there are."""
    ordered = sorted(counts.items(), key=lambda item: (item[1], item[0]))
    return listed(f"`{label[:80]}` {count}" for label, count in ordered)
