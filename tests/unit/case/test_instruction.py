"""An instruction that is missing or too short to say what to do is noticed before anything is measured."""

from __future__ import annotations

import pytest

from tuneproof.engine.case.instruction import InstructionFault, instruction_gap
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task


@pytest.mark.parametrize(
    ("instruction", "kind", "fault"),
    [
        (None, OutputKind.JSON, InstructionFault.MISSING),
        (" \n", OutputKind.TEXT, InstructionFault.MISSING),
        ("Triage.", OutputKind.JSON, InstructionFault.SHORT),
        ("Triage the ticket.", OutputKind.JSON, None),
        ("Answer the question.", OutputKind.TEXT, InstructionFault.SHORT),
        ("Answer the question about our policies.", OutputKind.TEXT, None),
        ("对工单进行分类", OutputKind.CHOICE, None),
    ],
)
def test_what_an_instruction_needs_depends_on_what_else_describes_the_output(
    instruction: str | None, kind: OutputKind, fault: InstructionFault | None
) -> None:
    gap = instruction_gap(Task(instruction=instruction, output=OutputFormat(kind=kind)), 40)
    assert (gap and gap.fault) == fault
    assert gap is None or "overstated" in gap.message


def test_rows_that_say_themselves_what_to_do_need_no_instruction() -> None:
    assert instruction_gap(Task(), 0) is None
