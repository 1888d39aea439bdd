"""Trainings of eight rows, in one process or several, whose events are recorded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.tiny_training import training_of
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.events import Probed, StepLogged
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.training.distributed.launch import train_in_processes
from tuneproof.engine.training.result import TrainingResult
from tuneproof.engine.training.run import train

ROUNDING = 1e-5
"""The relative difference that a loss may have from that of one process: float32 sums in another order. Up to 7e-7 was measured."""


@dataclass
class Recorder:
    """The events of a training, which is stopped after the step `stop_at`."""

    stop_at: int | None = None
    stop: StopRequest = field(default_factory=StopRequest)
    events: list[Event] = field(default_factory=list)

    def emit(self, event: Event, *, sync: bool = False) -> None:
        self.events.append(event)
        if isinstance(event, StepLogged) and event.step == self.stop_at:
            self.stop.request()

    @property
    def steps(self) -> list[StepLogged]:
        return [event for event in self.events if isinstance(event, StepLogged)]

    @property
    def curve(self) -> list[float]:
        """Loss and gradient norm of every step, and the loss of every probe."""
        steps = [number for event in self.steps for number in (event.loss, event.grad_norm)]
        return steps + [event.loss for event in self.events if isinstance(event, Probed)]


def trained(
    base: BaseCheckpoint,
    folder: Path,
    processes: int,
    *,
    recorder: Recorder | None = None,
    repeats: int = 1,
    accumulation: int = 1,
    checkpointing: bool = False,
    method: str = "lora",
    **settings: Any,
) -> TrainingResult:
    """Trains on the eight rows, repeated so many times; `settings` are those of a case's `training`."""
    recorder = recorder or Recorder()
    defaults = {"batch_size": 3, "epochs": 1, "probe_every": 2, "learning_rate": 2e-3}
    training = Training.model_validate({**defaults, **settings, "processes": processes})
    plan = replace(make_plan(MethodChoice(name=method), training), accumulation=accumulation, checkpointing=checkpointing)
    rows, probe = training_of(base)
    given = (base, rows * repeats, probe, plan, folder, recorder, recorder.stop)
    return train(*given) if processes == 1 else train_in_processes(*given)


def assert_same_curve(base: BaseCheckpoint, folder: Path, *, sharding: str = "none", **settings: Any) -> Recorder:
    """Trains in one process and in two, and returns the events of the one."""
    alone, shared = Recorder(), Recorder()
    one = trained(base, folder / "one", 1, recorder=alone, **settings)
    two = trained(base, folder / "two", 2, recorder=shared, sharding=sharding, **settings)
    assert shared.curve == pytest.approx(alone.curve, rel=ROUNDING) and len(alone.curve) >= 6
    assert (two.steps, two.best_step, two.files, two.trained_parameters) == (one.steps, one.best_step, one.files, one.trained_parameters)
    return alone


def assert_same_weights(one: TrainingResult, other: TrainingResult) -> None:
    """Bit by bit."""
    for file in (file for file in one.files if file.endswith(".safetensors")):
        assert (other.adapter / file).read_bytes() == (one.adapter / file).read_bytes()
