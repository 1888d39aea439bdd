"""Parts that are cut from one file have no near row on both sides."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.defect_factory import sentence
from tuneproof.engine.audit.near import join
from tuneproof.engine.audit.near.table import join_rows
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.run_checks import audit
from tuneproof.engine.audit.split_leaks import without_near_leaks
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.data import SplitShares
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.split import split

SHARES = SplitShares(train=0.5, validation=0.2, eval=0.3)


def families(seed: int) -> list[Example]:
    """Sentences, each with two that are nearly the same."""
    rng = Random(seed)
    texts = [
        text for _ in range(30) for stem in [sentence(rng)] for text in (stem, f"{stem} {sentence(rng, 1)}", f"{sentence(rng, 1)} {stem}")
    ]
    return [Example("", text, "yes", Source("rows.jsonl", at)) for at, text in enumerate(texts, start=1)]


def near(train_rows: list[Example], eval_rows: list[Example]) -> int:
    return len(join_rows(Rows(train_rows), Rows(eval_rows)).examples_near_eval())


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_near_row_stays_on_both_sides_and_none_is_lost(seed: int) -> None:
    rows = families(seed)
    cut = split(rows, SHARES)
    parts = without_near_leaks(cut, cut_from_one_file=True)
    assert near(cut.train, cut.eval) > 0
    assert near(parts.train, [*parts.validation, *parts.eval]) == near(parts.validation, parts.eval) == 0
    assert parts.eval == cut.eval, "what is scored stays"
    everything = [*parts.train, *parts.validation, *parts.eval, *parts.cross_split_duplicates]
    assert sorted(e.source for e in everything) == [e.source for e in rows]


def test_a_separate_eval_file_is_left_to_the_audit() -> None:
    rows = families(1)
    cut = split(rows, SHARES, [Example("", rows[0].input, "yes", Source("eval.jsonl", 1))])
    parts = without_near_leaks(cut, cut_from_one_file=False)
    assert near(parts.train, parts.validation) == 0
    kept = {e.source for e in [*parts.train, *parts.validation]}
    assert rows[0].source in kept or rows[0].source in {e.source for e in parts.cross_split_duplicates}
    assert near([*parts.train, *parts.validation], parts.eval) > 0


def test_a_search_that_ended_early_blocks_until_it_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "MOST_PAIRS", 100)
    monkeypatch.setattr(join, "BLOCK_CANDIDATES", 50)
    words = " ".join(f"word{at}" for at in range(30))
    rows = Rows(Example("", f"{at} {words} {at}", "yes", Source("rows.jsonl", at)) for at in range(60))

    def blocking(leave_out: list[str], accept: dict[str, str]) -> set[str]:
        table = Table(Rows(rows[:50]), Rows(rows[50:]), [])
        return {finding.check for finding in audit(table, leave_out, {}, accept).blocking()}

    assert "near-incomplete" in blocking([], {})
    # What was not found cannot be left out.
    assert blocking(["near-leakage", "near-incomplete"], {}) == {"near-incomplete"}
    assert blocking(["near-leakage"], {"near-incomplete": "all from one template"}) == set()
