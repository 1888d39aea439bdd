"""White space at the ends of inputs and outputs is found, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REAL_DATA
from tests.unit.audit.checks.text_rows import everywhere, lines, planted_rows
from tuneproof.engine.data.readers import read_examples

EDITS = [edit for planted in ("  ", "\n", "\t", "\u00a0") for edit in everywhere(planted)[:2]]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_spaces_planted_in_inputs_and_outputs_are_found_and_nothing_else(data: st.DataObject) -> None:
    rows, expected = planted_rows(data, EDITS, ("input", "output"))
    assert lines("outer-white-space", rows) == expected


@pytest.mark.parametrize(("name", "rows"), [("snips", 631), ("gsm8k", 0), ("clinc150", 0)])
def test_white_space_at_the_ends_is_counted_exactly_on_real_data(name: str, rows: int) -> None:
    folder = REAL_DATA / name
    if not folder.is_dir():
        pytest.skip(f"REAL DATA MISSING: {folder}; set TUNEPROOF_REAL_DATA to the folder that has {name}")
    examples = read_examples([str(path) for path in sorted(folder.glob("*.jsonl"))]).examples
    assert len(lines("outer-white-space", examples)) == rows
