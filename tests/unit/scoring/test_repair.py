"""A tolerant parser finds the answer that a model wrapped, misspelled or left open, and touches nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tuneproof.engine.case.task import Task
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.repair import make_repair

TRIAGE = {
    "kind": "json",
    "schema": {
        "type": "object",
        "properties": {"category": {"enum": ["billing", "order status"]}, "urgent": {"type": "boolean"}},
        "required": ["category", "urgent"],
        "additionalProperties": False,
    },
}
RIGHT = '{"category": "billing", "urgent": true}'
LABELS = ["billing", "account", "account closed", "order_status"]


def repaired(output: dict[str, Any], outputs: list[str], answer: str) -> str | None:
    task = Task.model_validate({"instruction": "Triage.", "output": output})
    return make_repair(task, outputs, make_grader(task, outputs))(answer)


@pytest.mark.parametrize(
    "answer",
    [
        f"```json\n{RIGHT}\n```",
        f"Sure! Here is the JSON for {{input}} [1]:\n\n{RIGHT}\n\nLet me know if you need more.",
        f"{RIGHT}\n{{}}",
        '{"category": "billing", "urgent": true,}',
        "{'category': 'billing', 'urgent': True}",
        '{category: "billing", urgent: true}',
        '{"category": "billing", "urgent": true',
        '{"Category": " Billing", "Urgent": true}',
        f'<think>perhaps {{"category": "account"}}</think>\n```\n{RIGHT}\n```',
    ],
)
def test_the_document_is_found_and_mended(answer: str) -> None:
    found = repaired(TRIAGE, [RIGHT], answer)
    assert found is not None and json.loads(found) == json.loads(RIGHT)


@pytest.mark.parametrize("answer", ["", "I cannot help with that.", "see [1]", "{}", "[[[[" * 200, RIGHT, f"  {RIGHT}\n"])
def test_an_answer_without_a_document_or_of_the_right_format_stays_as_it_is(answer: str) -> None:
    assert repaired(TRIAGE, [RIGHT], answer) is None


def test_no_value_is_invented_or_changed_but_for_the_spelling_of_the_schema() -> None:
    found = repaired(TRIAGE, [RIGHT], '```\n{"category": "refund", "urgent": "maybe"}\n```')
    assert found is not None and json.loads(found) == {"category": "refund", "urgent": "maybe"}


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("The category is **Billing**.", "billing"),
        ("account closed", None),
        ("It is about an account closed by mistake.", "account closed"),
        ("Order status", "order_status"),
        ('{"label": "account"}', "account"),
        ("billing or account", None),
        ("rebilling", None),
        ("", None),
    ],
)
def test_a_label_is_found_in_a_sentence_that_names_exactly_one(answer: str, label: str | None) -> None:
    assert repaired({"kind": "choice", "choices": LABELS}, LABELS, answer) == label


def test_labels_of_one_letter_are_not_found_in_words() -> None:
    choices = {"kind": "choice", "choices": ["A", "B"]}
    assert repaired(choices, ["A"], "This is a clear case of B.") == "B"
    assert repaired(choices, ["A"], "a clear case") is None


def test_free_text_and_patterns_are_not_repaired() -> None:
    assert repaired({"kind": "text"}, ["x"], "```\nx\n```") is None
    assert repaired({"kind": "pattern", "pattern": r"(\d+)"}, ["1"], "none") is None
