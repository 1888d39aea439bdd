"""The verdict says what the frozen cases support: no more, in the metric of the case, and with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.predictions import grade_output, unanswered_prediction
from tuneproof.engine.scoring.rule import TargetStatus, VerdictAnswer
from tuneproof.engine.scoring.scores import score_predictions
from tuneproof.engine.scoring.verdict import ArmsInCase, decide_verdict
from tuneproof.engine.scoring.verdict_schema import Verdict
from tuneproof.engine.scoring.verdict_text import format_points

TASK = Task.model_validate({"output": {"kind": "choice", "choices": ["yes", "no"]}})
JSON = Task.model_validate({"output": {"kind": "json"}, "metric": "field_accuracy"})


def grader_of(task: Task) -> Grader:
    return make_grader(task, [])


MEASURE = Measure(TASK, None, grader_of(TASK))


def answers(name: str, outputs: Sequence[str | None], wanted: Sequence[str], task: Task = TASK, *, elsewhere: bool = False) -> ScoredArm:
    """An arm that gave these outputs; None where it gave no answer."""
    grader = grader_of(task)
    rows = [
        unanswered_prediction(str(at), "?", expected, "timeout", "", 1)
        if output is None
        else grade_output(str(at), "?", output, expected, grader, truncated=False, prompt_tokens=9, output_tokens=1)
        for at, (output, expected) in enumerate(zip(outputs, wanted, strict=True))
    ]
    return ScoredArm(score_predictions(name, rows, task.metrics, grader, 1.0), rows, is_external=elsewhere)


def arm(name: str, right: Sequence[bool], *, elsewhere: bool = False) -> ScoredArm:
    return answers(name, ["yes" if each else "no" for each in right], ["yes"] * len(right), elsewhere=elsewhere)


def first(right: int, n: int = 60) -> list[bool]:
    return [at < right for at in range(n)]


def verdict(untuned: list[ScoredArm], tuned: ScoredArm | None, task: Task = TASK, **asked: object) -> Verdict:
    target = Target.model_validate(asked) if asked else None
    measure = Measure(task, target, grader_of(task))
    return decide_verdict(measure, ArmsInCase(untuned, tuned), [] if tuned else ["tuned arm"])


def test_a_difference_beyond_its_interval_is_a_reason_to_tune() -> None:
    found = verdict([arm("zero_shot", first(20)), arm("few_shot", first(30))], arm("tuned", first(57)), at_least=0.5)
    assert (found.answer, found.best_untuned_arm, found.meets_target) == (VerdictAnswer.TUNE, "few_shot", True)
    assert found.reason.startswith("tuned: 57 of 60 right; the best untuned arm, few_shot: 30 of 60 right.")
    assert found.difference is not None and 0 < found.difference.low < 0.45 < found.difference.high


def test_tuning_that_is_better_and_not_good_enough_says_both() -> None:
    found = verdict([arm("zero_shot", first(2))], arm("tuned", first(10)), at_least=0.8)
    assert (found.answer, found.target, found.meets_target) == (VerdictAnswer.TUNE, TargetStatus.NOT_MET, False)
    assert found.headline == "better than prompting, not good enough: measured 0.17, asked for 0.8"
    assert any("more labels" in step for step in found.next_steps)


def test_tuning_that_is_better_and_shown_to_be_good_enough_says_both() -> None:
    found = verdict([arm("zero_shot", first(20))], arm("tuned", first(60)), at_least=0.9)
    assert (found.answer, found.target, found.headline) == (
        VerdictAnswer.TUNE,
        TargetStatus.SHOWN,
        "better than prompting, and good enough",
    )


@pytest.mark.parametrize("tuned", [None, arm("tuned", first(60))])
def test_an_untuned_arm_shown_to_meet_the_target_ends_it_whatever_tuning_did(tuned: ScoredArm | None) -> None:
    found = verdict([arm("zero_shot", first(55)), arm("few_shot", first(59))], tuned, at_least=0.8)
    assert found.answer is VerdictAnswer.DO_NOT_TUNE and found.headline == "a prompt is good enough"
    assert found.target is TargetStatus.SHOWN


def test_a_target_that_three_cases_cannot_show_does_not_end_it() -> None:
    found = verdict([arm("zero_shot", first(3, 3))], None, at_least=0.9)
    assert (found.answer, found.target) == (VerdictAnswer.INCONCLUSIVE, TargetStatus.MEASURED)
    assert "meets the target as measured, which is not shown" in found.reason


def test_a_target_met_as_measured_says_how_many_more_cases_would_show_it() -> None:
    found = verdict([arm("zero_shot", first(75, 80))], None, at_least=0.9)
    assert found.target is TargetStatus.MEASURED and "more cases at this rate would show it" in found.reason


def test_the_lightest_arm_that_meets_the_target_is_named_and_another_tuned_arm_decides_nothing() -> None:
    weak, strong, tuned, held = arm("zero_shot", first(20)), arm("few_shot", first(56)), arm("tuned", first(50)), arm("held", first(58))
    measure = Measure(TASK, Target(at_least=0.9), grader_of(TASK))
    found = decide_verdict(measure, ArmsInCase([weak], tuned, also_tuned=[held]), [])
    assert (found.lightest_arm, found.answer) == ("held", VerdictAnswer.TUNE)
    assert decide_verdict(measure, ArmsInCase([weak, strong], tuned, also_tuned=[held]), []).lightest_arm == "few_shot"


def test_what_is_not_settled_says_how_many_more_cases_would_settle_it() -> None:
    found = verdict([arm("zero_shot", first(40))], arm("tuned", first(42)))
    assert found.answer is VerdictAnswer.INCONCLUSIVE
    assert found.cases_to_tell == 236
    assert "takes about 176 more" in found.reason


def test_arms_that_never_differ_need_no_number_of_cases() -> None:
    same = verdict([arm("zero_shot", first(40))], arm("tuned", first(40)))
    assert same.cases_to_tell is None and "takes about" not in same.reason


def test_every_untuned_arm_is_compared_and_the_p_values_pay_for_all() -> None:
    found = verdict([arm("zero_shot", first(20)), arm("few_shot", first(40))], arm("tuned", first(47)))
    zero, few = found.comparisons
    assert (zero.arm, few.arm) == ("zero_shot", "few_shot") and few.estimate == pytest.approx(7 / 60, abs=1e-6)
    assert few.p_holm == pytest.approx(few.p_value) and zero.p_holm == pytest.approx(2 * zero.p_value, abs=1e-6)


def test_a_tuned_arm_as_good_for_fewer_tokens_is_called_cheaper_and_training_is_not_counted() -> None:
    few = arm("few_shot", first(40))
    dear = ScoredArm(few.scores.model_copy(update={"tokens_per_case": 90.0}), few.predictions)
    cost = verdict([dear], arm("tuned", first(41))).cost or ""
    assert "tuned reads and writes 10 tokens a case, few_shot 90" in cost
    assert "cheaper; what training cost is not counted" in cost


def test_a_tuned_arm_that_is_better_is_not_called_cheaper_as_well() -> None:
    few = arm("few_shot", first(40))
    dear = ScoredArm(few.scores.model_copy(update={"tokens_per_case": 90.0}), few.predictions)
    assert "cheaper" not in (verdict([dear], arm("tuned", first(58))).cost or "")


def test_tokens_of_another_model_are_not_compared() -> None:
    assert "do not compare" in (verdict([arm("endpoint", first(40), elsewhere=True)], arm("tuned", first(58))).cost or "")


def test_a_tuned_arm_that_is_worse_beyond_its_interval_is_not_to_be_used() -> None:
    found = verdict([arm("zero_shot", first(50))], arm("tuned", first(10)))
    assert found.answer is VerdictAnswer.DO_NOT_TUNE and found.headline == "tuning made it worse"


@pytest.mark.parametrize(("untuned", "missing"), [([], ["data", "tuned arm"]), ([arm("zero_shot", first(5))], ["tuned arm"])])
def test_what_was_not_measured_is_inconclusive_and_named(untuned: list[ScoredArm], missing: list[str]) -> None:
    found = decide_verdict(Measure(TASK, None, grader_of(TASK)), ArmsInCase(untuned), missing)
    assert found.answer is VerdictAnswer.INCONCLUSIVE and found.missing == missing and missing[-1] in found.reason


# 1. The metric that the case names decides.


def test_a_fall_in_macro_f1_is_no_reason_to_tune_although_more_cases_are_right() -> None:
    wanted = ["yes"] * 360 + ["no"] * 40
    balanced = answers("zero_shot", ["yes"] * 310 + ["no"] * 50 + ["no"] * 38 + ["yes"] * 2, wanted)
    one_label = answers("tuned", ["yes"] * 400, wanted)
    assert one_label.scores.correct.rate > balanced.scores.correct.rate
    found = verdict([balanced], one_label, metric="macro_f1")
    assert found.answer is VerdictAnswer.DO_NOT_TUNE
    assert found.difference is not None and found.difference.metric is Metric.MACRO_F1 and found.difference.estimate < 0


def test_a_fall_in_field_accuracy_is_no_reason_to_tune() -> None:
    wanted = ['{"a":1,"b":1,"c":1,"d":1,"e":1}'] * 60
    nearly = answers("zero_shot", ['{"a":1,"b":1,"c":1,"d":1,"e":2}'] * 60, wanted, JSON)
    rarely = answers("tuned", ['{"a":1,"b":1,"c":1,"d":1,"e":1}'] * 12 + ["{}"] * 48, wanted, JSON)
    assert rarely.scores.correct.rate > nearly.scores.correct.rate
    assert verdict([nearly], rarely, JSON).answer is VerdictAnswer.DO_NOT_TUNE


def test_a_rise_in_field_accuracy_that_meets_the_target_is_a_reason_to_tune_without_one_exact_match() -> None:
    wanted = ['{"a":1,"b":1,"c":1,"d":1,"e":1}'] * 60
    none = answers("zero_shot", ["{}"] * 60, wanted, JSON)
    most = answers("tuned", ['{"a":1,"b":1,"c":1,"d":1,"e":2}'] * 60, wanted, JSON)
    found = verdict([none], most, JSON, metric="field_accuracy", at_least=0.7)
    assert (found.answer, found.meets_target) == (VerdictAnswer.TUNE, True)


def test_the_best_untuned_arm_is_the_best_in_the_metric_that_decides() -> None:
    wanted = ["yes"] * 90 + ["no"] * 10
    balanced = answers("zero_shot", ["yes"] * 60 + ["no"] * 30 + ["no"] * 9 + ["yes"], wanted)
    one_label = answers("few_shot", ["yes"] * 100, wanted)
    assert verdict([balanced, one_label], None, metric="macro_f1").best_untuned_arm == "zero_shot"
    assert verdict([balanced, one_label], None, metric="choice_accuracy").best_untuned_arm == "few_shot"


# 3. Cases that belong together are one.


def test_eight_conversations_of_ten_cases_are_eight() -> None:
    right = [talk in (0, 1, 2, 3, 4) for talk in range(8) for _ in range(10)]
    before = [talk in (5, 0, 1) for talk in range(8) for _ in range(10)]
    untuned, tuned = arm("zero_shot", before), arm("tuned", right)
    alone = verdict([untuned], tuned)
    assert alone.answer is VerdictAnswer.TUNE
    talks = {str(at): f"talk {at // 10}" for at in range(80)}
    grouped = decide_verdict(Measure(TASK, None, grader_of(TASK), talks), ArmsInCase([untuned], tuned), [])
    assert grouped.answer is VerdictAnswer.INCONCLUSIVE
    assert grouped.difference is not None and grouped.difference.clusters == 8
    assert grouped.difference.low < -0.3 and grouped.difference.high > 0.8


# 4. Arms are compared on the cases that both answered, and ranked so too.


def test_an_arm_that_answered_3_of_80_cases_does_not_rank() -> None:
    endpoint = answers("endpoint", ["yes"] * 3 + [None] * 77, ["yes"] * 80, elsewhere=True)
    found = verdict([arm("zero_shot", first(30, 80)), endpoint], arm("tuned", first(75, 80)))
    assert (found.answer, found.best_untuned_arm) == (VerdictAnswer.TUNE, "zero_shot")
    assert found.not_ranked == ["endpoint"]


# 5. Small numbers say so.


def test_two_of_two_against_none_is_not_enough_to_tune() -> None:
    assert verdict([arm("zero_shot", [False, False])], arm("tuned", [True, True])).answer is VerdictAnswer.INCONCLUSIVE


# 6. A gain worth having.


def test_five_thousand_cases_without_a_gain_end_it() -> None:
    before = first(4000, 5000)
    # 40 cases fixed, 40 newly wrong.
    after = [not each if at >= 3960 and at < 4040 else each for at, each in enumerate(before)]
    found = verdict([arm("zero_shot", before)], arm("tuned", after))
    assert (found.answer, found.headline) == (VerdictAnswer.DO_NOT_TUNE, "no gain worth a model of your own")


def test_eighteen_cases_of_five_thousand_are_no_gain_worth_having() -> None:
    found = verdict([arm("zero_shot", first(4000, 5000))], arm("tuned", first(4018, 5000)))
    assert found.difference is not None and found.difference.low > 0
    assert found.answer is VerdictAnswer.DO_NOT_TUNE and "A gain of 2 points is ruled out" in found.reason


def test_the_gain_worth_having_is_the_case_s_own() -> None:
    found = verdict([arm("zero_shot", first(4000, 5000))], arm("tuned", first(4018, 5000)), min_gain=0.001)
    assert found.answer is VerdictAnswer.TUNE and found.min_gain == 0.001


# 8. The luck of training is part of it.


def test_trainings_that_differ_widely_widen_the_interval() -> None:
    untuned, measure = arm("zero_shot", first(100, 200)), Measure(TASK, None, grader_of(TASK))
    alike = [arm("tuned", first(130, 200)), arm("tuned", first(131, 200)), arm("tuned", first(129, 200))]
    apart = [arm("tuned", first(130, 200)), arm("tuned", first(170, 200)), arm("tuned", first(90, 200))]
    sure = decide_verdict(measure, ArmsInCase([untuned], alike[0], alike[1:]), [])
    unsure = decide_verdict(measure, ArmsInCase([untuned], apart[0], apart[1:]), [])
    assert sure.answer is VerdictAnswer.TUNE and unsure.answer is VerdictAnswer.INCONCLUSIVE
    assert sure.difference is not None and sure.difference.seeds == 3
    assert "the interval covers cases and seeds" in sure.reason


def test_one_training_says_in_the_verdict_that_its_luck_is_not_in_the_interval() -> None:
    found = verdict([arm("zero_shot", first(20))], arm("tuned", first(57)))
    assert "one training: the luck of training is not in this interval" in found.reason


# 10. As good as what runs today.


@pytest.mark.parametrize(
    ("right", "answer"),
    [(402, VerdictAnswer.REPLACE), (340, VerdictAnswer.DO_NOT_REPLACE), (386, VerdictAnswer.INCONCLUSIVE)],
)
def test_whether_the_tuned_model_may_replace_what_runs_today(right: int, answer: VerdictAnswer) -> None:
    incumbent = arm("endpoint", first(400, 500), elsewhere=True)
    tuned = arm("tuned", [*first(right - 10, 490), *[True] * 10])
    found = verdict([arm("zero_shot", first(100, 500)), incumbent], tuned, not_worse_than="endpoint", margin=0.03)
    assert (found.answer, found.best_untuned_arm) == (answer, "endpoint")


# 11. Power, with the disagreement that was measured.


def test_the_difference_that_can_be_shown_rests_on_the_measured_disagreement() -> None:
    often = [at % 2 == 0 for at in range(80)]
    apart = verdict([arm("zero_shot", often), arm("few_shot", [not each for each in often])], None)
    together = verdict([arm("zero_shot", often), arm("few_shot", often)], None)
    assert apart.minimum_detectable_effect is not None and together.minimum_detectable_effect is not None
    assert apart.minimum_detectable_effect > 2 * together.minimum_detectable_effect


def test_a_gain_that_is_ruled_out_is_not_the_number_that_the_interval_ends_at() -> None:
    found = verdict([arm("zero_shot", first(3980, 4000))], arm("tuned", first(4000, 4000)), min_gain=0.01)
    assert found.answer is VerdictAnswer.DO_NOT_TUNE and found.difference is not None
    assert round(100 * found.difference.high) == 1, "in whole points, the interval would end at the gain"
    assert "+0.5 points [+0.3, +0.8]" in found.reason and "A gain of 1 point is ruled out" in found.reason
    assert format_points(found.difference) == "+0.5 points [+0.3, +0.8]", "nor does a limit above zero read as zero"


def test_a_score_just_below_the_target_does_not_read_as_the_target() -> None:
    found = verdict([arm("zero_shot", first(100, 1000))], arm("tuned", first(899, 1000)), at_least=0.9)
    assert "measured 0.899, asked for 0.9" in found.headline and "0.899, asked for 0.9" in found.reason


def test_answers_that_were_cut_off_stand_beside_the_score_of_the_tuned_arm_as_of_any_other() -> None:
    cut = [
        grade_output(str(at), "?", "yes" if at < 40 else "ye", "yes", grader_of(TASK), truncated=at >= 40, prompt_tokens=9, output_tokens=1)
        for at in range(60)
    ]
    tuned = ScoredArm(score_predictions("tuned", cut, TASK.metrics, grader_of(TASK), 1.0), cut)
    assert verdict([arm("zero_shot", first(10))], tuned).reason.startswith("tuned: 40 of 60 right (20 cut off for want of room);")


def test_the_p_value_says_of_how_many_arms_it_is_the_largest() -> None:
    found = verdict([arm("zero_shot", first(20)), arm("few_shot", first(30))], arm("tuned", first(57)))
    assert "(McNemar exact, the largest of 2: tuning has to beat every arm)" in found.reason
    assert "the largest" not in verdict([arm("zero_shot", first(20))], arm("tuned", first(57))).reason
