"""Scores that no grader can compute decide as any other metric does, are stored, and are checked by `verify`."""

from __future__ import annotations

import pickle

import pytest

from tuneproof.engine.card.verify_outside import check_outside_scores
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.scoring.grade import FailureClass
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.outside_score import OutsideScore
from tuneproof.engine.scoring.predictions import (
    Prediction,
    grade_again,
    grade_output,
    read_predictions,
    to_jsonl,
    unanswered_prediction,
    with_outside_score,
)
from tuneproof.engine.scoring.scores import score_predictions
from tuneproof.engine.scoring.script_scorer import ScriptScorer, script_scorer
from tuneproof.engine.scoring.variant_selection import deciding_score

SCRIPT = """
def score(output, row):
    return {"greets": float(output.startswith("Hello")), "named": float(row["name"] in output), "short": float(len(output) < 40)}
"""
TASK = Task.model_validate({"metric": {"script": SCRIPT}, "pass_score": 0.6})
OF_JSON = "import json\ndef score(output, row):\n    json.loads(output)\n    return 1\n"
JSON_TASK = Task.model_validate({"output": {"kind": "json"}, "metric": {"script": OF_JSON}})
GRADER = make_grader(TASK, [])
CASES = [
    (str(at), Example("", f"Where is order {at}?", "Hello Ann!", Source("r.jsonl", at + 1), metadata={"name": "Ann"})) for at in range(4)
]
ANSWERS = ["Hello Ann!", "Hello Bo!", "The order of Ann is somewhere on its way to her", ""]


def no_progress(done: int, of: int) -> None:
    """Nobody watches."""


def scorer(task: Task = TASK) -> ScriptScorer:
    found = script_scorer(task, make_grader(task, []))
    assert found is not None
    return found


def answered(texts: list[str], task: Task = TASK) -> list[Prediction]:
    grader = make_grader(task, [])
    rows = [
        grade_output(name, "?", text, case.output, grader, truncated=False, prompt_tokens=9, output_tokens=9)
        for (name, case), text in zip(CASES, texts, strict=True)
    ]
    return scorer(task).scored(rows, CASES, no_progress)


@pytest.fixture(scope="module")
def scored() -> list[Prediction]:
    return answered(ANSWERS)


def test_an_answer_is_correct_from_the_score_that_passes_on(scored: list[Prediction]) -> None:
    assert [row.outside.value for row in scored if row.outside] == pytest.approx([1, 2 / 3, 1 / 3, 0])
    assert [row.correct for row in scored] == [True, True, False, False]
    assert [row.failure_class for row in scored] == [None, None, FailureClass.LOW_SCORE, FailureClass.EMPTY]


def test_an_answer_without_the_format_scores_nothing_and_is_not_shown_to_the_script() -> None:
    cases = [(name, Example("", "?", '{"a": 1}', case.source)) for name, case in CASES]
    grader = make_grader(JSON_TASK, [])
    rows = [
        grade_output(name, "?", text, case.output, grader, truncated=False, prompt_tokens=9, output_tokens=9)
        for (name, case), text in zip(cases, ['{"a": 2}', "no JSON", '{"a": 1', '{"a": 1}'], strict=True)
    ]
    found = scorer(JSON_TASK).scored(rows, cases, no_progress)
    assert [row.correct for row in found] == [True, False, False, True]


def test_a_case_without_an_answer_scores_nothing() -> None:
    gone = unanswered_prediction("0", "?", "Hello Ann!", "no reply", "", 1)
    assert scorer().scored([gone], CASES[:1], no_progress) == [gone]


def test_the_scores_of_an_arm_have_the_metric_and_each_field(scored: list[Prediction]) -> None:
    scores = score_predictions("zero_shot", scored, TASK.metrics, GRADER, 1.0)
    assert scores.metrics[Metric.SCRIPT] == pytest.approx(0.5)
    assert scores.fields == {"greets": 0.5, "named": 0.5, "short": 0.5}


def test_a_worse_model_scores_worse(scored: list[Prediction]) -> None:
    worse = answered(["Order", "Order", "Order", "Order of Ann, which is on its way to her"])
    measure = Measure(TASK, Target(at_least=0.5), GRADER)
    arms = [ScoredArm(score_predictions(name, rows, TASK.metrics, GRADER, 1.0), rows) for name, rows in (("good", scored), ("bad", worse))]
    good, bad = measure.arms(arms)
    assert good.value > bad.value
    assert (deciding_score(scored, measure) or 0) > (deciding_score(worse, measure) or 0)


def test_a_stored_score_is_read_again_as_it_was(scored: list[Prediction]) -> None:
    again = read_predictions(to_jsonl(scored))
    assert again == scored
    assert [grade_again(row, GRADER, row.expected) for row in again] == scored


def test_verify_runs_the_script_only_when_asked(scored: list[Prediction]) -> None:
    other = OutsideScore(passes_at=0.6, fields={"greets": 0.9})
    forged = [with_outside_score(row, other, GRADER) if row.id == "1" else row for row in scored]
    for rows in (scored, forged):
        check_outside_scores(TASK, "p.jsonl", rows, dict(CASES), GRADER, run_script=False)
    check_outside_scores(TASK, "p.jsonl", scored, dict(CASES), GRADER, run_script=True)
    with pytest.raises(VerifyFailed, match="gives 1 another score"):
        check_outside_scores(TASK, "p.jsonl", forged, dict(CASES), GRADER, run_script=True)


def test_verify_notices_a_score_that_is_missing_or_passes_elsewhere(scored: list[Prediction]) -> None:
    without = [row.model_copy(update={"outside": None}) for row in scored]
    with pytest.raises(VerifyFailed, match="has no stored score"):
        check_outside_scores(TASK, "p.jsonl", without, dict(CASES), GRADER, run_script=False)
    elsewhere = TASK.model_copy(update={"pass_score": 0.9})
    with pytest.raises(VerifyFailed, match="passes at another score"):
        check_outside_scores(elsewhere, "p.jsonl", scored, dict(CASES), GRADER, run_script=False)


def test_a_field_that_only_some_rows_have_is_averaged_over_these() -> None:
    script = "def score(output, row):\n    return {'a': 1.0} if row['id'] == '0' else {'a': 0.0, 'b': 0.5}\n"
    rows = answered(["x", "y", "z", ""], Task.model_validate({"metric": {"script": script}}))
    scores = score_predictions("zero_shot", rows, [Metric.SCRIPT], GRADER, 1.0)
    assert scores.fields == {"a": 0.25, "b": pytest.approx(1 / 3, abs=1e-6)}


def test_a_target_in_another_metric_does_not_count_what_the_script_lets_pass() -> None:
    cases = [(name, Example("", "?", '{"a": 1}', case.source)) for name, case in CASES[:2]]
    grader = make_grader(JSON_TASK, [])
    rows = [
        grade_output(name, "?", text, case.output, grader, truncated=False, prompt_tokens=9, output_tokens=9)
        for (name, case), text in zip(cases, ['{"a": 2}', '{"a": 1}'], strict=True)
    ]
    scored = scorer(JSON_TASK).scored(rows, cases, no_progress)
    assert [row.correct for row in scored] == [True, True]
    other = Measure(JSON_TASK, Target(metric=Metric.EXACT_MATCH, at_least=0.9), grader)
    assert deciding_score(scored, other) == 0.5 and not other.counts_correct_answers
    assert Measure(JSON_TASK, None, grader).shows_score


def test_a_scorer_can_be_sent_to_the_process_that_trains() -> None:
    assert pickle.loads(pickle.dumps(scorer(JSON_TASK))).metric == JSON_TASK.metric
