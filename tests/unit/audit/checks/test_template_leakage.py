"""Eval outputs with the skeleton of a training output are found, and fixed formats and prose are not."""

from __future__ import annotations

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.checks.leak_rows import row, rows_of, table
from tuneproof.engine.audit.checks.template_leakage import template_leakage


@given(st.sets(st.integers(0, 29), max_size=10))
def test_eval_outputs_with_the_skeleton_of_a_training_output_are_found(shared: set[int]) -> None:
    train_rows = [row(i + 1, output=f'SELECT col{chr(97 + i)} FROM t WHERE name = "val {i}" AND n > {i}') for i in range(26)]
    train_rows += [row(i + 1, output=f"SELECT max(x{chr(71 + i)}) FROM t WHERE name = '{i}'") for i in range(26, 30)]
    own = [row(i, output=f"SELECT count(*) FROM other{chr(96 + i)} LIMIT {i}", file="eval.jsonl") for i in range(1, 6)]
    copies = [
        row(100 + i, output=train_rows[i].output.replace(f'"val {i}"', "'it  x'").replace(f"> {i}", "> 7.5").lower(), file="eval.jsonl")
        for i in sorted(shared)
    ]
    found = list(template_leakage(table(train_rows, [*own, *copies])))
    assert [(r.at.line, r.of.line if r.of else 0) for r in rows_of(found)] == [(100 + i, i + 1) for i in sorted(shared)]


def test_a_fixed_format_and_prose_are_no_templates() -> None:
    rng = random.Random(3)
    optional = [{k: rng.randrange(99) for k in "abcdefgh" if rng.random() < 0.5} for _ in range(400)]
    for outputs in (
        [json.dumps({"n": i, "name": f"x{i}"}) for i in range(100)],
        [json.dumps(value) for value in optional],
        [f"There are {i} apples and {i + 1} pears in house {'abcdefghijklmnopqrstuvwxyz'[i % 26]}." for i in range(100)],
        [str(i) for i in range(100)],
        ["yes", "no"] * 50,
    ):
        rows = [row(i, output=output) for i, output in enumerate(outputs, start=1)]
        assert list(template_leakage(table(rows, [row(i, output=o, file="eval.jsonl") for i, o in enumerate(outputs[:20])]))) == []
