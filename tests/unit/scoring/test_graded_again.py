"""What `verify` compares: grading stored answers again gives the same lines and scores, and no others, in every metric of open answers."""

from __future__ import annotations

from typing import Any

import pytest

from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.predictions import grade_again, grade_output, read_predictions, to_jsonl
from tuneproof.engine.scoring.scores import Scores, score_predictions

TEXTS = [
    ("The parcel left on Monday.", "The parcel left on Tuesday."),
    ("Yes, it is.", "Yes."),
    ("Sorry, no idea at all about this", "No."),
]
LISTS = [("billing, refund", "billing"), ("refund", "refund"), ("damage", "billing")]
RULES = [{"max_words": 5}, {"not_contains": "sorry"}]


@pytest.mark.parametrize("metric", [Metric.CHRF, Metric.ROUGE_L, Metric.TOKEN_F1, Metric.CONTAINS, Metric.MICRO_F1, Metric.MACRO_F1])
def test_a_changed_judgement_is_not_what_grading_again_gives(metric: Metric) -> None:
    several = metric in (Metric.MICRO_F1, Metric.MACRO_F1)
    output = {"kind": "labels", "choices": ["billing", "refund", "damage"]} if several else {"kind": "text"}
    settings: dict[str, Any] = {"output": output, "metric": metric} | ({} if several else {"rules": RULES, "pass_score": 0.3})
    task = Task.model_validate(settings)
    grader, rows = make_grader(task, []), LISTS if several else TEXTS
    graded = [
        grade_output(str(n), "p", text, expected, grader, truncated=False, prompt_tokens=1, output_tokens=1)
        for n, (text, expected) in enumerate(rows)
    ]
    stored, scores = to_jsonl(graded), score_predictions("arm", graded, task.metrics, grader, 1.0)
    again = [grade_again(each, make_grader(task, []), each.expected) for each in read_predictions(stored)]
    assert to_jsonl(again) == stored
    assert score_predictions("arm", again, task.metrics, make_grader(task, []), 1.0) == scores
    for row in read_predictions(stored):
        forged = row.model_copy(update={"correct": not row.correct, "failure_class": None, "fields": []})
        assert grade_again(forged, grader, row.expected) == row != forged
    assert Scores.model_validate_json(scores.model_dump_json()) == scores
    assert 0 < scores.metrics[metric] < 1
