"""Prompt variants are compared on the metric of the case."""

from __future__ import annotations

from typing import Any

from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.task import Metric, OutputFormat, OutputKind, Task
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.measure import Measure
from tuneproof.engine.scoring.predictions import grade_output
from tuneproof.engine.scoring.variant_selection import VariantPrediction, best_variant, score_variants


def answers(measure: Measure, variants: dict[str, list[str]], expected: list[str]) -> list[VariantPrediction]:
    return [
        VariantPrediction(variant=name, **_graded(str(at), output, expected[at], measure))
        for name, outputs in variants.items()
        for at, output in enumerate(outputs)
    ]


def _graded(case: str, output: str, expected: str, measure: Measure) -> dict[str, Any]:
    return grade_output(case, "", output, expected, measure.grader, truncated=False, prompt_tokens=1, output_tokens=1).model_dump()


def test_the_metric_of_the_case_chooses_the_variant() -> None:
    task = Task(output=OutputFormat(kind=OutputKind.JSON), metric=Metric.FIELD_ACCURACY)
    measure = Measure(task, None, make_grader(task, []))
    right = '{"a": 1, "b": 2, "c": 3}'
    variants = {"all or nothing": [right, "{}", "{}", "{}"], "most fields": ['{"a": 1, "b": 2, "c": 0}'] * 4}
    scores = score_variants(answers(measure, variants, [right] * 4), measure)
    assert [each.score for each in scores] == [0.25, 0.666667] and best_variant(scores) == "most fields"
    labels = Task(output=OutputFormat(kind=OutputKind.CHOICE, choices=["x", "y"]))
    measure = Measure(labels, Target(metric=Metric.MACRO_F1), make_grader(labels, []))
    variants = {"always x": ["x"] * 10, "both": ["x"] * 6 + ["y"] * 2 + ["x", "y"]}
    scores = score_variants(answers(measure, variants, ["x"] * 8 + ["y"] * 2), measure)
    assert scores[0].correct > scores[1].correct and best_variant(scores) == "both"


def test_where_the_metric_counts_correct_answers_nothing_else_is_stored() -> None:
    task = Task(output=OutputFormat(kind=OutputKind.CHOICE, choices=["x", "y"]))
    measure = Measure(task, None, make_grader(task, []))
    (score,) = score_variants(answers(measure, {"one": ["x", "y"]}, ["x", "x"]), measure)
    assert score.model_dump() == {"variant": "one", "cases": 2, "correct": 1, "format_valid": 2}
