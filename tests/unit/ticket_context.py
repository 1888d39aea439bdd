"""The rows of the sample case, and what an arm knows when it asks about them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.conftest import ROOT
from tuneproof.engine.arms import ArmContext
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.example import Message
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.scoring.graders import make_grader

ROWS = read_examples(str(ROOT / "sample_cases" / "support_tickets.jsonl")).examples
TASK = Task.model_validate({"instruction": "Triage the ticket.", "output": {"kind": "json", "schema": {"properties": {"category": {}}}}})


def ticket_context(base: BaseCheckpoint, max_new_tokens: int = 60) -> ArmContext:
    """The context of an arm on the sample case, where prompt and answer together fit into the base."""

    def fits(messages: Sequence[Message]) -> bool:
        return len(base.token_ids(base.prompt(messages))) + max_new_tokens <= base.context_length

    return ArmContext("Triage the ticket.", make_grader(TASK, []), ROWS, fits, 0)
