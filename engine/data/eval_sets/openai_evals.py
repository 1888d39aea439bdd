"""Cases of OpenAI's evals: samples of the open-source package, and items of the hosted evaluation.

https://github.com/openai/evals/blob/main/docs/build-eval.md and the Evals API (`data_source` with `file_content`)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuneproof.engine.case.data import Columns
from tuneproof.engine.data.cells import RowError, object_of, output_cell
from tuneproof.engine.data.chat_rows import prompt_completion
from tuneproof.engine.data.eval_sets.fields import answer_name, input_name
from tuneproof.engine.data.example import NO_METADATA, Example, Source
from tuneproof.engine.data.notes import KeyPlace, RowNotes, UnusedKey
from tuneproof.engine.data.row_shape import Converted, RowShape

_SAMPLE_KEYS = ("input", "ideal")


def _sample(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Converted:
    """`input`, a text or turns, and `ideal`, one answer or a list of answers that are all right."""
    ideal = row["ideal"]
    if isinstance(ideal, list) and not any(isinstance(each, dict | list) for each in ideal):
        if not ideal:
            raise RowError("`ideal` has no answer")
        if len(set(map(str, ideal))) > 1:
            notes.add(UnusedKey("ideal", KeyPlace.ROW, "only the first of several right answers is compared with"))
        ideal = ideal[0]
    rest = {key: value for key, value in row.items() if key not in _SAMPLE_KEYS}
    return prompt_completion({**rest, "prompt": row["input"], "completion": output_cell({"ideal": ideal}, "ideal")}, source, notes)


def openai_items(columns: Columns | None = None) -> RowShape:
    """The shape of items of the hosted evaluation; `data.columns` of the case may name input and answer."""

    def convert(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Converted:
        item = object_of(row["item"], "item")
        if SAMPLES.has(item):
            return _sample(item, source, notes)
        expected = answer_name(item, columns.output if columns else None)
        asked = input_name({name: value for name, value in item.items() if name != expected}, columns.input if columns else None)
        rest = {name: value for name, value in item.items() if name not in (asked, expected)}
        return Example("", item[asked], output_cell(item, expected), source, metadata=rest or NO_METADATA)

    return RowShape("OpenAI evals items", frozenset({"item"}), convert, lambda row: isinstance(row["item"], dict))


SAMPLES = RowShape("OpenAI evals samples", frozenset(_SAMPLE_KEYS), _sample)

OPENAI_EVALS = (SAMPLES, openai_items())
