"""Two arms compared case by case: what one got right and the other wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Result
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.case_changes import CaseChange, compare_cases
from tuneproof.engine.scoring.grade import FailureClass
from tuneproof.engine.scoring.predictions import Prediction, read_predictions


def prediction(case: int, correct: bool) -> Prediction:
    return Prediction(
        id=f"case {case}",
        prompt="p",
        output="yes",
        expected="yes" if correct else "no",
        format_valid=True,
        correct=correct,
        failure_class=None if correct else FailureClass.WRONG_VALUE,
        fields=[],
        truncated=False,
        tokens=2,
        prompt_tokens=1,
        output_tokens=1,
    )


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12), st.randoms(use_true_random=False))
def test_every_case_that_either_arm_got_wrong_is_compared_once_and_the_newly_wrong_come_first(
    answers: list[tuple[bool, bool]], chance: Any
) -> None:
    before = [prediction(case, first) for case, (first, _) in enumerate(answers)]
    after = [prediction(case, second) for case, (_, second) in enumerate(answers)]
    # Cases go by their ids, not by their places.
    found = compare_cases(before, chance.sample(after, len(after)))
    expected = [CaseChange.NEWLY_WRONG] * answers.count((True, False)) + [CaseChange.STILL_WRONG] * answers.count((False, False))
    assert [case.change for case in found] == expected + [CaseChange.FIXED] * answers.count((False, True))
    assert all(case.before.id == case.after.id for case in found)
    assert len({case.before.id for case in found}) == len(found)


def test_arms_that_answered_different_cases_are_not_compared() -> None:
    with pytest.raises(KeyError):
        compare_cases([prediction(1, True)], [prediction(2, True)])


@pytest.fixture
def run(finished: tuple[Path, Result]) -> RunStore:
    return RunStore(finished[0])


def test_each_case_that_changed_is_fixed_still_wrong_or_newly_wrong(run: RunStore) -> None:
    before, after = (read_predictions(run.read(f"arms/{arm}/predictions.jsonl")) for arm in ("few_shot", "tuned"))
    pairs = Counter((one.correct, other.correct) for one, other in zip(before, after, strict=True))
    changes = Counter(case.change for case in compare_cases(before, after))
    assert changes[CaseChange.FIXED] == pairs[False, True] > 0
    assert changes[CaseChange.STILL_WRONG] == pairs[False, False]
    assert changes[CaseChange.NEWLY_WRONG] == pairs[True, False]
    back = Counter(case.change for case in compare_cases(after, before))
    assert back[CaseChange.NEWLY_WRONG] == changes[CaseChange.FIXED] and back[CaseChange.FIXED] == changes[CaseChange.NEWLY_WRONG]
