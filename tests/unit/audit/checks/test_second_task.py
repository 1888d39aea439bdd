"""An output that goes on with a second task is found, and answers that were asked for so are not."""

from __future__ import annotations

import pytest

from tests.unit.audit.checks.text_rows import clean, example, lines, notes

ANSWER = "It was built in 1902, by hand."


@pytest.mark.parametrize(
    "more",
    [
        "\n\n### Instruction:\nName a bird.\n\n### Response:\nThe wren.",
        "\n\nQuestion: And the other one?\nAnswer: In 1910.",
        "\nInput: Where is it?\nOutput: In the north.",
        "\n\nQ: Why?\nA: Nobody knows.",
        "\n\n**Question 2:** Why?\n**Answer:** Nobody knows.",
    ],
)
def test_a_second_task_after_the_answer_is_found(more: str) -> None:
    assert len(notes("second-task", "When was the mill built?", ANSWER + more)) == 1


@pytest.mark.parametrize(
    ("prompt", "output"),
    [
        ("Write two quiz questions.", "Easy ones:\nQuestion: Who?\nAnswer: Ann.\nQuestion: Where?\nAnswer: Here."),
        ("Solve it.", "Given: 3.\nProblem: add 4.\nSolution: 7."),
        ("When was it built?", "Answer: in 1902\nNote: by hand."),
        ("What is it?", "Text: a mill."),
        ("Tell me of it.", "It is old.\nQ: is a letter."),
    ],
)
def test_what_was_asked_for_is_no_second_task(prompt: str, output: str) -> None:
    assert notes("second-task", prompt, output) == []


def test_answers_that_all_go_on_like_this_have_that_form() -> None:
    glued = [example(line, f"mill {line}?", f"{ANSWER}\nQuestion: why {line}?\nAnswer: so.") for line in range(1, 31)]
    assert lines("second-task", glued) == []
    assert lines("second-task", [glued[0], *map(clean, range(2, 40))]) == [1]
