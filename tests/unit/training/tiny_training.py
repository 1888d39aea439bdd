"""A training of eight rows with the model that ships, and a smaller one, for the tests that look at how models are trained."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

from tuneproof.engine.arms import TUNED_ARMS, ArmContext
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.scoring.judges import make_judge
from tuneproof.engine.training.tokenize import EncodedRow, encode_rows
from tuneproof.engine.training.validation_probe import ValidationProbe

SMALL = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
"""A model of any family, of random weights."""

TASK = Task(instruction="Triage the ticket.", output=OutputFormat(kind=OutputKind.TEXT))
ROWS = [
    Example("", f"Order {letter}1{digit}2 has not come.{' I have asked before.' * (digit % 3)}", f"late: {letter}1{digit}2", Source("", at))
    for at, (letter, digit) in enumerate((letter, digit) for letter in "AB" for digit in range(4))
]


def training_of(base: BaseCheckpoint) -> tuple[list[EncodedRow], ValidationProbe]:
    """The rows as the trainer gets them, and a probe that asks the same."""
    judge = make_judge(TASK, [row.output for row in ROWS])
    arm = TUNED_ARMS["tuned"](ArmContext(TASK.instruction or "", judge, ROWS, lambda _: True, 0))
    rows = encode_rows(base, arm, ROWS)
    prompts = [base.prompt(arm.messages(row)) for row in ROWS]
    return rows, ValidationProbe(base, judge, [(str(row.source), row) for row in ROWS], prompts, rows, max_new_tokens=16)


class RowsOfWoe(list[EncodedRow]):
    """Rows that the second process cannot even read: it has no memory for them, or is killed."""

    killed = False

    def __iter__(self) -> Iterator[EncodedRow]:
        if os.environ.get("RANK") == "1":
            if self.killed:
                os.kill(os.getpid(), signal.SIGKILL)
            raise MemoryError("can't allocate memory")
        return super().__iter__()


class RowsThatKill(RowsOfWoe):
    """Those that have it killed."""

    killed = True


WORKER_OF_WOE = """
from tests.unit.training.tiny_training import RowsOfWoe
from tuneproof.engine import worker
from tuneproof.engine.training.distributed import launch

train = launch.train_in_processes
def with_too_little_memory(base, rows, probe, plan, *more):
    return train(base, RowsOfWoe(rows) if plan.accumulation == 1 else rows, probe, plan, *more)

launch.train_in_processes = with_too_little_memory
worker.main()
"""
"""The worker as a program, whose second process runs out of memory unless its rows are run in parts."""
