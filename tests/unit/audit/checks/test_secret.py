"""Rows with secrets are found and shown masked, in every field, and clean data sets raise no alarm."""

from __future__ import annotations

import gzip
import json
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REAL_DATA
from tests.unit.audit.pii.secret_samples import ALNUM, MAKERS, some
from tuneproof.engine.audit.checks.secret import secrets
from tuneproof.engine.audit.registry import FlaggedRow
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Message, Source

WORDS = "the key to a good pass is a secret: token by token, x=3 and y = 4 at http://firm.org/a-b_c".split()


def plain(rng: random.Random, line: int) -> Example:
    return Example("Answer in one word.", " ".join(rng.choices(WORDS, k=12)), rng.choice(WORDS), Source("rows.jsonl", line))


def rows_of(examples: list[Example]) -> tuple[FlaggedRow, ...]:
    return tuple(row for finding in secrets(Table(Rows(examples), Rows(), [])) for row in finding.rows)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**9), st.sets(st.integers(0, 59), max_size=12))
def test_exactly_the_rows_with_a_planted_secret_are_found(seed: int, planted: set[int]) -> None:
    rng = random.Random(seed)
    examples = [plain(rng, line) for line in range(60)]
    expected: dict[Source, str] = {}
    for at in planted:
        kind, e = rng.choice(list(MAKERS)), examples[at]
        field = rng.choice(("instruction", "system prompt", "history", "input", "output"))
        text = f"use {MAKERS[kind](rng)} for it"
        examples[at] = Example(
            text if field == "instruction" else e.instruction,
            text if field == "input" else e.input,
            text if field == "output" else e.output,
            e.source,
            text if field == "system prompt" else "",
            (Message("user", text),) if field == "history" else (),
        )
        expected[e.source] = f"{kind} … in the {field}"
    rows = rows_of(examples)
    assert {row.at for row in rows} == set(expected)
    for row in rows:
        kind_expected, _, field_expected = expected[row.at].partition(" … ")
        assert row.note.startswith(kind_expected + " ") and row.note.endswith(field_expected)


def test_ten_thousand_rows_of_clean_data_sets_raise_no_alarm() -> None:
    rng = random.Random(7)
    for name in ("clinc150", "snips", "gsm8k", "goemotions", "wikisql"):
        folder = REAL_DATA / name
        if not folder.is_dir():
            pytest.skip(f"REAL DATA MISSING: {folder}; set TUNEPROOF_REAL_DATA to the folder that has {name}")
        file = next(folder.glob("train.jsonl*"))
        with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
            drawn = [json.loads(line) for line in rng.sample(list(lines), 2000)]
        assert rows_of([Example(row["instruction"], row["input"], row["output"], Source(name, at)) for at, row in enumerate(drawn)]) == ()


def test_eval_rows_are_checked_too() -> None:
    example = Example("", "", "AKIA" + some(random.Random(9), string.ascii_uppercase, 16), Source("eval.jsonl", 3))
    assert [row.at for finding in secrets(Table(Rows(), Rows([example]), [])) for row in finding.rows] == [example.source]


def test_the_finding_names_the_kind_and_shows_the_secret_masked() -> None:
    token = "ghp_" + some(random.Random(8), ALNUM, 36)
    finding = next(secrets(Table(Rows([Example("", f"use {token}", "", Source("rows.jsonl", 1))]), Rows(), [])))
    assert finding.message == "1 row contains a secret: GitHub token 1"
    assert finding.rows == (FlaggedRow(Source("rows.jsonl", 1), note="GitHub token ghp_… in the input"),)
