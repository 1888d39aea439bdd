"""A training of eight rows with the sample model, and the shape of a smaller model."""

from __future__ import annotations

from tuneproof.engine.arms import TUNED_ARMS, ArmContext
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.measure import Measure
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
"""The configuration of a model of any family, for random weights."""

TASK = Task(instruction="Triage the ticket.", output=OutputFormat(kind=OutputKind.TEXT))
ROWS = [
    Example("", f"Order {letter}1{digit}2 has not come.{' I have asked before.' * (digit % 3)}", f"late: {letter}1{digit}2", Source("", at))
    for at, (letter, digit) in enumerate((letter, digit) for letter in "AB" for digit in range(4))
]


def training_of(base: BaseCheckpoint) -> tuple[list[EncodedRow], ValidationProbe]:
    """The encoded rows, and a probe with the same rows as its cases."""
    grader = make_grader(TASK, [row.output for row in ROWS])
    arm = TUNED_ARMS["tuned"](ArmContext(TASK.instruction or "", grader, ROWS, lambda _: True, 0))
    rows = encode_rows(base, arm, ROWS)
    prompts = [base.prompt(arm.messages(row)) for row in ROWS]
    return rows, ValidationProbe(
        base, Measure(TASK, None, grader), [(str(row.source), row) for row in ROWS], prompts, rows, max_new_tokens=16
    )
