"""An answer is right if its users would call it right: number formats, Unicode, order, reasoning and what follows the answer."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest

from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.scoring.grade import Grade
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.repair import make_repair

GSM = {"output": {"kind": "pattern", "pattern": "#### (.+)"}}
LABELS = ["billing", "shipping", "returns"]
CHOICE = {"output": {"kind": "choice", "choices": LABELS}}
TEXT = {"output": {"kind": "text"}}
JSON = {"output": {"kind": "json"}}

SUM = "He pays 2007 in all.\n#### 2007"
SENTENCE = "The café at gate 0 can\u2019t refund \u201ckettle\u201d before day 3."
RECORD = {"tags": ["late", "broken", "gate-0"], "price": 1, "note": "café 0"}
EXPECTED = json.dumps(RECORD)


def graded(task: dict[str, Any], answer: str, expected: str) -> Grade:
    return make_grader(Task.model_validate(task), LABELS).grade(answer, expected)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(SUM, id="same"),
        pytest.param("So it is\n#### 2,007", id="comma"),
        pytest.param("So\n#### $2007", id="dollar"),
        pytest.param("So\n#### 2007.00", id="decimals"),
        pytest.param("So\n#### 2007.", id="full stop"),
        pytest.param("So\n#### $2,007.00.", id="all of these"),
        pytest.param("So\n#### 2007\n\nQuestion: How many cats?\nAnswer: two\n#### 2", id="run-on"),
        pytest.param("So\n#### **2007**", id="bold"),
        pytest.param("<think>maybe\n#### 1\n</think>\n#### 2007", id="think"),
    ],
)
def test_a_number_after_its_mark_is_right_however_it_is_written(answer: str) -> None:
    assert graded(GSM, answer, SUM).correct
    assert not graded(GSM, answer.replace("2007", "2008").replace("2,007", "2,008"), SUM).correct


NORMALISED = {**TEXT, "compare": "normalised"}


@pytest.mark.parametrize(
    ("answer", "by_default", "normalised"),
    [
        pytest.param(SENTENCE, True, True, id="same"),
        pytest.param(unicodedata.normalize("NFD", SENTENCE), True, True, id="nfd"),
        pytest.param(f"<think>\nLet me see.\n</think>\n\n{SENTENCE}", True, True, id="think"),
        pytest.param(SENTENCE.replace("\u2019", "'").replace("\u201c", '"').replace("\u201d", '"'), False, True, id="straight quotes"),
        pytest.param(SENTENCE.replace(" at", "  at"), False, True, id="two spaces"),
        pytest.param(SENTENCE.replace(" at", "\u00a0at"), False, True, id="nbsp"),
        pytest.param(SENTENCE[:-1], False, False, id="no full stop"),
        pytest.param(SENTENCE.replace("The", "the"), False, False, id="case"),
        pytest.param(SENTENCE.replace("day 3", "day 4"), False, False, id="another day"),
    ],
)
def test_a_text_is_right_in_any_unicode_form_and_normalised_in_any_spacing_and_quotes(
    answer: str, by_default: bool, normalised: bool
) -> None:
    assert (graded(TEXT, answer, SENTENCE).correct, graded(NORMALISED, answer, SENTENCE).correct) == (by_default, normalised)


def test_case_and_the_full_stop_of_a_text_count_unless_the_task_says_so() -> None:
    loose = {**TEXT, "compare": {"case": "ignore", "end_punctuation": "ignore"}}
    assert graded(loose, SENTENCE.lower()[:-1], SENTENCE).correct


@pytest.mark.parametrize(
    ("answer", "strict", "ignoring_case", "repaired"),
    [
        pytest.param("billing", True, True, True, id="same"),
        pytest.param("<think>not sure</think>\nbilling", True, True, True, id="think"),
        pytest.param("Billing", False, True, True, id="capital"),
        pytest.param("billing.", False, False, True, id="full stop"),
        pytest.param('"billing"', False, False, True, id="quoted"),
        pytest.param("**billing**", False, False, True, id="bold"),
        pytest.param("Label: billing", False, False, True, id="prefix"),
        pytest.param("returns", False, False, False, id="another label"),
    ],
)
def test_the_format_of_a_label_is_strict_and_what_is_in_it_is_seen_after_repair(
    answer: str, strict: bool, ignoring_case: bool, repaired: bool
) -> None:
    assert graded(CHOICE, answer, "billing").correct == strict
    assert graded({**CHOICE, "compare": {"case": "ignore"}}, answer, "billing").correct == ignoring_case
    task = Task.model_validate(CHOICE)
    grader = make_grader(task, LABELS)
    mended = make_repair(task, LABELS, grader)(answer)
    assert grader.grade(answer if mended is None else mended, "billing").correct == repaired


FIELDS = {**JSON, "compare": {"fields": {"tags": "set", "price": "number", "extra": "ignore"}}}


@pytest.mark.parametrize(
    ("answer", "by_default", "by_fields", "repaired"),
    [
        pytest.param(EXPECTED, True, True, True, id="same"),
        pytest.param(json.dumps(dict(reversed(RECORD.items()))), True, True, True, id="key order"),
        pytest.param(json.dumps({**RECORD, "price": 1.0}), True, True, True, id="1.0"),
        pytest.param(json.dumps({**RECORD, "note": unicodedata.normalize("NFD", "café 0")}), True, True, True, id="nfd value"),
        pytest.param(f"<think>ok</think>{EXPECTED}", True, True, True, id="think"),
        pytest.param(json.dumps({**RECORD, "tags": RECORD["tags"][::-1]}), False, True, True, id="list order"),  # type: ignore[index]
        pytest.param(json.dumps({**RECORD, "price": "1"}), False, True, True, id="number as text"),
        pytest.param(json.dumps({**RECORD, "extra": None}), False, True, True, id="null key"),
        pytest.param(f"```json\n{EXPECTED}\n```", False, False, True, id="fence"),
        pytest.param(f"{EXPECTED}\n\nI hope this helps!", False, False, True, id="trailing text"),
        pytest.param(json.dumps({**RECORD, "price": 2}), False, False, False, id="another price"),
        pytest.param(json.dumps({**RECORD, "tags": ["late", "gate-0"]}), False, False, False, id="a tag is missing"),
    ],
)
def test_json_is_right_by_its_values_and_each_field_by_its_rule(answer: str, by_default: bool, by_fields: bool, repaired: bool) -> None:
    assert (graded(JSON, answer, EXPECTED).correct, graded(FIELDS, answer, EXPECTED).correct) == (by_default, by_fields)
    task = Task.model_validate(FIELDS)
    grader = make_grader(task, [EXPECTED])
    mended = make_repair(task, [EXPECTED], grader)(answer)
    assert grader.grade(answer if mended is None else mended, EXPECTED).correct == repaired


def test_only_fields_that_are_compared_are_wrong_or_count_for_field_accuracy() -> None:
    grade = graded(FIELDS, json.dumps({**RECORD, "price": "2", "extra": 5}), EXPECTED)
    assert grade.fields == ("price",)
    assert grade.scores == {Metric.FIELD_ACCURACY: pytest.approx(2 / 3)}
