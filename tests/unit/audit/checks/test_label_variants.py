"""Labels that are one label, written in several ways, are found, and labels that only look alike are not."""

from __future__ import annotations

import pytest

from tests.unit.audit.checks.label_rows import grader, lines, table
from tuneproof.engine.audit.checks.label_variants import label_variants


def test_labels_written_in_several_ways_are_counted_and_named() -> None:
    outputs = ["billing"] * 12 + ["Billing"] * 3 + ["BILLING"] + ["returns"] * 9 + ["Returns"] * 2 + ["shipping"] * 9
    (found,) = label_variants(table(outputs, judged=grader(kind="choice")))
    assert found.message == "2 labels are written in 5 ways: `billing` = `Billing` = `BILLING`, `returns` = `Returns`"
    assert lines([found]) == [13, 14, 15, 16, 26, 27]
    assert found.rows[0].note == "`Billing`: mostly written `billing`"


@pytest.mark.parametrize("other", ["sign-up", "Sign up", "sign_up", "SIGN UP.", "\uff53ign up"])
def test_case_punctuation_and_width_make_no_other_label(other: str) -> None:
    assert len(list(label_variants(table(["sign up"] * 9 + [other] * 3 + ["login"] * 9)))) == 1


@pytest.mark.parametrize("labels", [["+", "-", "?"], ["C", "C++", "C#"], ["-1", "1", "0"], ["a1", "a2", "a3"], ["café", "cafe", "tea"]])
def test_labels_that_differ_in_what_they_say_are_labels(labels: list[str]) -> None:
    assert list(label_variants(table(labels * 8))) == []
