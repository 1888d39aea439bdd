"""How long rows are for a base model. Imports transformers, so only what has to count tokens imports this module."""

from __future__ import annotations

from functools import cache

from tuneproof.engine.arms import TUNED_ARMS, ArmContext
from tuneproof.engine.audit.rows import TokenLengths
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.task import Task
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.scoring.judges import make_judge


def lengths_for(base: BaseCheckpoint, task: Task) -> TokenLengths:
    """The lengths of rows for this base; prompts as the tuned arm asks them, which are the shortest."""
    judge = make_judge(task, [""])
    tuned = TUNED_ARMS[ArmName.TUNED](ArmContext(task.instruction or "", judge, (), lambda _: True, 0))
    # Each row is measured for the context check, for the preview and for the room an answer gets, and tokenised for the first alone.
    return TokenLengths(
        render=lambda e: base.prompt(tuned.messages(e)),
        prompt=cache(lambda e: len(base.token_ids(base.prompt(tuned.messages(e))))),
        answer=cache(lambda e: len(base.target_ids(tuned.messages(e), e.output))),
        base=base.name,
        sha256=base.sha256,
        context=base.context_length,
    )
