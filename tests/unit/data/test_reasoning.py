"""Reasoning is set aside whole, in however many blocks it comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.data.reasoning import answer_of, split_reasoning


@pytest.mark.parametrize(
    ("output", "reasoning", "answer"),
    [
        ("yes", None, "yes"),
        ("<think>a</think>yes", "a", "yes"),
        ("<think>\na\n</think>\n\nyes", "a", "yes"),
        ("a</think>yes", "a", "yes"),
        ("</think>yes", "", "yes"),
        ("<think>a", "a", ""),
        ("<think>a<think>b</think>c</think>yes", "a<think>b</think>c", "yes"),
        ("<think>a</think>\n<think>b</think>yes", "a\n\nb", "yes"),
        ("<think>a <think> is a mark</think>yes", "a <think> is a mark", "yes"),
        ("<think>a</think>b</think>yes", "a\n\nb", "yes"),
        ("<think>a</think>yes<think>is it?", "a", "yes"),
        ('<think>a</think>{"x": 1}<think>done</think>', "a", '{"x": 1}'),
        ("<think>a</think>yes<think>b</think>yes", "a", "yes\nyes"),
        ("Write <think> and </think> around it", None, "Write <think> and </think> around it"),
    ],
)
def test_the_answer_is_what_is_not_reasoning(output: str, reasoning: str | None, answer: str) -> None:
    assert (split_reasoning(output).reasoning, answer_of(output)) == (reasoning, answer)


@given(st.lists(st.sampled_from(["<think>", "</think>", "a", "\n"]), max_size=12).map("".join))
def test_an_output_that_begins_with_reasoning_has_no_mark_left_in_its_answer(output: str) -> None:
    answer = answer_of(output)
    assert split_reasoning(output).reasoning is None or "think>" not in answer


def test_a_model_that_repeats_a_mark_for_ever_is_read_in_no_time() -> None:
    assert answer_of("<think></think>a" * 20_000).startswith("a\na") and answer_of("<think>" * 20_000) == ""
