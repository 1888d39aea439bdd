"""The case with which runs and sessions are tested."""

from __future__ import annotations

from typing import Any

from tuneproof.engine.case.data import Data
from tuneproof.engine.case.schema import Case, DecisionAnswers, ModelChoice
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task

CASE = Case(
    name="tickets",
    decision=DecisionAnswers(private_facts=False, format_drift=True, stable_task=True),
    data=Data(examples="rows.jsonl"),
    task=Task(instruction="Answer.", output=OutputFormat(kind=OutputKind.CHOICE, choices=["no", "yes"])),
    model=ModelChoice(),
)


def changed(**sections: Any) -> Case:
    """The case with other sections."""
    return CASE.model_copy(update=sections)
