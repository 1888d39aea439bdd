"""Rows whose prompt contains the answer are found, and answers that are there by chance are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.checks.leak_rows import row, rows_of, table
from tuneproof.engine.audit.checks.answer_in_prompt import answers_in_prompts
from tuneproof.engine.data.example import Example, Message

CLEAN = [row(i, f"What is the capital of country {i}, and what is it known for?", f"Its capital is called City {i}.") for i in range(1, 40)]


@given(st.integers(0, 8), st.integers(0, 8))
def test_rows_with_the_whole_answer_in_the_prompt_are_found(train_count: int, eval_count: int) -> None:
    planted = [
        row(100 + i, f"Hint: the ANSWER says {i} apples, red ones on trees! How many?", f"Says {i} apples, red ones on trees")
        for i in range(train_count)
    ]
    eval_rows = [row(i, f"What is it times {i}?\nAnswer: {i}.", str(i), "eval.jsonl") for i in range(1, eval_count + 1)]
    found = list(answers_in_prompts(table([*CLEAN, *planted], eval_rows)))
    assert [(r.at.file, r.at.line) for r in rows_of(found)] == [(e.source.file, e.source.line) for e in [*planted, *eval_rows]]


def test_taking_the_answer_from_the_prompt_may_be_the_task() -> None:
    street = "12 Long Street, third floor, at the back, house"
    rows = [row(i, f"The parcel goes to {street} {i}. Where to?", f"{street} {i}") for i in range(1, 30)]
    assert list(answers_in_prompts(table(rows, []))) == []


@pytest.mark.parametrize(
    "harmless",
    [
        row(101, "Tom had 72 apples and ate none. How many?", "He ate none.\n#### 72"),
        row(101, "He has 3. He buys 9. Sum?", "12"),
        row(101, "Q: is it red? Answer: yes\nQ: is it green? Answer: no\nQ: is it blue?", "yes"),
        row(101, "the answer is yes", "yes"),
        row(101, "show my transactions", "transactions"),
        row(101, "play the long way home by norah", "the long way home"),
        row(101, "Answer: yes", "yes"),
        row(101, "Correct: I have been there.", "Correct: I have been there."),
        row(101, "the encyclopedia entries", "cyclopedia entries"),
        row(101, "Tell me again.", "It opens at nine.", history=(Message("user", "When?"), Message("assistant", "It opens at nine."))),
        row(101, "What is x?", "I do not know", instruction="Say I do not know where you are not sure."),
    ],
)
def test_an_answer_in_the_prompt_by_chance_is_no_leak(harmless: Example) -> None:
    also = row(102, "And y?", "something else", instruction=harmless.instruction)
    assert list(answers_in_prompts(table([*CLEAN, harmless, also], []))) == []


def test_a_marked_final_answer_that_the_prompt_names_is_a_leak() -> None:
    given_away = row(101, "He has 3 and buys 9. How many?\nThe correct answer is 12.", "3 + 9 = 12\n#### 12")
    (found,) = rows_of(list(answers_in_prompts(table([*CLEAN, given_away], []))))
    assert (found.at.line, found.note) == (101, "the prompt says: correct answer is 12.")
