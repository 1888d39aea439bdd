"""Rows with private data are found and shown masked, in every field."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.pii.private_samples import MAKERS
from tuneproof.engine.audit.checks.private_data import private_data
from tuneproof.engine.audit.pii.matches import PiiKind
from tuneproof.engine.audit.registry import FlaggedRow
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Message, Source

WORDS = "the a model answers when it reads 7 of 12 words and 1998 was a good year for 3.5 million rows at 9:30".split()


def plain(rng: random.Random, line: int) -> Example:
    text = " ".join(rng.choices(WORDS, k=12))
    return Example("Answer in one word.", text, rng.choice(WORDS), Source("rows.jsonl", line))


def rows_of(examples: list[Example]) -> tuple[FlaggedRow, ...]:
    return tuple(row for finding in private_data(Table(Rows(examples), Rows(), [])) for row in finding.rows)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**9), st.sets(st.integers(0, 59), max_size=12))
def test_exactly_the_rows_with_planted_private_data_are_found_and_shown_masked(seed: int, planted: set[int]) -> None:
    rng = random.Random(seed)
    examples = [plain(rng, line) for line in range(60)]
    data: dict[Source, tuple[PiiKind, str, str]] = {}
    for at in planted:
        kind = rng.choice(list(MAKERS))
        datum, e = MAKERS[kind](rng), examples[at]
        part = rng.choice(("instruction", "system prompt", "history", "input", "output"))
        text = f"please note {datum} for later"
        examples[at] = Example(
            text if part == "instruction" else e.instruction,
            text if part == "input" else e.input,
            text if part == "output" else e.output,
            e.source,
            text if part == "system prompt" else "",
            (Message("user", text),) if part == "history" else (),
        )
        data[e.source] = kind, datum, part
    rows = rows_of(examples)
    assert {row.at for row in rows} == set(data)
    for row in rows:
        kind, datum, part = data[row.at]
        assert row.note.startswith(f"{kind} ") and row.note.endswith(f" in the {part}")
        assert datum not in row.note and datum[:-4] not in row.note


def test_the_finding_counts_kinds_and_names_the_first_matches_of_a_row() -> None:
    text = "ann@firm.org, bob@firm.org, cyd@firm.org, 905-674-3793"
    finding = next(private_data(Table(Rows([Example("", text, "", Source("rows.jsonl", 1))]), Rows(), [])))
    assert finding.message == "1 row contains private data: e-mail address 3, phone number 1"
    assert finding.rows[0].note == (
        "e-mail address a…@f….org in the input; e-mail address b…@f….org in the input; e-mail address c…@f….org in the input; and 1 more"
    )


def test_eval_rows_are_checked_too() -> None:
    example = Example("", "", "write to ann@firm.org", Source("eval.jsonl", 3))
    assert [row.at for finding in private_data(Table(Rows(), Rows([example]), [])) for row in finding.rows] == [example.source]
