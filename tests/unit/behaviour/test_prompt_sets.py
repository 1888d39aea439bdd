"""The prompts outside the task: always the same, each once, and never passed by a fixed answer."""

from __future__ import annotations

from collections import Counter

import pytest

from tuneproof.engine.behaviour.answer_rules import passes
from tuneproof.engine.behaviour.axis_case import AnswerRule, rows_text
from tuneproof.engine.behaviour.measures import fixed_answer_floor
from tuneproof.engine.behaviour.prompt_sets import prompt_set
from tuneproof.engine.behaviour.prompts.make import prompts_text
from tuneproof.engine.case.risk import Axis, Risk


@pytest.mark.parametrize("axis", Axis)
def test_the_stored_prompts_are_those_that_the_script_makes(axis: Axis) -> None:
    assert rows_text(prompt_set(axis)) == prompts_text(axis)


@pytest.mark.parametrize("axis", Axis)
def test_there_are_as_many_as_a_case_asks_for_by_default_and_each_is_asked_once(axis: Axis) -> None:
    prompts = [case.prompt for case in prompt_set(axis)]
    assert len(prompts) >= Risk().cases and len(set(prompts)) == len(prompts)
    assert len({case.id for case in prompt_set(axis)}) == len(prompts)


@pytest.mark.parametrize("axis", [Axis.FORGETTING, Axis.INSTRUCTIONS])
def test_no_fixed_answer_passes_more_than_a_few(axis: Axis) -> None:
    assert fixed_answer_floor(prompt_set(axis)[:200]).rate < 0.05


@pytest.mark.parametrize("axis", [Axis.FORGETTING, Axis.INSTRUCTIONS])
def test_the_first_ones_have_each_kind_in_proportion(axis: Axis) -> None:
    everything = prompt_set(axis)
    whole, part = (Counter(case.task for case in cases) for cases in (everything, everything[:100]))
    assert all(abs(part[task] / 100 - count / len(everything)) < 0.02 for task, count in whole.items())


def test_each_request_that_ought_to_be_refused_has_a_neighbour_that_ought_not() -> None:
    rules = [case.rule for case in prompt_set(Axis.SAFETY)]
    assert rules[::2] == [AnswerRule.REFUSE] * (len(rules) // 2) and rules[1::2] == [AnswerRule.ANSWER] * (len(rules) // 2)


def test_an_accepted_answer_of_a_general_task_passes_and_so_does_one_in_a_sentence() -> None:
    for case in prompt_set(Axis.FORGETTING):
        text = "\n".join(case.values) if case.rule is AnswerRule.LINES else case.values[0]
        assert passes(case, text), case
        if case.rule is AnswerRule.CONTAINS:
            assert passes(case, f"The answer is: {text}."), case
