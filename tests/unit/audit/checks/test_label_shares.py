"""Parts with other shares of labels are told from parts that chance made uneven."""

from __future__ import annotations

import random

from tests.unit.audit.checks.leak_rows import row, table
from tuneproof.engine.audit.checks.label_shares import label_shares
from tuneproof.engine.audit.registry import Finding
from tuneproof.engine.data.example import Example


def labelled(outputs: list[str], file: str = "rows.jsonl") -> list[Example]:
    return [row(i, output=output, file=file) for i, output in enumerate(outputs, start=1)]


def found(train: list[str], scored: list[str]) -> Finding | None:
    return next(label_shares(table(labelled(train), labelled(scored, "eval.jsonl"))), None)


def test_a_label_that_eval_has_far_more_often_is_found() -> None:
    finding = found(["billing"] * 490 + ["other"] * 10, ["billing"] * 80 + ["other"] * 20)
    assert finding is not None
    assert "by 18% of the rows: `billing` is 98.0% of train and 80.0% of eval, `other` is 2.0% of train" in finding.message


def test_one_of_many_labels_that_eval_has_more_often_is_found() -> None:
    labels = [f"intent {n}" for n in range(60)]
    finding = found(labels * 50, labels * 10 + ["intent 7"] * 150)
    assert finding is not None and "`intent 7` is 1.7% of train and 21.3% of eval" in finding.message


def test_parts_of_one_distribution_are_not_found() -> None:
    for seed in range(20):
        chance = random.Random(seed)
        labels, weights = [f"label {n}" for n in range(12)], [2.0**-n for n in range(12)]
        assert found(chance.choices(labels, weights, k=400), chance.choices(labels, weights, k=60)) is None


def test_outputs_that_are_no_labels_have_no_shares() -> None:
    assert found([f"a sentence about the number {n}" for n in range(100)], ["a sentence"] * 50) is None
    assert found(["yes", "no"] * 50, []) is None
