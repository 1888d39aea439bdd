"""Which named value of a case of an eval set is its input, and which one is the expected answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuneproof.engine.data.cells import RowError
from tuneproof.engine.data.exports.text_field import text_field

ANSWER_NAMES = (
    "ideal",
    "expected",
    "expected_output",
    "expected_answer",
    "correct_label",
    "correct_answer",
    "reference",
    "reference_answer",
    "ground_truth",
    "answer",
    "output",
    "label",
    "target",
)
"""Names of a value that is the expected answer, in the order in which they are tried."""


def input_name(values: Mapping[str, Any], columns_input: str | None) -> str:
    """The name of the value that is the input: the one in `data.columns` of the case, or else as `text_field` finds it. Raises RowError."""
    if columns_input is not None and isinstance(values.get(columns_input), str):
        return columns_input
    return text_field(values)


def answer_name(values: Mapping[str, Any], columns_output: str | None) -> str:
    """The name of the value that is the expected answer: the one in `data.columns` of the case, or one of `ANSWER_NAMES`.

    Raises RowError if there is none.
    """
    found = next((name for name in (columns_output, *ANSWER_NAMES) if name is not None and values.get(name) is not None), None)
    if found is None:
        have = ", ".join(f"`{name[:60]}`" for name in list(values)[:12])
        raise RowError(f"it cannot be known which value is the expected answer: it is one of {have}; name it under data.columns")
    return found
