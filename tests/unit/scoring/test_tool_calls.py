"""Calls of tools are scored by name and arguments, in any order of both, however the model's template writes them."""

from __future__ import annotations

import pytest

from tuneproof.engine.case.task import Metric, OutputFormat, OutputKind, Task
from tuneproof.engine.data.call_text import UnreadableCall, read_calls
from tuneproof.engine.scoring.grade import FailureClass
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.output_inference import infer_output
from tuneproof.engine.scoring.repair import make_repair

GRADER = make_grader(Task(output=OutputFormat(kind=OutputKind.TOOL_CALLS)), [])


def hermes(*calls: str) -> str:
    """Calls as Hermes writes them."""
    return "\n".join(f"<tool_call>\n{call}\n</tool_call>" for call in calls)


FIND = '{"name": "find", "arguments": {"id": 7, "city": "Oslo"}}'
BOOK = '{"name": "book", "arguments": {"seats": 2, "wishes": ["aisle", {"row": 1.0}]}}'
WANTED = hermes(FIND)


@pytest.mark.parametrize(
    "output",
    [
        WANTED,
        f"<think>\nOslo, then.\n</think>\n\n{WANTED}",
        f"I look it up.\n{WANTED}",
        '<tool_call>{"arguments": {"city": "Oslo", "id": 7.0}, "name": "find"}</tool_call>',
        '<tool_call>{"name": "find", "arguments": "{\\"id\\": 7, \\"city\\": \\"Oslo\\"}"}</tool_call>',
        FIND,
        f" [{FIND}]\n",
        '{"name": "find", "parameters": {"city": "Oslo", "id": 7}}',
        '<|python_tag|>{"name": "find", "parameters": {"city": "Oslo", "id": 7}}',
        '{"type": "function", "function": {"name": "find", "arguments": {"city": "Oslo", "id": 7}}}',
        f"[TOOL_CALLS][{FIND}]",
        '[TOOL_CALLS]find[ARGS]{"id": 7, "city": "Oslo"}',
        '<function=find>{"id": 7, "city": "Oslo"}</function>',
        "<tool_call>\n<function=find>\n<parameter=id>\n7\n</parameter>\n<parameter=city>\nOslo\n</parameter>\n</function>\n</tool_call>",
        "<tool_call>find\n<arg_key>id</arg_key>\n<arg_value>7</arg_value>\n<arg_key>city</arg_key>\n<arg_value>Oslo</arg_value>\n</tool_call>",
    ],
)
def test_the_same_call_is_right_however_it_is_written(output: str) -> None:
    grade = GRADER.grade(output, WANTED)
    assert (grade.format_valid, grade.correct, grade.scores) == (
        True,
        True,
        {Metric.TOOL_ACCURACY: 1.0, Metric.EXACT_MATCH: 1.0, Metric.FIELD_ACCURACY: 1.0},
    )


@pytest.mark.parametrize("output", [hermes(FIND, BOOK), hermes(BOOK, FIND), f"{BOOK}; {FIND}", f"[{BOOK}, {FIND}]"])
def test_several_calls_may_come_in_any_order(output: str) -> None:
    assert GRADER.grade(output, hermes(FIND, BOOK.replace("1.0", "1"))).correct


@pytest.mark.parametrize(
    ("output", "expected", "failure", "fields"),
    [
        (FIND.replace("7", "8"), WANTED, FailureClass.WRONG_VALUE, ("find.id",)),
        (FIND.replace("7", '"7"'), WANTED, FailureClass.WRONG_VALUE, ("find.id",)),
        (FIND.replace("7", "true"), FIND.replace("7", "1"), FailureClass.WRONG_VALUE, ("find.id",)),
        (FIND.replace(', "city": "Oslo"', ""), WANTED, FailureClass.WRONG_VALUE, ("find.city",)),
        (FIND.replace('"id"', '"day": 1, "id"'), WANTED, FailureClass.WRONG_VALUE, ("find.day",)),
        (FIND.replace("find", "search"), WANTED, FailureClass.WRONG_TOOL, ("find", "search")),
        (hermes(FIND, FIND), WANTED, FailureClass.WRONG_TOOL, ("find",)),
        (FIND, hermes(FIND, BOOK), FailureClass.WRONG_TOOL, ("book",)),
        (FIND, "It is in Oslo.", FailureClass.UNWANTED_CALL, ("find",)),
    ],
)
def test_a_wrong_call_says_what_is_wrong_with_it(output: str, expected: str, failure: FailureClass, fields: tuple[str, ...]) -> None:
    grade = GRADER.grade(output, expected)
    assert (grade.format_valid, grade.correct, grade.failure, grade.fields) == (True, False, failure, fields)


@pytest.mark.parametrize(
    ("output", "failure"),
    [
        ("", FailureClass.EMPTY),
        ("It is in Oslo.", FailureClass.NO_CALL),
        ("I'm sorry, I can't do that.", FailureClass.REFUSED),
        (f"Here you are:\n```json\n{FIND}\n```", FailureClass.EXTRA_TEXT),
        ("<tool_call>find(7)</tool_call>", FailureClass.NOT_PARSEABLE),
        ('<tool_call>{"name": "find"}</tool_call>', FailureClass.NOT_PARSEABLE),
        ('<tool_call>{"name": "find", "arguments": [7]}</tool_call>', FailureClass.NOT_PARSEABLE),
        ("<tool_call></tool_call>", FailureClass.NOT_PARSEABLE),
        ("[" * 100_000, FailureClass.NO_CALL),
        ("<tool_call>" + "[" * 100_000, FailureClass.NOT_PARSEABLE),
    ],
)
def test_an_answer_without_the_format_is_not_a_call(output: str, failure: FailureClass) -> None:
    grade = GRADER.grade(output, WANTED)
    assert (grade.format_valid, grade.correct, grade.failure) == (False, False, failure)


def test_an_answer_that_was_cut_off_is_not_right_even_if_its_first_call_is() -> None:
    assert GRADER.grade(WANTED, WANTED, truncated=True).failure is FailureClass.TRUNCATED


def test_where_no_call_is_expected_any_words_are_right() -> None:
    assert GRADER.grade("No tool fits that.", "There is no tool for that.").correct


def test_partly_right_calls_score_between_a_wrong_and_a_right_one() -> None:
    wanted = hermes(FIND, BOOK)
    outputs = ["Gladly.", FIND.replace("find", "get"), FIND, hermes(FIND, BOOK.replace("2", "3")), wanted]
    shares = [GRADER.grade(output, wanted).scores.get(Metric.FIELD_ACCURACY, 0.0) for output in outputs]
    assert shares == sorted(shares) and shares[2] == pytest.approx(3 / 6) and shares[3] == pytest.approx(5 / 6)
    tools = [GRADER.grade(output, wanted).scores.get(Metric.TOOL_ACCURACY, 0.0) for output in outputs]
    assert tools == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("text", ['{"name": "Ann", "age": 7}', "[1, 2]", "{}", '{"name": "Ann", "arguments": {}, "age": 7}', "find(7)", ""])
def test_json_that_is_no_call_is_words(text: str) -> None:
    assert read_calls(text).calls == ()


@pytest.mark.parametrize("text", ["<tool_call>", "[TOOL_CALLS]", "<|python_tag|>print(1)", "<tool_call>\n<arg_key>a</arg_key></tool_call>"])
def test_a_call_that_cannot_be_read_is_told_from_words(text: str) -> None:
    with pytest.raises(UnreadableCall):
        read_calls(text)
    assert GRADER.problem(text) is not None and GRADER.problem(WANTED) is None


def test_an_expected_call_that_cannot_be_read_is_never_met() -> None:
    broken = "<tool_call>\n{'name': 'find'}\n</tool_call>"
    assert GRADER.problem(broken) is not None
    assert not any(GRADER.grade(output, broken).correct for output in (broken, WANTED, "It is in Oslo."))


def test_outputs_that_call_tools_are_a_task_of_tool_calls() -> None:
    assert infer_output([WANTED, "It is in Oslo.", FIND, "Gladly."]).output.kind is OutputKind.TOOL_CALLS
    assert infer_output(['{"name": "Ann", "age": 7}'] * 20).output.kind is OutputKind.JSON


def test_a_call_in_a_code_fence_can_be_repaired() -> None:
    repair = make_repair(Task(output=OutputFormat(kind=OutputKind.TOOL_CALLS)), [WANTED], GRADER)
    repaired = repair(f"Sure:\n```json\n{FIND}\n```")
    assert repaired is not None and GRADER.grade(repaired, WANTED).correct and repair(WANTED) is None
