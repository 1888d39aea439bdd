"""Format and correctness are judged separately, and every wrong output has a failure class."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.case.task import METRICS, OutputKind, Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.scoring.grade import FailureClass, Grader
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.json_values import parse_json, same_json
from tuneproof.engine.scoring.predictions import Prediction, grade_output
from tuneproof.engine.scoring.scores import score_predictions

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "nights": {"type": "integer"}},
    "required": ["city", "nights"],
    "additionalProperties": False,
}


def grader(**output: Any) -> Grader:
    return make_grader(Task.model_validate({"output": output}), ["yes", "no "])


JSON = grader(kind="json", schema=SCHEMA)
WANTED = '{"city": "Oslo", "nights": 3}'


@pytest.mark.parametrize(
    ("output", "valid", "correct", "failure", "fields"),
    [
        (WANTED, True, True, None, ()),
        (' {"nights": 3.0,"city":"Oslo"}\n', True, True, None, ()),
        ('{"city": "Bergen", "nights": 3}', True, False, FailureClass.WRONG_VALUE, ("city",)),
        ('{"city": "Oslo", "nights": "3"}', False, False, FailureClass.WRONG_SHAPE, ("nights",)),
        ('{"city": "Oslo"}', False, False, FailureClass.WRONG_SHAPE, ("nights",)),
        ("[]", False, False, FailureClass.WRONG_SHAPE, ("$",)),
        ('{"city": "\\ud83d", "nights": 3}', False, False, FailureClass.EXTRA_TEXT, ()),
        (f"```json\n{WANTED}\n```", False, False, FailureClass.EXTRA_TEXT, ()),
        (f"Sure: {WANTED}", False, False, FailureClass.EXTRA_TEXT, ()),
        ("city: Oslo", False, False, FailureClass.NOT_PARSEABLE, ()),
        ("{'city': 'Oslo', 'nights': 3}", False, False, FailureClass.NOT_PARSEABLE, ()),
        ('{"city": "Oslo", "city": "Oslo", "nights": 3}', False, False, FailureClass.EXTRA_TEXT, ()),
        ("I'm sorry, I cannot help with that.", False, False, FailureClass.REFUSED, ()),
        ("  ", False, False, FailureClass.EMPTY, ()),
    ],
)
def test_json_outputs_are_judged_by_parsing_schema_and_values(
    output: str, valid: bool, correct: bool, failure: FailureClass | None, fields: tuple[str, ...]
) -> None:
    judged = JSON.grade(output, WANTED)
    assert (judged.format_valid, judged.correct, judged.failure, judged.fields) == (valid, correct, failure, fields)


def test_an_answer_that_was_cut_off_is_truncated_and_not_unparseable() -> None:
    assert JSON.grade('{"city": "Os', WANTED, truncated=True).failure is FailureClass.TRUNCATED


@pytest.mark.parametrize(
    ("output", "valid", "correct", "failure"),
    [
        ("yes", True, True, None),
        (" yes\n", True, True, None),
        ("no", True, False, FailureClass.WRONG_VALUE),
        ("The answer is yes.", False, False, FailureClass.EXTRA_TEXT),
        ("yesterday", False, False, FailureClass.NOT_PARSEABLE),
        ("", False, False, FailureClass.EMPTY),
    ],
)
def test_a_choice_is_exactly_one_label(output: str, valid: bool, correct: bool, failure: FailureClass | None) -> None:
    judged = grader(kind="choice").grade(output, "yes")
    assert (judged.format_valid, judged.correct, judged.failure) == (valid, correct, failure)


@pytest.mark.parametrize(
    ("output", "valid", "correct"),
    [("so\n#### 72", True, True), ("#### 7 then #### 72", True, True), ("#### 7", True, False), ("72", False, False)],
)
def test_the_answer_of_a_pattern_is_its_last_match(output: str, valid: bool, correct: bool) -> None:
    judged = grader(kind="pattern", pattern=r"#### (-?\d+)").grade(output, "48+24\n#### 72")
    assert (judged.format_valid, judged.correct) == (valid, correct)


@pytest.mark.parametrize(("output", "valid", "correct"), [("a b ", True, True), ("a", True, False), (" ", False, False)])
def test_a_text_is_compared_without_outer_white_space(output: str, valid: bool, correct: bool) -> None:
    judged = grader(kind="text").grade(output, "a b")
    assert (judged.format_valid, judged.correct) == (valid, correct)


def test_an_invalid_schema_is_a_user_error() -> None:
    with pytest.raises(CaseError, match="not a JSON Schema"):
        grader(kind="json", schema={"type": "strange"})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_json_values_are_equal_if_their_canonical_json_is(a: Any, b: Any) -> None:
    assert same_json(a, b) == (json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True))


@given(st.text(max_size=40))
def test_every_grader_accepts_any_text(text: str) -> None:
    for one, wanted in ((JSON, WANTED), (grader(kind="choice"), "yes"), (grader(kind="text"), "a")):
        judged = one.grade(text, wanted)
        assert judged.correct == (judged.failure is None)
        assert judged.format_valid or not judged.correct


@given(VALUES)
def test_json_parses_to_the_value_it_was_written_from(value: Any) -> None:
    assert same_json(parse_json(json.dumps(value)), value)


@pytest.mark.parametrize(
    "text", ['{"a": 1} x', "NaN", '{"a": 1, "a": 1}', "[" * 100_000, "", '{"a": "\\ud83d"}', "1e400", "[" * 200 + "]" * 200]
)
def test_anything_but_one_json_document_is_rejected(text: str) -> None:
    with pytest.raises(ValueError):
        parse_json(text)


def line(output: str, wanted: str) -> Prediction:
    return grade_output("id", "prompt", output, wanted, JSON, truncated=False, prompt_tokens=10, output_tokens=5)


def test_scores_count_rates_fields_and_failures() -> None:
    outputs = [WANTED, '{"city": "Bergen", "nights": 3}', '{"city": "Bergen", "nights": 4}', "no"]
    scores = score_predictions("zero_shot", [line(o, WANTED) for o in outputs], METRICS[OutputKind.JSON], JSON, 2.0)
    assert (scores.correct.rate, scores.format_valid.rate) == (0.25, 0.75)
    assert scores.metrics == {"exact_match": 0.25, "field_accuracy": pytest.approx((1 + 0.5) / 4)}
    assert scores.failures == {"wrong value": 2, "not parseable": 1}
    assert scores.wrong_fields == {"city": 2, "nights": 1}
    assert (scores.tokens_per_case, scores.seconds_per_case) == (15, 0.5)


@pytest.mark.parametrize("output", ['{"a": 1}', "not JSON", ""])
def test_an_expected_answer_that_is_no_json_is_met_by_no_answer_and_stops_nothing(output: str) -> None:
    grade = grader(kind="json").grade(output, "not JSON")
    assert not grade.correct and grade.failure is not None
