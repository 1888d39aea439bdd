"""An output that goes on to invent another question does not count by the answer that it gives to that."""

from __future__ import annotations

import pytest

from tuneproof.engine.case.task import Task
from tuneproof.engine.run.grading_rules import GradingRules
from tuneproof.engine.scoring.graders import make_grader

TASK = Task.model_validate({"output": {"kind": "pattern", "pattern": r"#### (.+)"}})
BARE = Task.model_validate({"output": {"kind": "pattern", "pattern": r"(\d+)"}})
WHOLE = Task.model_validate({"output": {"kind": "pattern", "pattern": r"(?s)#### (.+)"}})


def answer(output: str, task: Task = TASK) -> str:
    return make_grader(task, []).grade(output, "#### 1").answer


@pytest.mark.parametrize(
    "more",
    [
        "\n\nQuestion: How many cats?\nAnswer: two\n#### 2",
        "\nQ: How many cats?\nA: two\n#### 2",
        "\n\nProblem 2. Ann has two cats.\n#### 2",
        "\n\n### Question\nAnn has two cats.\n#### 2",
        "\n## Problem 2\nAnn has two cats.\n#### 2",
        "\n**Question 2:** Ann has two cats.\n#### 2",
        "\nUser: and cats?\nAssistant: two\n#### 2",
        "\nHuman: and cats?\n#### 2",
        "\n\nNext question: and cats?\n#### 2",
        "\n### Instruction:\nCount the cats.\n### Response:\n#### 2",
        "\nInput: cats\nOutput:\n#### 2",
        "<|im_end|>\n<|im_start|>user\ncats<|im_end|>\n#### 2",
        "</s>[INST] cats [/INST]\n#### 2",
        "<end_of_turn>\n<start_of_turn>user\ncats\n#### 2",
        "\n\u95ee\u9898\uff1a\u732b\n#### 2",
        "\n\nAnn has some cats. How many are there?\nThere are two.\n#### 2",
        "\n\nQuestion: cats?\n#### 2\n\nQuestion: dogs?\n#### 3",
    ],
)
def test_what_follows_another_request_does_not_count(more: str) -> None:
    assert answer(f"48 + 24\n#### 72{more}") == "72"


def test_a_pattern_that_takes_the_rest_of_the_text_takes_no_other_request() -> None:
    assert answer("#### 72\n\nQuestion: How many cats?\n#### 2", WHOLE) == "72"


@pytest.mark.parametrize(
    "output",
    [
        "#### 7\nWait, that is wrong.\n#### 72",
        "#### 7\n\nLet me add again: 48 + 24.\n#### 72",
        "Question: what is 48 + 24?\nAnswer: it is\n#### 72",
        "#### 72\n\nQuestion: no mark follows",
        "I question: is it 7?\n#### 7\nThe question is answered with\n#### 72",
    ],
)
def test_what_a_model_corrects_is_still_its_answer(output: str) -> None:
    assert answer(output) == "72"


def test_numbers_on_the_way_are_no_answers_of_a_pattern_without_a_mark() -> None:
    assert answer("She has 48.\n\nHow many remain? 24 and 48 are 72", BARE) == "72"


def test_a_run_on_does_not_win_by_its_last_line() -> None:
    grader = make_grader(TASK, [])
    run_on = "#### 7\n\nQuestion: what is 48 + 24?\n#### 72"
    assert not grader.grade(run_on, "#### 72").correct and grader.grade(run_on, "#### 7").correct


def test_a_run_that_began_by_the_first_rules_keeps_them() -> None:
    first = make_grader(TASK, [], GradingRules.FIRST)
    assert first.grade("#### 7\n\nQuestion: what is 48 + 24?\n#### 72", "#### 72").correct
    assert not first.grade("#### 72.00", "#### 72").correct
    assert not first.grade("<think>a</think><think>#### 7</think>", "#### 72").correct
    nested = "<think>a<think>b</think>c</think>d"
    text = Task.model_validate({})
    assert make_grader(text, []).grade(nested, "d").correct and not make_grader(text, [], GradingRules.FIRST).grade(nested, "d").correct
