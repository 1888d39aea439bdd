"""Waiting for events of a run, by reading its log again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tuneproof.engine.run.event import Event
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import AnyEvent
from tuneproof.engine.run.store import EVENTS

Kind = TypeVar("Kind", bound=Event)

POLL_SECONDS = 0.05


def wait_for_event(
    run: Path,
    kind: type[Kind],
    holds: Callable[[Kind], bool] = lambda event: True,
    *,
    seconds: float = 300,
    rest: Callable[[float], object] = time.sleep,
) -> Kind:
    """The first event of a kind that fulfils a condition. Raises TimeoutError if it does not come within `seconds`."""
    reader, deadline = EventReader(run / EVENTS), time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = next((event for event in reader.read() if isinstance(event, kind) and holds(event)), None)
        if found is not None:
            return found
        rest(POLL_SECONDS)
    raise TimeoutError(f"no {kind.__name__} in {run} within {seconds:g} s")


def events_of(run: Path, kind: type[Kind]) -> list[Kind]:
    """The events of a kind so far."""
    events: list[AnyEvent] = EventReader(run / EVENTS).read()
    return [event for event in events if isinstance(event, kind)]
