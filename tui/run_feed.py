"""Following a run: its log read in a thread, its events applied where the screens live, and word of it sent at most every other second."""

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
from tuneproof.engine.run.events import AnyEvent, Decoded, Heartbeat, StepLogged
from tuneproof.engine.run.liveness import is_alive, is_here
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.run.store import EVENTS

POLL_SECONDS = 0.5
ALIVE_SECONDS = 2.0
CLUSTER_SECONDS = 30.0
"""Of a worker on another machine: each question is work for a controller that all users of the cluster share."""

NOTIFY_SECONDS = 2.0
"""What is drawn is taken from the training where it uses every core, as all its threads wait for the one that had to give way."""

QUIET = (StepLogged, Decoded, Heartbeat)
"""Events that come often, and may wait for the next telling."""


class RunFeed:
    """The state of one run, kept up to date from byte 0 of its log until it is stopped."""

    def __init__(self, app: App[Any], run: Path, tell: Callable[[RunState], None]) -> None:
        self.run, self.state = run, RunState()
        self._app, self._tell = app, tell
        self._reader = EventReader(run / EVENTS)
        self._over = threading.Event()
        self._told = 0.0
        self._later: Timer | None = None
        self._thread = threading.Thread(target=self._follow, name=f"feed {run.name}", daemon=True)

    def start(self) -> None:
        """Begins to follow."""
        self._thread.start()

    def catch_up(self) -> None:
        """Reads what is there already, here and now and without telling: before `start`, so that the first picture is the right one."""
        for events in self._reader.read_chunks():
            for event in events:
                self.state.apply(event)
        self.state.check_alive()

    def stop(self) -> None:
        """Follows no longer; nothing is told after this."""
        self._over.set()
        if self._later is not None:
            self._later.stop()

    def _follow(self) -> None:
        looked = 0.0
        while not self._over.is_set():
            for events in self._reader.read_chunks():
                if not self._hand_over(partial(self._apply, events)):
                    return
            if time.monotonic() - looked > self._look_seconds():
                looked = time.monotonic()
                if self._is_gone() and not self._hand_over(self._check_alive):
                    return
            self._over.wait(POLL_SECONDS)

    def _look_seconds(self) -> float:
        launched = self.state.launched
        return ALIVE_SECONDS if launched is None or is_here(launched) else CLUSTER_SECONDS

    def _is_gone(self) -> bool:
        """Whether the worker of a run that is under way is not there; asked in this thread, as a cluster may take its time to answer."""
        launched = self.state.launched
        return self.state.status is RunStatus.RUNNING and launched is not None and not is_alive(launched)

    def _hand_over(self, do: Callable[[], None]) -> bool:
        """Does something in the app's thread and waits for it; false once the app is gone."""
        if self._over.is_set():
            return False
        try:
            self._app.call_from_thread(do)
        except RuntimeError:
            return False
        return True

    def _apply(self, events: list[AnyEvent]) -> None:
        if self._over.is_set():
            return
        for event in events:
            self.state.apply(event)
        if any(not isinstance(event, QUIET) for event in events):
            self._tell_now()
        elif any(not isinstance(event, Heartbeat) for event in events):
            self._tell_soon()

    def _check_alive(self) -> None:
        self.state.check_alive()
        if self.state.status is RunStatus.CRASHED:
            self._tell_now()

    def _tell_soon(self) -> None:
        due = self._told + NOTIFY_SECONDS - time.monotonic()
        if due <= 0:
            self._tell_now()
        elif self._later is None:
            self._later = self._app.set_timer(due, self._tell_now)

    def _tell_now(self) -> None:
        if self._later is not None:
            self._later.stop()
            self._later = None
        self._told = time.monotonic()
        self._tell(self.state)
