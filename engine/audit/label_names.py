"""Whether the outputs are labels, and which labels an output names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tuneproof.engine.audit.table import Table
from tuneproof.engine.scoring.drafting import FEWEST_ROWS, LONGEST_LABEL, MOST_LABELS
from tuneproof.engine.scoring.outputs import ChoiceJudge, JsonJudge, PatternJudge

ROWS_A_LABEL = 3
"""How often an output has to stand there on average to be a label, as where `task.output` is drafted."""

SEPARATORS = (",", ";", "|")
"""What stands between the labels of an output that names several."""


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

    They are labels where the task asks for a choice. Where it asks for JSON or a pattern they are not. Otherwise they are where there are
    ten rows to learn from or more, each output stands there three times on average, and what the outputs name is 2 to 200 short words or
    lines: whole outputs, or the parts between commas, semicolons or bars where the same parts make up more outputs than there are parts.
    """
    match table.judge:
        case ChoiceJudge():
            return LabelReader()
        case JsonJudge() | PatternJudge():
            return None
    outputs = [text for example in table.examples if (text := example.output.strip())]
    different = set(outputs)
    if len(outputs) < FEWEST_ROWS or ROWS_A_LABEL * len(different) > len(outputs) or _are_json(different):
        return None
    readers = [LabelReader(separator) for separator in SEPARATORS if _combines(different, separator)] or [LabelReader()]
    names = {label for output in different for label in readers[0].labels(output)}
    return readers[0] if 2 <= len(names) <= MOST_LABELS and all(map(_is_short, names)) else None


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
    return len(label) <= LONGEST_LABEL and len(label.splitlines()) == 1
