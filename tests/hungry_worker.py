"""A worker that takes memory in its first training step until the kernel ends it: `python -m tests.hungry_worker RUN_DIR --until STAGE`."""

from __future__ import annotations

from typing import Any

from tuneproof.engine import worker
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.events import TrainingStarted
from tuneproof.engine.run.training_sink import TrainingSink

emit = TrainingSink.emit


def emit_and_take_memory(self: TrainingSink, event: Event, **options: Any) -> None:
    emit(self, event, **options)
    taken = []
    while isinstance(event, TrainingStarted):
        taken.append(bytearray(16 << 20))


def main() -> None:
    setattr(TrainingSink, "emit", emit_and_take_memory)  # noqa: B010  a method is not assigned to
    worker.main()


if __name__ == "__main__":
    main()
