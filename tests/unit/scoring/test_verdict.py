"""The verdict says what the frozen cases support, and no more."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.scoring.judges import make_judge
from tuneproof.engine.scoring.partial_credit import partial_credit_difference
from tuneproof.engine.scoring.predictions import judge_output, macro_f1, score_predictions
from tuneproof.engine.scoring.verdict import ScoredArm, Verdict, VerdictAnswer, decide_verdict

TASK = Task.model_validate({"output": {"kind": "choice", "choices": ["yes", "no"]}})
JUDGE = make_judge(TASK, [])


def arm(name: str, right: Sequence[bool]) -> ScoredArm:
    outputs = ["yes" if r else "no" for r in right]
    rows = [judge_output(str(i), "?", o, "yes", JUDGE, truncated=False, prompt_tokens=9, output_tokens=1) for i, o in enumerate(outputs)]
    return ScoredArm(score_predictions(name, rows, TASK.output.kind, JUDGE, 1.0), rows)


def first(right: int, n: int = 60) -> list[bool]:
    return [i < right for i in range(n)]


def verdict(untuned: list[ScoredArm], tuned: ScoredArm | None, at_least: float | None = None) -> Verdict:
    target = None if at_least is None else Target(at_least=at_least)
    return decide_verdict(untuned, tuned, TASK, target, [] if tuned else ["tuned arm"])


def test_a_difference_beyond_its_interval_is_a_reason_to_tune() -> None:
    found = verdict([arm("zero_shot", first(20)), arm("few_shot", first(30))], arm("tuned", first(57)), 0.9)
    assert (found.answer, found.best_untuned_arm, found.meets_target) == (VerdictAnswer.TUNE, "few_shot", True)
    assert found.reason.startswith("tuned answers 57 of 60 frozen cases, the best untuned arm (few_shot) 30: +45 points [+3")
    assert found.difference is not None and 0 < found.difference.low < 0.45 < found.difference.high


def test_tuning_can_help_and_still_miss_the_target() -> None:
    found = verdict([arm("zero_shot", first(20))], arm("tuned", first(45)), 0.9)
    assert (found.answer, found.meets_target) == (VerdictAnswer.TUNE, False)
    assert "does not meet the target: choice_accuracy 0.750, asked for 0.9" in found.reason


def test_an_untuned_arm_that_meets_the_target_decides_whatever_the_tuned_arm_scores() -> None:
    untuned = [arm("zero_shot", first(55)), arm("few_shot", first(56))]
    for tuned in (None, arm("tuned", first(60))):
        found = verdict(untuned, tuned, 0.9)
        assert found.answer is VerdictAnswer.DO_NOT_TUNE and "zero_shot already meets the target" in found.reason


def test_the_lightest_arm_that_meets_the_target_is_named_and_a_further_tuned_one_does_not_change_the_answer() -> None:
    weak, strong, tuned, held = arm("zero_shot", first(20)), arm("few_shot", first(56)), arm("tuned", first(50)), arm("held", first(58))
    missing: list[str] = []
    expected = [([weak, strong], 0.9, "few_shot"), ([weak], 0.8, "tuned"), ([weak], 0.9, "held"), ([weak], 1.0, None)]
    for untuned, at_least, lightest in expected:
        found = decide_verdict(untuned, tuned, TASK, Target(at_least=at_least), missing, [held])
        assert found.lightest_arm == lightest
        assert found.answer is (VerdictAnswer.DO_NOT_TUNE if lightest == "few_shot" else VerdictAnswer.TUNE)
        assert ("held meets it" in found.reason) == (lightest == "held")
    assert decide_verdict([weak], None, TASK, None, missing).lightest_arm is None


def test_an_interval_around_zero_is_inconclusive_and_says_what_could_be_detected() -> None:
    found = verdict([arm("zero_shot", first(40))], arm("tuned", first(42)))
    assert found.answer is VerdictAnswer.INCONCLUSIVE and "60 cases can show a difference of about 16 points" in found.reason
    assert found.difference is not None and found.difference.low <= 0 <= found.difference.high
    assert found.meets_target is None


def test_an_inconclusive_verdict_says_how_many_more_cases_would_decide() -> None:
    found = verdict([arm("zero_shot", first(40))], arm("tuned", first(42)))
    # Two of 60 cases differ, both one way: 0.0333 * (2.8016 / 0.0333)² cases.
    assert found.cases_to_tell == 236
    assert "to show the observed one takes about 176 more" in found.reason
    same = verdict([arm("zero_shot", first(40))], arm("tuned", first(40)))
    assert same.cases_to_tell is None and "takes about" not in same.reason


def test_every_untuned_arm_is_compared_and_the_p_values_are_adjusted() -> None:
    found = verdict([arm("zero_shot", first(20)), arm("few_shot", first(40))], arm("tuned", first(47)))
    zero, few = found.comparisons
    assert (zero.arm, few.arm) == ("zero_shot", "few_shot") and few.estimate == pytest.approx(7 / 60, abs=1e-6)
    assert few.p_holm == pytest.approx(few.p_value) and zero.p_holm == pytest.approx(2 * zero.p_value, abs=1e-6)
    assert found.difference is not None and few.p_value == found.difference.p_value


def test_an_equally_good_tuned_arm_with_fewer_tokens_wins_on_cost() -> None:
    def costs(tokens: int, right: int) -> str:
        few = arm("few_shot", first(40))
        scored = few.scores.model_copy(update={"tokens_per_case": float(tokens)})
        return verdict([ScoredArm(scored, few.predictions)], arm("tuned", first(right))).cost or ""

    assert "tuned reads and writes 10 tokens per case, few_shot 90" in costs(90, 41)
    assert "the tuned model wins on cost" in costs(90, 41)
    assert "wins" not in costs(11, 41) and "wins" not in costs(90, 58)


def test_a_metric_with_partial_credit_has_its_own_interval() -> None:
    wanted = ["yes", "no"] * 30
    good, bad = (
        [
            judge_output(str(i), "?", o, w, JUDGE, truncated=False, prompt_tokens=9, output_tokens=1)
            for i, (o, w) in enumerate(zip(out, wanted, strict=True))
        ]
        for out in (wanted, ["yes"] * 60)
    )
    found = partial_credit_difference(Metric.MACRO_F1, good, bad, JUDGE, None)
    assert found is not None and found.estimate == pytest.approx(1 - macro_f1([(p.expected, p.output) for p in bad]), abs=1e-6)
    assert 0.6 < found.low < found.estimate < found.high < 0.75
    assert partial_credit_difference(Metric.CHOICE_ACCURACY, good, bad, JUDGE, None) is None
    assert partial_credit_difference(Metric.MACRO_F1, good, bad, JUDGE, ["one"] * 60) is None


def test_a_tuned_arm_that_is_worse_beyond_its_interval_means_do_not_tune() -> None:
    found = verdict([arm("zero_shot", first(50))], arm("tuned", first(10)))
    assert found.answer is VerdictAnswer.DO_NOT_TUNE and "made it worse" in found.reason


@pytest.mark.parametrize(("untuned", "missing"), [([], ["data", "tuned arm"]), ([arm("zero_shot", first(5))], ["tuned arm"])])
def test_without_all_measurements_the_verdict_is_inconclusive_and_names_what_is_missing(
    untuned: list[ScoredArm], missing: list[str]
) -> None:
    found = decide_verdict(untuned, None, TASK, None, missing)
    assert found.answer is VerdictAnswer.INCONCLUSIVE and found.missing == missing and missing[-1] in found.reason
