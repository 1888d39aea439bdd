"""`task.compare`: each part of an answer by its own rule, and a worse answer never scores better."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tuneproof.engine.case.compare import Compare
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.scoring.comparison.comparison import MISSING, Comparison
from tuneproof.engine.scoring.comparison.words import comparison_in_words
from tuneproof.engine.scoring.graders import make_grader


def by(compare: Any) -> Comparison:
    return Comparison(Compare.model_validate(compare))


@pytest.mark.parametrize(
    ("rule", "answer", "expected", "same"),
    [
        ("exact", 1, 1.0, True),
        ("exact", "1", 1, False),
        ("exact", "cafe\u0301", "caf\u00e9", False),
        ("auto", "cafe\u0301", "caf\u00e9", True),
        ("auto", " a\r\nb ", "a\nb", True),
        ("auto", "a  b", "a b", False),
        ("normalised", "a\u00a0 b\u2019s \u201cc\u201d \u2013 d\u2026", 'a b\'s "c" - d...', True),
        ("normalised", "A", "a", False),
        ({"case": "ignore"}, "STRASSE", "stra\u00dfe", True),
        ({"end_punctuation": "ignore"}, "yes.", "yes", True),
        ("number", "1,234.50", 1234.5, True),
        ("number", "$5", "5 USD", True),
        ("number", True, 1, False),
        ("number", None, None, True),
        ("number", "none", "None", False),
        ("number", "none", 0, False),
        ("date", "5 January 2026", "2026-01-05", True),
        ("date", 20260105, "2026-01-05", True),
        ("date", "soon", "soon", True),
        ("set", ["b", "a", "a"], ["a", "b"], True),
        ("set", ["a"], ["a", "b"], False),
        ("set", ["a", "b", "c"], ["a", "b"], False),
        ("set", "b; a", "a, b", True),
        ("set", ["b", "a"], "a, b", True),
        ("unordered", ["b", "a", "a"], ["a", "b", "a"], True),
        ("unordered", ["b", "a", "a"], ["a", "b", "b"], False),
        ({"unordered": {"items": {"number": {"tolerance": 1}}}}, [2, 1], [1, 0], True),
        ({"unordered": {"items": {"number": {"tolerance": 1}}}}, [2, 3], [1, 0], False),
        ({"set": {"items": {"case": "ignore"}, "separator": "|"}}, "B|a, c", "A, C|b", True),
        ("set", [{"x": 1}, {"x": 2}], [{"x": 2}, {"x": 1.0}], True),
        ("ignore", 1, MISSING, True),
        ({"prose": {"metric": "token_f1", "pass_score": 0.6}}, "the cat sat down", "a cat sat", True),
        ({"prose": {"metric": "token_f1", "pass_score": 0.9}}, "the cat sat down", "a cat sat", False),
        ("prose", "", "a cat sat", False),
    ],
)
def test_a_value_is_compared_by_its_rule(rule: Any, answer: Any, expected: Any, same: bool) -> None:
    assert by({"default": "exact", "fields": {"x": rule}}).same_value(answer, expected, ("x",)) == same


NESTED = {"order": {"price": "$5", "lines": [{"on": "2026-01-05", "id": 1}, {"on": "6 Jan 2026", "id": 2}]}, "note": "a", "a.b": "X"}
RULES = {"order.price": "number", "order.lines[].on": "date", "order.lines.1.id": "ignore", "note": "ignore", "a.b": {"case": "ignore"}}


def test_a_path_leads_through_objects_and_lists() -> None:
    answer = {"order": {"price": 5, "lines": [{"on": "Jan 5, 2026", "id": 1}, {"on": "2026-01-06", "id": 9}]}, "a.b": "x"}
    assert by({"fields": RULES}).different_fields(answer, NESTED) == ()
    answer["order"]["lines"][0]["id"] = 2  # type: ignore[index]
    assert by({"fields": RULES}).different_fields(answer, NESTED) == ("order",)


def test_the_path_with_the_fewest_stars_holds() -> None:
    comparison = by({"fields": {"*": "number", "code": "exact"}})
    assert comparison.different_fields({"price": "5.0", "code": "5.0"}, {"price": "5", "code": "5"}) == ("code",)


def test_only_the_fields_that_have_a_rule_count_if_the_others_are_ignored() -> None:
    comparison = by({"default": "ignore", "fields": {"order.price": "number"}})
    assert comparison.different_fields({"order": {"price": "5", "lines": []}}, NESTED) == ()
    assert comparison.different_fields({"order": {"price": "6"}}, NESTED) == ("order",)
    assert comparison.different_fields({"order": {}}, NESTED) == ("order",)
    assert comparison.different_fields({}, NESTED) == ("order",)
    assert comparison.share_of_right_fields({"order": {"price": "6"}}, NESTED) == 0


def test_a_rule_holds_for_everything_inside_its_field() -> None:
    assert by({"fields": {"tags": {"case": "ignore"}}}).different_fields({"tags": [["A"], "B"]}, {"tags": [["a"], "b"]}) == ()


@pytest.mark.parametrize(
    ("task", "better", "worse", "expected"),
    [
        ({"output": {"kind": "text"}, "compare": "normalised"}, "a  b", "a  c", "a b"),
        ({"output": {"kind": "text"}, "compare": "set"}, "b, a", "b, c", "a, b"),
        ({"output": {"kind": "choice", "choices": ["a", "b"]}, "compare": {"case": "ignore"}}, "A", "B", "a"),
        ({"output": {"kind": "labels", "choices": ["a", "b"]}, "compare": {"case": "ignore"}}, '["B", "A"]', '["A"]', '["a", "b"]'),
        ({"output": {"kind": "pattern", "pattern": "= (.+)"}}, "= $2,007.00.", "= $2,008.00.", "= 2007"),
        ({"output": {"kind": "pattern", "pattern": "on (.+)"}, "compare": "date"}, "on 5 Jan 2026", "on 6 Jan 2026", "on 2026-01-05"),
        ({"output": {"kind": "json"}, "compare": {"fields": {"p": "number"}}}, '{"p": "5.0"}', '{"p": "5.1"}', '{"p": 5}'),
        (
            {"output": {"kind": "tool_calls"}, "compare": {"fields": {"book.day": "date", "*.note": "ignore"}}},
            '<tool_call>{"name": "book", "arguments": {"day": "5 Jan 2026", "note": "x"}}</tool_call>',
            '<tool_call>{"name": "book", "arguments": {"day": "6 Jan 2026"}}</tool_call>',
            '<tool_call>{"name": "book", "arguments": {"day": "2026-01-05"}}</tool_call>',
        ),
    ],
)
def test_a_worse_answer_scores_worse_in_every_kind(task: dict[str, Any], better: str, worse: str, expected: str) -> None:
    read = Task.model_validate(task)
    grader = make_grader(read, [expected])
    good, bad = grader.grade(better, expected), grader.grade(worse, expected)
    assert (good.correct, good.format_valid, bad.correct) == (True, True, False)
    assert good.scores[Metric.EXACT_MATCH if read.output.kind != "pattern" else Metric.PATTERN_MATCH] == 1
    assert all(bad.scores.get(metric, 0) < score for metric, score in good.scores.items() if metric is not Metric.TOOL_ACCURACY)


def test_labels_that_differ_only_in_what_is_ignored_are_one_label() -> None:
    task = Task.model_validate({"output": {"kind": "choice"}, "compare": {"case": "ignore"}})
    grade = make_grader(task, ["Billing", "billing", "returns"]).grade("BILLING", "billing")
    assert grade.correct and grade.labels is not None and grade.labels.expected == grade.labels.answered == ("Billing",)


@pytest.mark.parametrize(
    ("compare", "words"),
    [
        ({}, "Each value is compared by value, texts in one Unicode form."),
        (
            {"default": "exact", "fields": {"price": {"number": {"tolerance": 0.01}}, "tags": "set", "note": "ignore"}},
            "Compared by rules of their own: price as a number within 0.01; tags as a set; note not at all. "
            "Each value is otherwise compared by value, texts character by character.",
        ),
    ],
)
def test_the_card_says_what_rule_compared_each_field(compare: dict[str, Any], words: str) -> None:
    assert comparison_in_words(Task.model_validate({"output": {"kind": "json"}, "compare": compare})) == words


def test_a_comparison_that_nobody_chose_leaves_the_digest_of_a_task_as_it_was() -> None:
    plain, chosen = Task.model_validate({}), Task.model_validate({"compare": "number"})
    assert "compare" not in plain.as_recorded and plain.sha256 != chosen.sha256
    assert Task.model_validate(json.loads(chosen.model_dump_json(by_alias=True))).sha256 == chosen.sha256


@pytest.mark.parametrize(
    ("task", "what"),
    [
        ({"compare": "ignore"}, "every answer right"),
        ({"compare": {"fields": {"a": "set"}}}, "belongs to kinds json and tool_calls"),
        ({"compare": "numbr"}, "Input should be"),
        ({"compare": {"number": {}, "date": {}}}, "a rule is one of"),
        ({"output": {"kind": "json"}, "compare": {"fields": {"a..b": "set"}}}, "is no path"),
        ({"output": {"kind": "json"}, "compare": {"fields": {"a": {"prose": {"metric": "exact_match"}}}}}, "a field of prose"),
    ],
)
def test_a_comparison_that_says_nothing_sensible_is_refused(task: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Task.model_validate(task)


CASE = """
decision: {private_facts: false, format_drift: true, stable_task: true, labeled_examples: 120}
task:
  instruction: Add.
  compare: {number: {tolerence: 1}}
"""


def test_a_misspelt_setting_is_named_with_its_line_and_the_right_one(tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(CASE)
    with pytest.raises(CaseError, match=r"task\.compare.*tolerence") as caught:
        load_case(file)
    assert "tolerance" in caught.value.fix and "case.yaml:5" in caught.value.where
    assert load_case(file, ["task.compare=number"]).task == Task.model_validate({"instruction": "Add.", "compare": "number"})
