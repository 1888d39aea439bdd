"""Where a training's events go: to the run's log, with the model that they are about."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.run.event import Event, EventSink
from tuneproof.engine.run.events import CheckpointSaved, TrainingEvent, TrainingFinished


@dataclass(frozen=True)
class TrainingSink:
    """Adds the model's name to each event of its training, and to the path of a checkpoint the training's `folder` in the run.

    To the seconds of a training that has ended it adds those that earlier processes took.
    """

    log: EventSink
    model: str
    folder: str
    earlier_seconds: float = 0.0

    def emit(self, event: Event, *, sync: bool = False) -> None:
        """Passes one event on."""
        if isinstance(event, TrainingEvent):
            event = event.model_copy(update={"model": self.model})
        if isinstance(event, CheckpointSaved):
            event = event.model_copy(update={"path": f"{self.folder}/{event.path}"})
        if isinstance(event, TrainingFinished):
            event = event.model_copy(update={"seconds": round(event.seconds + self.earlier_seconds, 3)})
        self.log.emit(event, sync=sync)
