"""Raw rows to examples: the shapes of fine-tuning data, each recognised by its keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuneproof.engine.case.data import Columns
from tuneproof.engine.data.cells import output_cell, text_cell
from tuneproof.engine.data.chat_rows import contents, conversation, conversations, last_turn, messages, prompt_completion
from tuneproof.engine.data.eval_sets import eval_sets
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.exports import EXPORTS
from tuneproof.engine.data.notes import RowNotes
from tuneproof.engine.data.pair_shapes import ALPACA, INPUT_OUTPUT, OTHER_PAIRS
from tuneproof.engine.data.paths import is_path, value_at
from tuneproof.engine.data.preferences import good_answers, pairs, preferred_outputs
from tuneproof.engine.data.row_keys import rest_of
from tuneproof.engine.data.row_shape import RowShape


def detect_shape(row: Mapping[str, Any]) -> RowShape | None:
    """The first shape in `SHAPES` that the row has, or None."""
    return next((shape for shape in SHAPES if shape.has(row)), None)


def named_shape(columns: Columns, rows: Sequence[Mapping[str, Any]]) -> RowShape:
    """The shape of a file whose case has `data.columns`; `rows` are the first ones of the file.

    An eval set of another program has the values that the columns name inside its rows.
    """
    shape = shape_of_columns(columns)
    if rows and shape.required_keys and not any(shape.has(row) for row in rows):
        return next((each for each in eval_sets(columns) if each.has(rows[0])), shape)
    return shape


def shape_of_columns(columns: Columns) -> RowShape:
    """The shape for `data.columns` of the case, whose names may be paths into a row."""
    named = {columns.input, columns.output} | ({columns.instruction} if columns.instruction else set())

    paths = {name for name in named if is_path(name)}

    def convert(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
        cells = {**row, **{path: value_at(row, path) for path in paths}} if paths else row
        return Example(
            instruction=text_cell(cells, columns.instruction, required=False) if columns.instruction else "",
            input=text_cell(cells, columns.input),
            output=output_cell(cells, columns.output),
            source=source,
            metadata=rest_of(row, named),
        )

    return RowShape(f"columns {columns.input} -> {columns.output}", frozenset(named - paths), convert)


def _is_list(key: str) -> Any:
    return lambda row: isinstance(row[key], list)


SHAPES = [
    *EXPORTS,
    *eval_sets(),
    pairs(last_turn),
    preferred_outputs(last_turn),
    RowShape("messages", frozenset({"messages"}), good_answers(messages)),
    RowShape("conversations", frozenset({"conversations"}), good_answers(conversations)),
    ALPACA,
    INPUT_OUTPUT,
    RowShape("prompt/completion", frozenset({"prompt", "completion"}), good_answers(prompt_completion)),
    RowShape("conversation", frozenset({"conversation"}), conversation, _is_list("conversation")),
    RowShape("contents", frozenset({"contents"}), contents, _is_list("contents")),
    *OTHER_PAIRS,
]
"""The known shapes, in the order in which they are tried."""
