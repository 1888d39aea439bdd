"""Events for tests, with figures that mean nothing."""

from __future__ import annotations

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event import Event, Rate
from tuneproof.engine.run.events import (
    TUNED_MODEL,
    AnyEvent,
    ArmScored,
    Launched,
    Probed,
    Sample,
    StepLogged,
    TrainingStarted,
)
from tuneproof.engine.run.state import RunState


class RememberedEvents:
    """Takes events, and remembers them."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event, *, sync: bool = False) -> None:
        self.events.append(event)


RATE = Rate(rate=0.5, low=0.4, high=0.6)


def step(number: int, ts: float = 0.0, of: int = 9, model: str = TUNED_MODEL) -> StepLogged:
    return StepLogged(
        ts=ts, model=model, step=number, of=of, epoch=1.0, loss=0.5, learning_rate=1e-3, grad_norm=1.0, tokens_per_second=10.0
    )


def launched(pid: int, started: float, host: str = "", ts: float = 0.0) -> Launched:
    return Launched(ts=ts, pid=pid, process_started=started, tuneproof="0", until=Stage.CARD, host=host)


def training_from(step: int, of: int = 9, model: str = TUNED_MODEL) -> TrainingStarted:
    return TrainingStarted(model=model, method="lora", examples=1, steps=of, resumed_at=step, trained_parameters=1, all_parameters=2)


def probe(step: int, loss: float = 0.5) -> Probed:
    sample = Sample(id="1", expected="a", output="b", correct=False)
    return Probed(step=step, n=1, format_valid=1.0, correct=0.0, loss=loss, best=True, samples=[sample])


def arm_scored(arm: str) -> ArmScored:
    return ArmScored(arm=arm, n=2, format_valid=RATE, correct=RATE, tokens_per_case=1, seconds_per_case=1)


def folded(*events: AnyEvent) -> RunState:
    """The state after these events."""
    state = RunState()
    for event in events:
        state.apply(event)
    return state
