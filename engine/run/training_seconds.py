"""The time that processes spent on a training and did not finish it, as the event log has it."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Launched, TrainingDropped, TrainingFinished, TrainingStarted


def seconds_so_far(events: Path, model: str) -> float:
    """Seconds that all processes so far have trained the model; of one that was killed, until its last event.

    What was trained with other settings, and dropped, does not count.
    """
    total, last, started = 0.0, 0.0, None
    for chunk in EventReader(events).read_chunks():
        for event in chunk:
            match event:
                case Launched() | TrainingStarted() if started is not None:
                    total, started = total + last - started, None
                case TrainingDropped() if event.model == model:
                    total, started = 0.0, None
                case TrainingFinished() if event.model == model and started is not None:
                    total, started = total + event.ts - started, None
            if isinstance(event, TrainingStarted) and event.model == model:
                started = event.ts
            last = event.ts
    return total + (0.0 if started is None else last - started)
