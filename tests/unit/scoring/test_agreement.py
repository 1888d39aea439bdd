"""Answers agree if nearly all of them are the same text and the score is hardly lower; what is larger on disk is not needed then."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.unit.card.test_merged_model import reworded
from tests.unit.scoring.test_verdict import MEASURE, arm, first
from tuneproof.engine.scoring.agreement import Agreement, agreement


def compared(right: Sequence[bool], other_words: int = 0) -> Agreement:
    served = arm("tuned_merged", right)
    return agreement(MEASURE, reworded(served, other_words) if other_words else served, arm("tuned", first(80, 100)))


@pytest.mark.parametrize(("right", "other_words", "agree"), [(80, 0, True), (79, 0, True), (78, 0, False), (80, 2, True), (80, 3, False)])
def test_equal_texts_and_score_decide(right: int, other_words: int, agree: bool) -> None:
    assert compared(first(right, 100), other_words).holds is agree


def test_a_better_score_is_no_agreement_if_many_answers_are_other_ones() -> None:
    found = compared(first(90, 100))
    assert (found.changed, found.holds) == (10, False) and found.difference.low > 0
