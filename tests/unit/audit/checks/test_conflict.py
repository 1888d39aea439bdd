"""Different answers to one request contradict each other, except where they are prose."""

from __future__ import annotations

import pytest

from tests.unit.audit.checks.leak_rows import row
from tuneproof.engine.audit.checks.conflict import conflicting_outputs
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Message
from tuneproof.engine.scoring.choice_grader import ChoiceGrader
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.text_grader import TextGrader

HISTORY = (Message("user", "hello"), Message("assistant", "hello, how can I help you?"))


def severity(outputs: list[str], grader: Grader | None = None, history: tuple[Message, ...] = ()) -> Severity | None:
    rows: list[Example] = [row(at, "a request", output, history=history) for at, output in enumerate(outputs)]
    found = next(conflicting_outputs(Table(Rows(rows), Rows(), [], grader)), None)
    return None if found is None else found.severity or Severity.BLOCK


PROSE = ["Of course, I will send it to you today.", "Sure, you will have it in your mail by noon."]


@pytest.mark.parametrize("grader", [None, TextGrader()])
@pytest.mark.parametrize("history", [(), HISTORY])
def test_different_replies_in_prose_are_no_contradiction(grader: Grader | None, history: tuple[Message, ...]) -> None:
    assert severity(PROSE, grader, history) is Severity.INFO
    assert severity(["我很乐意为您服务,请稍等一下", "好的,我马上为您处理这件事"], grader, history) is Severity.INFO


@pytest.mark.parametrize(
    "outputs",
    [
        ["42", "43"],
        ["Berlin", "Paris"],
        ["SELECT name FROM city WHERE id = 3", "SELECT id FROM city"],
        ['{"a": 1}', '{"a": 2}'],
    ],
)
def test_short_answers_and_structured_ones_contradict_each_other(outputs: list[str]) -> None:
    assert severity(outputs) is Severity.BLOCK and severity(outputs, TextGrader()) is Severity.BLOCK


def test_choices_contradict_each_other() -> None:
    assert severity(["yes", "no"], ChoiceGrader(["yes", "no"])) is Severity.BLOCK
