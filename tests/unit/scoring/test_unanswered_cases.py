"""Cases that a server did not answer count neither as correct nor as wrong, in scores, verdicts and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.scoring.case_changes import compare_cases
from tuneproof.engine.scoring.judges import FailureClass, make_judge
from tuneproof.engine.scoring.partial_credit import partial_credit_difference
from tuneproof.engine.scoring.predictions import (
    Prediction,
    failure_log,
    judge_again,
    judge_output,
    read_predictions,
    score_predictions,
    to_jsonl,
    unanswered_prediction,
)
from tuneproof.engine.scoring.verdict import ScoredArm, VerdictAnswer, decide_verdict, meets_target, paired_difference

TASK = Task.model_validate({"output": {"kind": "choice", "choices": ["yes", "no"]}})
JUDGE = make_judge(TASK, [])


def answer(at: int, output: str, **more: Any) -> Prediction:
    return judge_output(str(at), "?", output, "yes", JUDGE, truncated=False, prompt_tokens=30, output_tokens=2, **more)


def endpoint_arm(right: int, wrong: int, gone: int, reason: str = "no reply within 60 s") -> ScoredArm:
    rows = [answer(at, "yes" if at < right else "no") for at in range(right + wrong)]
    rows += [unanswered_prediction(str(right + wrong + at), "?", "yes", reason, "busy", 5) for at in range(gone)]
    return ScoredArm(score_predictions("endpoint", rows, TASK.output.kind, JUDGE, 7.0), rows, is_external=True)


def local_arm(name: str, right: Sequence[bool]) -> ScoredArm:
    rows = [answer(at, "yes" if good else "no") for at, good in enumerate(right)]
    return ScoredArm(score_predictions(name, rows, TASK.output.kind, JUDGE, 1.0), rows)


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
    assert [judge_again(p, JUDGE, p.expected) for p in arm.predictions] == arm.predictions


def test_answers_without_token_counts_do_not_count_as_zero_tokens() -> None:
    rows = [
        answer(0, "yes"),
        judge_output("1", "?", "yes", "yes", JUDGE, truncated=False, prompt_tokens=0, output_tokens=0, usage_known=False),
    ]
    scores = score_predictions("endpoint", rows, TASK.output.kind, JUDGE, 1.0)
    assert (scores.tokens_per_case, scores.tokens_untold) == (32, 1)


def test_a_target_is_met_only_if_it_is_with_unanswered_cases_counted_as_wrong() -> None:
    arm = endpoint_arm(right=66, wrong=4, gone=10)
    assert not meets_target(arm.scores, TASK, Target(at_least=0.9)) and meets_target(arm.scores, TASK, Target(at_least=0.82))
    found = decide_verdict([arm], None, TASK, Target(at_least=0.82), ["tuned arm"])
    assert found.answer is VerdictAnswer.DO_NOT_TUNE
    assert "choice_accuracy 0.943 (0.825 with unanswered cases counted as wrong), asked for 0.82" in found.reason
    macro = endpoint_arm(right=66, wrong=4, gone=10).scores
    assert macro.metrics_at_worst[Metric.MACRO_F1] < macro.metrics[Metric.MACRO_F1]


def test_arms_are_compared_on_the_cases_that_both_answered() -> None:
    # Tuning is wrong exactly where the server gave no answer: that says nothing about the two.
    arm, tuned = endpoint_arm(right=70, wrong=0, gone=10), local_arm("tuned", [at < 70 for at in range(80)])
    difference = paired_difference(tuned, arm)
    assert (difference.estimate, difference.only_tuned_right, difference.only_untuned_right) == (0, 0, 0)
    assert compare_cases(arm.predictions, tuned.predictions) == []
    graded = partial_credit_difference(Metric.MACRO_F1, tuned.predictions, arm.predictions, JUDGE, [str(at % 9) for at in range(80)])
    assert graded is not None and graded.estimate == 0
    found = decide_verdict([arm], tuned, TASK, None, [])
    assert "the best untuned arm (endpoint) 70 of the 70 frozen cases that have an answer" in found.reason
    assert found.cost is not None and "its tokens are not comparable" in found.cost
