"""A worker whose training has little memory beyond what the process has when it begins.

`python -m tests.small_memory_worker BYTES RUN_DIR --until STAGE`; a process that replaces it has no such limit on its own training.
"""

from __future__ import annotations

import resource
import sys
from typing import Any

import psutil

from tuneproof.engine import worker
from tuneproof.engine.training import run
from tuneproof.engine.training.result import TrainingResult

train = run.train


def main() -> None:
    bytes_left = int(sys.argv.pop(1))

    def train_with_little_memory(*args: Any) -> TrainingResult:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + bytes_left, hard))
        return train(*args)

    setattr(run, "train", train_with_little_memory)  # noqa: B010  it takes any arguments, which its type does not say
    worker.main()


if __name__ == "__main__":
    main()
