"""The task step says in words how answers are compared, and changes it without losing what was chosen elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.session.comparison_form import (
    ANY_CASE,
    OWN,
    RULE_CHOICES,
    chosen_rule,
    describe_comparison,
    rule_choices,
    with_rule,
)
from tuneproof.engine.session.task_form import task_of


def _draft(compare: Any) -> DraftCase:
    return DraftCase.model_validate({"name": "c", "task": {"output": {"kind": "json"}, "compare": compare}})


@pytest.mark.parametrize("choice", RULE_CHOICES)
def test_each_choice_is_saved_and_chosen_when_it_is_asked_for_again(choice: str) -> None:
    content = _draft({"fields": {"tags": "set"}})
    stored = with_rule(content, choice)["task"].model_dump(mode="json", by_alias=True)
    changed = DraftCase.model_validate({"name": "c", "task": stored})
    assert chosen_rule(changed) == choice
    assert list(task_of(changed).compare.fields) == ["tags"]


def test_a_rule_with_settings_stays_unless_another_is_chosen() -> None:
    content = _draft({"number": {"tolerance": 0.5}})
    assert chosen_rule(content) == OWN == rule_choices(content)[0][0] and with_rule(content, OWN) == {}
    assert describe_comparison(task_of(content)) == "Each value is compared as a number within 0.5."
    assert OWN not in dict(rule_choices(_draft("exact")))


def test_a_rule_that_ignores_case_is_a_choice_however_it_is_written() -> None:
    assert chosen_rule(_draft({"case": "ignore"})) == chosen_rule(_draft({"text": {"case": "ignore"}})) == ANY_CASE
