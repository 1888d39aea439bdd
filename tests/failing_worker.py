"""A worker whose rank 1 runs out of memory unless gradients are accumulated: `python -m tests.failing_worker RUN_DIR --until STAGE`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from tests.unit.training.failing_rows import FailingRows
from tuneproof.engine import worker
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.training.distributed import launch
from tuneproof.engine.training.result import TrainingResult
from tuneproof.engine.training.tokenize import EncodedRow
from tuneproof.engine.training.validation_probe import ValidationProbe

FAILING_WORKER = [sys.executable, "-m", "tests.failing_worker"]

train_in_processes = launch.train_in_processes


def train_with_little_memory(
    base: BaseCheckpoint, rows: Sequence[EncodedRow], probe: ValidationProbe, plan: Plan, *args: Any
) -> TrainingResult:
    return train_in_processes(base, FailingRows(rows) if plan.accumulation == 1 else rows, probe, plan, *args)


def main() -> None:
    setattr(launch, "train_in_processes", train_with_little_memory)  # noqa: B010  it takes any arguments, which its type does not say
    worker.main()


if __name__ == "__main__":
    main()
