"""The two runs that the wizard can follow at a time: the run of the open case, and the dry run of its draft."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.message import Message

if TYPE_CHECKING:
    from tuneproof.engine.run.state import RunState
    from tuneproof.tui.run_feed import RunFeed


class RunFeeds:
    """The feeds of the run and of the dry run; their changes are posted as messages."""

    def __init__(self, app: App[Any], post: Callable[[Message], None]) -> None:
        self._app, self._post = app, post
        self._run: RunFeed | None = None
        self._dry_run: RunFeed | None = None
        self._new: RunState | None = None
        self._running_since: float | None = None

    @property
    def run_state(self) -> RunState:
        """The state of the run; a new state if there is no run."""
        return self._run.state if self._run is not None else self._new_state()

    @property
    def dry_run_state(self) -> RunState:
        """The state of the dry run; a new state if there is no dry run."""
        return self._dry_run.state if self._dry_run is not None else self._new_state()

    def follow_run(self, path: Path, *, catch_up: bool = False) -> None:
        """Follows a run instead of the one before; with `catch_up`, its state is complete on return."""
        from tuneproof.tui.messages import RunChanged
        from tuneproof.tui.run_feed import RunFeed

        self.stop_run()
        self._running_since = None

        def changed(state: RunState) -> None:
            self._post(RunChanged(state))
            self._notify_of_end(path.name, state)

        self._run = RunFeed(self._app, path, changed)
        if catch_up:
            self._run.catch_up()
            # A run that was running when it was opened may end with the next event.
            self._notify_of_end(path.name, self._run.state)
        self._run.start()

    def _notify_of_end(self, name: str, state: RunState) -> None:
        """Tells the terminal once a run that was seen running has ended."""
        from tuneproof.engine.run.state import RunStatus
        from tuneproof.tui.notification import notice, run_ended

        if state.status is RunStatus.RUNNING:
            self._running_since = self._running_since or time.monotonic()
        elif self._running_since is not None:
            seconds, self._running_since = time.monotonic() - self._running_since, None
            text = notice(run_ended(name, state), seconds, os.environ)
            if text and self._app._driver is not None:
                # As Textual writes what goes to the clipboard.
                self._app._driver.write(text)

    def follow_dry_run(self, path: Path) -> None:
        """Follows a dry run instead of the one before."""
        from tuneproof.tui.messages import DryRunChanged
        from tuneproof.tui.run_feed import RunFeed

        self.stop_dry_run()
        self._dry_run = RunFeed(self._app, path, lambda state: self._post(DryRunChanged(state)))
        self._dry_run.start()

    def stop(self) -> None:
        """Follows nothing any more; a run itself continues."""
        self.stop_run()
        self.stop_dry_run()

    def stop_run(self) -> None:
        """Stops following the run."""
        if self._run is not None:
            self._run.stop()
            self._run = None

    def stop_dry_run(self) -> None:
        """Stops following the dry run."""
        if self._dry_run is not None:
            self._dry_run.stop()
            self._dry_run = None

    def _new_state(self) -> RunState:
        # Imported only now: importing the events takes longer than drawing the first screen.
        from tuneproof.engine.run.state import RunState

        if self._new is None:
            self._new = RunState()
        return self._new
