"""Following a run: a thread reads its log, the app's thread applies the events, and screens are notified at most every two seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App
from textual.timer import Timer

from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import AnyEvent, Heartbeat, Progressed, StepLogged
from tuneproof.engine.run.liveness import is_alive, is_here
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.run.store import EVENTS

POLL_SECONDS = 0.5
ALIVE_SECONDS = 2.0
CLUSTER_SECONDS = 30.0
"""For a worker on another machine: each query is work for a controller that all users of the cluster share."""

NOTIFY_SECONDS = 2.0
"""If the training uses every core, drawing slows it down: all its threads wait for the one that was interrupted."""

FREQUENT = (StepLogged, Progressed, Heartbeat)
"""Events that come often; screens may hear of them with a delay."""


class RunFeed:
    """The state of one run, read from the start of its log and kept up to date until `stop`."""

    def __init__(self, app: App[Any], run: Path, notify: Callable[[RunState], None]) -> None:
        self.run, self.state = run, RunState()
        self._app, self._notify = app, notify
        self._reader = EventReader(run / EVENTS)
        self._stopped = threading.Event()
        self._notified = 0.0
        self._timer: Timer | None = None
        self._thread = threading.Thread(target=self._follow, name=f"feed {run.name}", daemon=True)

    def start(self) -> None:
        """Starts to follow the run."""
        self._thread.start()

    def catch_up(self) -> None:
        """Reads the log so far without notifying, so that the first screen is complete. Call it before `start`."""
        for events in self._reader.read_chunks():
            for event in events:
                self.state.apply(event)
        self.state.check_alive()

    def stop(self) -> None:
        """Stops following; there is no notification after this."""
        self._stopped.set()
        if self._timer is not None:
            self._timer.stop()

    def _follow(self) -> None:
        checked = 0.0
        while not self._stopped.is_set():
            for events in self._reader.read_chunks():
                if not self._call_in_app(partial(self._apply, events)):
                    return
            if time.monotonic() - checked > self._check_seconds():
                checked = time.monotonic()
                if self._is_gone() and not self._call_in_app(self._check_alive):
                    return
            self._stopped.wait(POLL_SECONDS)

    def _check_seconds(self) -> float:
        launched = self.state.launched
        return ALIVE_SECONDS if launched is None or is_here(launched) else CLUSTER_SECONDS

    def _is_gone(self) -> bool:
        """Whether the worker of a running run is gone. Called in the feed's thread, because a cluster may answer slowly."""
        launched = self.state.launched
        return self.state.status is RunStatus.RUNNING and launched is not None and not is_alive(launched)

    def _call_in_app(self, do: Callable[[], None]) -> bool:
        """Calls a function in the app's thread and waits for it. Returns False once the app is gone."""
        if self._stopped.is_set():
            return False
        try:
            self._app.call_from_thread(do)
        except RuntimeError:
            return False
        return True

    def _apply(self, events: list[AnyEvent]) -> None:
        if self._stopped.is_set():
            return
        for event in events:
            self.state.apply(event)
        if any(not isinstance(event, FREQUENT) for event in events):
            self._notify_now()
        elif any(not isinstance(event, Heartbeat) for event in events):
            self._notify_soon()

    def _check_alive(self) -> None:
        self.state.check_alive()
        if self.state.status is RunStatus.CRASHED:
            self._notify_now()

    def _notify_soon(self) -> None:
        due = self._notified + NOTIFY_SECONDS - time.monotonic()
        if due <= 0:
            self._notify_now()
        elif self._timer is None:
            self._timer = self._app.set_timer(due, self._notify_now)

    def _notify_now(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._notified = time.monotonic()
        self._notify(self.state)
