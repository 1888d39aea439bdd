"""Cases that a server did not answer count neither as correct nor as wrong, in scores, verdicts and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.scoring.case_changes import compare_cases
from tuneproof.engine.scoring.grade import FailureClass
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.predictions import (
    Prediction,
    failure_log,
    grade_again,
    grade_output,
    read_predictions,
    to_jsonl,
    unanswered_prediction,
)
from tuneproof.engine.scoring.rule import TargetStatus
from tuneproof.engine.scoring.scores import score_predictions
from tuneproof.engine.scoring.verdict import ArmsInCase, decide_verdict, target_status

TASK = Task.model_validate({"output": {"kind": "choice", "choices": ["yes", "no"]}})
GRADER = make_grader(TASK, [])


def answer(at: int, output: str, **more: Any) -> Prediction:
    return grade_output(str(at), "?", output, "yes", GRADER, truncated=False, prompt_tokens=30, output_tokens=2, **more)


def endpoint_arm(right: int, wrong: int, gone: int, reason: str = "no reply within 60 s") -> ScoredArm:
    rows = [answer(at, "yes" if at < right else "no") for at in range(right + wrong)]
    rows += [unanswered_prediction(str(right + wrong + at), "?", "yes", reason, "busy", 5) for at in range(gone)]
    return ScoredArm(score_predictions("endpoint", rows, TASK.metrics, GRADER, 7.0), rows, is_external=True)


def local_arm(name: str, right: Sequence[bool]) -> ScoredArm:
    rows = [answer(at, "yes" if good else "no") for at, good in enumerate(right)]
    return ScoredArm(score_predictions(name, rows, TASK.metrics, GRADER, 1.0), rows)


def test_an_unanswered_case_counts_neither_as_correct_nor_as_wrong() -> None:
    arm = endpoint_arm(right=60, wrong=10, gone=10)
    scores = arm.scores
    assert (scores.n, scores.all_cases, scores.unanswered) == (70, 80, {"no reply within 60 s": 10})
    assert scores.correct.rate == pytest.approx(60 / 70, abs=1e-6) and scores.metrics[Metric.CHOICE_ACCURACY] == scores.correct.rate
    assert (scores.tokens_per_case, scores.seconds_per_case, scores.attempts) == (32, 0.1, 70 + 50)
    assert scores.failures == {FailureClass.WRONG_VALUE: 10}
    logged = failure_log("endpoint", arm.predictions)
    assert [row.failure_class for row in logged] == [FailureClass.WRONG_VALUE] * 10 + [FailureClass.ENDPOINT_ERROR] * 10
    assert logged[-1].unanswered == "no reply within 60 s" and logged[-1].server_said == "busy"
    assert read_predictions(to_jsonl(arm.predictions)) == arm.predictions
    assert [grade_again(p, GRADER, p.expected) for p in arm.predictions] == arm.predictions


def test_answers_without_token_counts_do_not_count_as_zero_tokens() -> None:
    rows = [
        answer(0, "yes"),
        grade_output("1", "?", "yes", "yes", GRADER, truncated=False, prompt_tokens=0, output_tokens=0, usage_known=False),
    ]
    scores = score_predictions("endpoint", rows, TASK.metrics, GRADER, 1.0)
    assert (scores.tokens_per_case, scores.tokens_untold) == (32, 1)


def test_a_target_is_met_only_if_it_is_with_unanswered_cases_counted_as_wrong() -> None:
    arm = endpoint_arm(right=70, wrong=4, gone=6)
    below, reached = Measure(TASK, Target(at_least=0.9), GRADER), Measure(TASK, Target(at_least=0.87), GRADER)
    assert target_status(below, [arm]) == {"endpoint": TargetStatus.NOT_MET}
    assert target_status(reached, [arm]) == {"endpoint": TargetStatus.MEASURED}
    found = decide_verdict(reached, ArmsInCase([arm]), ["tuned arm"])
    assert "70 of 80 right (6 without an answer, counted as wrong)" in found.reason


@pytest.mark.parametrize("metric", [None, Metric.MACRO_F1])
def test_arms_are_compared_on_the_cases_that_both_answered(metric: Metric | None) -> None:
    # Tuning is wrong exactly where the server gave no answer: that says nothing about the two.
    arm, tuned = endpoint_arm(right=74, wrong=0, gone=6), local_arm("tuned", [at < 74 for at in range(80)])
    measure = Measure(TASK, Target(metric=metric), GRADER)
    difference = measure.difference(tuned, arm)
    assert (difference.estimate, difference.only_tuned_right, difference.only_untuned_right) == (0, 0, 0)
    assert compare_cases(arm.predictions, tuned.predictions) == []
    found = decide_verdict(measure, ArmsInCase([arm], tuned), [])
    assert found.difference is not None and found.difference.cases == 74
    assert found.cost is not None and "do not compare" in found.cost
