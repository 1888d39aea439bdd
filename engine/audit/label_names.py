"""Whether the outputs are labels, and which labels an output names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.table import Table
from tuneproof.engine.scoring.judges import ChoiceJudge, JsonJudge, PatternJudge
from tuneproof.engine.scoring.output_inference import MAX_LABEL_LENGTH, MAX_LABELS, MIN_ROWS

ROWS_A_LABEL = 3
"""How often an output has to stand there on average to be a label, as where `task.output` is drafted."""

MOST_OUTPUTS = 20_000
"""With more different outputs than this they are no labels, whatever their parts; so the outputs of any number of rows can be counted."""

SEPARATORS = (",", ";", "|")
"""What stands between the labels of an output that names several."""


@aggregate
@dataclass(frozen=True)
class Outputs:
    """How often each output stands among the rows to learn from, outer white space aside; nothing is counted where there are too many."""

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
    """How the labels are read from an output: it is one label, or several with a separator between them."""

    separator: str | None = None

    def labels(self, output: str) -> tuple[str, ...]:
        """The labels that the output names, each once; none where it is empty."""
        text = output.strip()
        if self.separator is None:
            return (text,) if text else ()
        return tuple(dict.fromkeys(part for piece in text.split(self.separator) if (part := piece.strip())))


def label_reader(table: Table) -> LabelReader | None:
    """How to read labels from the outputs of a table; nothing where the outputs are not labels.

    They are labels where the task asks for a choice. Where it asks for JSON or a pattern they are not, nor where there are more than 20,000
    different ones. Otherwise they are where there are ten rows to learn from or more, each output stands there three times on average, and
    what the outputs name is 2 to 200 short words or lines: whole outputs, or the parts between commas, semicolons or bars where the same
    parts make up more outputs than there are parts.
    """
    outputs = table.count(Outputs)
    if outputs.too_many:
        return None
    match table.judge:
        case ChoiceJudge():
            return LabelReader()
        case JsonJudge() | PatternJudge():
            return None
    different, rows = outputs.counts.keys(), outputs.counts.total()
    if rows < MIN_ROWS or ROWS_A_LABEL * len(different) > rows or _are_json(different):
        return None
    readers = [LabelReader(separator) for separator in SEPARATORS if _combines(different, separator)] or [LabelReader()]
    names = {label for output in different for label in readers[0].labels(output)}
    return readers[0] if 2 <= len(names) <= MAX_LABELS and all(map(_is_short, names)) else None


def _combines(outputs: Collection[str], separator: str) -> bool:
    """Whether outputs are put together from parts that come back in other outputs, as `joy,love` and `joy` are."""
    split = [[part.strip() for part in output.split(separator)] for output in outputs]
    parts = {part for pieces in split for part in pieces}
    each_once = all(len(pieces) == len(set(pieces)) for pieces in split)
    return len(parts) < len(outputs) and each_once and "" not in parts


def _are_json(outputs: Collection[str]) -> bool:
    """Whether half of the outputs or more begin as a JSON object or array does."""
    return 2 * sum(output[0] in "{[" for output in outputs) >= len(outputs)


def _is_short(label: str) -> bool:
    return len(label) <= MAX_LABEL_LENGTH and len(label.splitlines()) == 1
