"""What the requests of the endpoint arm cost."""

from __future__ import annotations

from tuneproof.engine.arms.endpoint import EndpointArm
from tuneproof.engine.case.schema import Case
from tuneproof.engine.case.task import Task
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.predictions import grade_output, unanswered_prediction
from tuneproof.engine.scoring.scores import Scores, score_predictions

TASK = Task.model_validate({"output": {"kind": "choice", "choices": ["yes", "no"]}})


def scores_of_70_answers() -> Scores:
    """60 right and 10 wrong answers of 30 + 2 tokens each, and 10 cases without an answer."""
    grader = make_grader(TASK, [])
    rows = [
        grade_output(str(at), "?", "yes" if at < 60 else "no", "yes", grader, truncated=False, prompt_tokens=30, output_tokens=2)
        for at in range(70)
    ]
    rows += [unanswered_prediction(str(at), "?", "yes", "no reply within 60 s", "busy", 5) for at in range(70, 80)]
    return score_predictions("endpoint", rows, TASK.metrics, grader, 7.0)


def test_what_1000_requests_cost_follows_from_the_tokens_and_the_prices() -> None:
    decision = {"private_facts": False, "format_drift": True, "stable_task": True}
    prices = {"usd_per_million_input_tokens": 2, "usd_per_million_output_tokens": 10}
    scores = scores_of_70_answers()
    for given, usd in ((prices, 0.08), ({}, None), ({"usd_per_million_input_tokens": 2}, None)):
        case = Case.model_validate({"name": "x", "decision": decision, "endpoint": {"model": "m", **given}})
        assert EndpointArm.usd_per_1000_requests(case, scores) == usd
