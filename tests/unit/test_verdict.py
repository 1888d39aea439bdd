"""The verdict says what the frozen cases support: no more, and with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tuneproof.engine.case import Target, Task
from tuneproof.engine.scoring.outputs import make_judge
from tuneproof.engine.scoring.predictions import predict, score
from tuneproof.engine.verdict import Answer, ScoredArm, Verdict, decide

TASK = Task.model_validate({"output": {"kind": "choice", "choices": ["yes", "no"]}})
JUDGE = make_judge(TASK, [])


def arm(name: str, right: Sequence[bool]) -> ScoredArm:
    outputs = ["yes" if r else "no" for r in right]
    rows = [predict(str(i), "?", o, "yes", JUDGE, truncated=False, prompt_tokens=9, output_tokens=1) for i, o in enumerate(outputs)]
    return ScoredArm(score(name, rows, TASK.output.kind, JUDGE, 1.0), rows)


def first(right: int, n: int = 60) -> list[bool]:
    return [i < right for i in range(n)]


def verdict(untuned: list[ScoredArm], tuned: ScoredArm | None, at_least: float | None = None) -> Verdict:
    target = None if at_least is None else Target(at_least=at_least)
    return decide(untuned, tuned, TASK, target, [] if tuned else ["tuned arm"])


def test_a_difference_beyond_its_interval_is_a_reason_to_tune() -> None:
    found = verdict([arm("zero_shot", first(20)), arm("few_shot", first(30))], arm("tuned", first(57)), 0.9)
    assert (found.answer, found.best_untuned_arm, found.meets_target) == (Answer.TUNE, "few_shot", True)
    assert found.reason.startswith("tuned answers 57 of 60 frozen cases, the best untuned arm (few_shot) 30: +45 points [+3")
    assert found.difference is not None and 0 < found.difference.low < 0.45 < found.difference.high


def test_tuning_may_help_and_not_be_enough() -> None:
    found = verdict([arm("zero_shot", first(20))], arm("tuned", first(45)), 0.9)
    assert (found.answer, found.meets_target) == (Answer.TUNE, False)
    assert "does not meet the target: choice_accuracy 0.750, asked for 0.9" in found.reason


def test_an_untuned_arm_that_meets_the_target_ends_it_whatever_tuning_did() -> None:
    untuned = [arm("zero_shot", first(55)), arm("few_shot", first(56))]
    for tuned in (None, arm("tuned", first(60))):
        found = verdict(untuned, tuned, 0.9)
        assert found.answer is Answer.DO_NOT_TUNE and "zero_shot already meets the target" in found.reason


def test_the_lightest_arm_that_meets_the_target_is_named_and_a_further_tuned_one_decides_nothing() -> None:
    weak, strong, tuned, held = arm("zero_shot", first(20)), arm("few_shot", first(56)), arm("tuned", first(50)), arm("held", first(58))
    missing: list[str] = []
    expected = [([weak, strong], 0.9, "few_shot"), ([weak], 0.8, "tuned"), ([weak], 0.9, "held"), ([weak], 1.0, None)]
    for untuned, at_least, lightest in expected:
        found = decide(untuned, tuned, TASK, Target(at_least=at_least), missing, [held])
        assert found.lightest_arm == lightest
        assert found.answer is (Answer.DO_NOT_TUNE if lightest == "few_shot" else Answer.TUNE)
        assert ("held meets it" in found.reason) == (lightest == "held")
    assert decide([weak], None, TASK, None, missing).lightest_arm is None


def test_an_interval_around_zero_is_inconclusive_and_says_what_could_be_seen() -> None:
    found = verdict([arm("zero_shot", first(40))], arm("tuned", first(42)))
    assert found.answer is Answer.INCONCLUSIVE and "60 cases can show a difference of about 16 points" in found.reason
    assert found.difference is not None and found.difference.low <= 0 <= found.difference.high
    assert found.meets_target is None


def test_a_tuned_arm_that_is_worse_beyond_its_interval_is_not_to_be_used() -> None:
    found = verdict([arm("zero_shot", first(50))], arm("tuned", first(10)))
    assert found.answer is Answer.DO_NOT_TUNE and "made it worse" in found.reason


@pytest.mark.parametrize(("untuned", "missing"), [([], ["data", "tuned arm"]), ([arm("zero_shot", first(5))], ["tuned arm"])])
def test_what_was_not_measured_is_inconclusive_and_named(untuned: list[ScoredArm], missing: list[str]) -> None:
    found = decide(untuned, None, TASK, None, missing)
    assert found.answer is Answer.INCONCLUSIVE and found.missing == missing and missing[-1] in found.reason
