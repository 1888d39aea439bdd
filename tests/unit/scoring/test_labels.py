"""Several labels: read in each style, graded as a set, scored by F1 over all of them, with a table of each label."""

from __future__ import annotations

from typing import Any

import pytest
from llguidance import LLMatcher
from pydantic import ValidationError

from tuneproof.engine.arms.grammar import check_grammar, grammar_of
from tuneproof.engine.case.list_style import ListStyle
from tuneproof.engine.case.task import Metric, OutputFormat, OutputKind, Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.scoring.grade import FailureClass, Grader
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.label_lists import read_labels, style_of
from tuneproof.engine.scoring.metric_sums import metric_sums
from tuneproof.engine.scoring.output_inference import infer_output
from tuneproof.engine.scoring.predictions import Prediction, grade_output
from tuneproof.engine.scoring.repair import make_repair
from tuneproof.engine.scoring.scores import score_predictions

CHOICES = ["billing", "refund", "late delivery", "damage"]


def task(**output: Any) -> Task:
    return Task.model_validate({"output": {"kind": "labels", "choices": CHOICES, "list_style": "commas", **output}})


COMMAS = make_grader(task(), [])


def graded(rows: list[tuple[str, str]], grader: Grader = COMMAS) -> list[Prediction]:
    return [
        grade_output(str(n), "", output, expected, grader, truncated=False, prompt_tokens=1, output_tokens=1)
        for n, (output, expected) in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("text", "style", "labels"),
    [
        ('["a", "b"]', ListStyle.JSON, ("a", "b")),
        ("[]", ListStyle.JSON, ()),
        ("a, b", ListStyle.JSON, None),
        ('["a", 1]', ListStyle.JSON, None),
        (" a,b , c\n", ListStyle.COMMAS, ("a", "b", "c")),
        ("a, a", ListStyle.COMMAS, ("a",)),
        ("a,, b", ListStyle.COMMAS, None),
        ("", ListStyle.COMMAS, None),
        ("a; b, c", ListStyle.SEMICOLONS, ("a", "b, c")),
        ("a | b", ListStyle.BARS, ("a", "b")),
        ("a\nb", ListStyle.LINES, ("a", "b")),
    ],
)
def test_a_list_is_read_in_its_style(text: str, style: ListStyle, labels: tuple[str, ...] | None) -> None:
    assert read_labels(text, style) == labels


@pytest.mark.parametrize(
    ("texts", "style"),
    [
        (['["a"]', "[]"], ListStyle.JSON),
        (["a", "a, b", "c"], ListStyle.COMMAS),
        (["a; b", "c, d; e"], ListStyle.SEMICOLONS),
        (["a\nb", "a"], ListStyle.LINES),
        (["a", "b"], ListStyle.COMMAS),
        ([], ListStyle.COMMAS),
    ],
)
def test_the_style_is_that_of_train_where_the_case_names_none(texts: list[str], style: ListStyle) -> None:
    assert style_of(texts) is style


@pytest.mark.parametrize(
    ("output", "valid", "failure", "fields"),
    [
        ("refund, billing", True, None, ()),
        ("billing,refund,billing", True, None, ()),
        ("billing", True, FailureClass.MISSING_LABEL, ("refund",)),
        ("billing, refund, damage", True, FailureClass.EXTRA_LABEL, ("damage",)),
        ("billing, damage", True, FailureClass.WRONG_VALUE, ("refund", "damage")),
        ("billing, money", False, FailureClass.UNKNOWN_LABEL, ()),
        ("The labels are billing and refund, as the customer was charged twice.", False, FailureClass.EXTRA_TEXT, ()),
        ("I'm sorry, I cannot help with that request at all.", False, FailureClass.REFUSED, ()),
        ("", False, FailureClass.EMPTY, ()),
        ("<think>a, b</think>\nbilling, refund", True, None, ()),
    ],
)
def test_an_answer_is_right_if_it_names_the_same_set(
    output: str, valid: bool, failure: FailureClass | None, fields: tuple[str, ...]
) -> None:
    grade = COMMAS.grade(output, "billing, refund")
    assert (grade.format_valid, grade.correct, grade.failure, grade.fields) == (valid, failure is None, failure, fields)


def test_an_answer_that_was_cut_off_names_nothing() -> None:
    grade = COMMAS.grade("billing, refund", "billing, refund", truncated=True)
    assert grade.failure is FailureClass.TRUNCATED and grade.labels is not None and grade.labels.answered == ()


ROWS = [("billing", "billing, refund"), ("billing, damage", "damage"), ("nonsense of some length here", "refund"), ("refund", "refund")]


def test_micro_and_macro_f1_are_those_of_all_labels() -> None:
    values = {m: float(s.value(s.sums.sum(0))) for m in (Metric.MICRO_F1, Metric.MACRO_F1) for s in metric_sums(m, [graded(ROWS)], COMMAS)}
    # Right 3 (billing, damage, refund) of 5 expected and 4 answered. By label: billing 2/3, refund 2/4, damage 1.
    assert values[Metric.MICRO_F1] == pytest.approx(2 * 3 / (5 + 4))
    assert values[Metric.MACRO_F1] == pytest.approx((2 / 3 + 0.5 + 1) / 3)


@pytest.mark.parametrize("metric", [Metric.MICRO_F1, Metric.MACRO_F1, Metric.EXACT_MATCH])
def test_a_worse_model_scores_worse(metric: Metric) -> None:
    better = [("billing, refund", "billing, refund"), *ROWS[1:]]
    found = [float(s.value(s.sums.sum(0))) for s in metric_sums(metric, [graded(ROWS), graded(better)], COMMAS)]
    assert found[0] < found[1]


def test_each_label_has_its_precision_recall_f1_and_support() -> None:
    scores = score_predictions("arm", graded(ROWS), task().metrics, COMMAS, 1.0)
    assert list(scores.labels) == ["refund", "billing", "damage"]
    refund, billing = scores.labels["refund"], scores.labels["billing"]
    assert (refund.precision, refund.recall, refund.support, refund.answered) == (1.0, 0.333333, 3, 1)
    assert (billing.precision, billing.recall, billing.f1) == (0.5, 1.0, 0.666667)
    assert scores.metrics.keys() == {Metric.MICRO_F1, Metric.MACRO_F1, Metric.EXACT_MATCH}


@pytest.mark.parametrize(
    ("outputs", "style"),
    [
        (['["a"]', '["a", "b"]', '["b"]'] * 5, ListStyle.JSON),
        (["a", "a, b", "b"] * 5, ListStyle.COMMAS),
        (["late delivery", "late delivery; refund", "refund"] * 5, ListStyle.SEMICOLONS),
        (["a\nb", "a", "b\nc", "c"] * 5, ListStyle.LINES),
    ],
)
def test_lists_of_labels_are_drafted(outputs: list[str], style: ListStyle) -> None:
    found = infer_output(outputs).output
    assert (found.kind, found.list_style) == (OutputKind.LABELS, style)
    assert all(make_grader(Task(output=found), outputs).problem(text) is None for text in outputs)


@pytest.mark.parametrize(
    "outputs",
    [
        ["Paris, France", "Rome, Italy", "Nice, France"] * 10,
        ["yes", "no"] * 10,
        [f"Dear {n}, thank you" for n in range(30)],
        ['{"a": ["x"]}'] * 20,
        ["[1, 2]", "[2]"] * 10,
    ],
)
def test_other_outputs_are_not_drafted_as_lists(outputs: list[str]) -> None:
    assert infer_output(outputs).output.kind is not OutputKind.LABELS


@pytest.mark.parametrize(
    ("outputs", "valid", "invalid"),
    [
        (["billing, refund", "damage"], ["billing", "refund, damage"], ["money", "billing,refund", ""]),
        (['["billing"]', '["refund", "damage"]'], ['["refund"]', '["damage", "billing"]'], ['["money"]', "[]", "billing"]),
        (['["billing"]', "[]"], ["[]", '["late delivery"]'], ['{"a": 1}']),
        (["billing\nrefund"], ["damage\nbilling"], ["damage, billing"]),
        (["billing|refund"], ["damage|billing"], ["damage | billing"]),
    ],
)
def test_constrained_decoding_writes_nothing_but_lists_of_the_labels(outputs: list[str], valid: list[str], invalid: list[str]) -> None:
    output = OutputFormat(kind=OutputKind.LABELS, choices=CHOICES)
    grammar = grammar_of(output, outputs)
    assert not LLMatcher.validate_grammar_with_warnings(grammar.source)[0]
    grader = make_grader(Task(output=output), outputs)
    assert all(grader.problem(text) is None for text in valid)
    assert [_accepts(grammar.source, text) for text in [*valid, *invalid]] == [True] * len(valid) + [False] * len(invalid)


def _accepts(grammar: str, text: str) -> bool:
    from llguidance import LLTokenizer

    tokenizer = LLTokenizer("byte")
    matcher = LLMatcher(tokenizer, grammar)
    return matcher.consume_tokens(list(text.encode())) and matcher.is_accepting()


def test_a_grammar_can_be_checked_before_train_is_read() -> None:
    check_grammar(OutputFormat(kind=OutputKind.LABELS), "baselines")


@pytest.mark.parametrize(
    ("output", "repaired"),
    [
        ('```json\n["Billing", "late_delivery"]\n```', "billing, late delivery"),
        ("Labels: billing and refund.", "billing, refund"),
        ("- billing\n- damage", "billing, damage"),
        ("1. Billing\n2. REFUND", "billing, refund"),
        ("billing, refund", None),
        ("billing, money", None),
        ("not billing", None),
    ],
)
def test_a_tolerant_parser_reads_lists_in_other_styles(output: str, repaired: str | None) -> None:
    assert make_repair(task(), ["billing", "billing, refund"], COMMAS)(output) == repaired


def test_a_label_with_the_separator_in_it_is_refused_with_a_way_out() -> None:
    with pytest.raises(CaseError, match="separator") as caught:
        make_grader(task(choices=["food, drink", "home"]), [])
    assert "list_style" in caught.value.fix


def test_keys_of_other_kinds_are_refused() -> None:
    with pytest.raises(ValidationError, match="`list_style` belongs to kind labels"):
        OutputFormat.model_validate({"kind": "choice", "list_style": "json"})
    with pytest.raises(ValidationError, match="`choices` belongs to kind choice or labels"):
        OutputFormat.model_validate({"kind": "json", "choices": ["a"]})
