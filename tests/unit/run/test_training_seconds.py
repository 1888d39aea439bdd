"""The seconds of a training are those of all processes that worked on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.events import Heartbeat, Launched, Stopped, TrainingDropped, TrainingFinished, TrainingStarted
from tuneproof.engine.run.store import EVENTS
from tuneproof.engine.run.training_seconds import seconds_so_far


def launched() -> Launched:
    return Launched(pid=1, process_started=0.0, tuneproof="0.2.0", until=Stage.CARD)


def started(model: str = "tuned") -> TrainingStarted:
    return TrainingStarted(model=model, method="lora", examples=9, steps=9, resumed_at=0, trained_parameters=1, all_parameters=2)


def finished(model: str = "tuned") -> TrainingFinished:
    return TrainingFinished(model=model, steps=9, best_step=9, seconds=1.0, adapter_sha256="")


def dropped() -> TrainingDropped:
    return TrainingDropped(changed=["epochs"], checkpoints=1)


KILLED = [(0.0, launched()), (10.0, started()), (17.0, Heartbeat())]


@pytest.mark.parametrize(
    ("events", "seconds"),
    [
        ([], 0),
        ([(0.0, launched()), (5.0, Heartbeat())], 0),
        (KILLED, 7),
        ([*KILLED, (900.0, launched()), (910.0, started()), (911.0, Stopped()), (950.0, launched())], 8),
        ([*KILLED, (900.0, launched()), (910.0, started()), (915.0, finished()), (940.0, Heartbeat())], 12),
        ([*KILLED, (900.0, launched()), (909.0, dropped()), (910.0, started()), (915.0, finished())], 5),
        ([*KILLED, (20.0, started("tuned_25")), (30.0, finished("tuned_25"))], 7),
    ],
)
def test_every_process_counts_from_the_start_of_the_training_to_its_last_event(
    tmp_path: Path, events: list[tuple[float, Event]], seconds: float
) -> None:
    lines = (event.model_copy(update={"ts": ts}).model_dump_json() for ts, event in events)
    (tmp_path / EVENTS).write_text("".join(f"{line}\n" for line in lines))
    assert seconds_so_far(tmp_path / EVENTS, "tuned") == pytest.approx(seconds)
