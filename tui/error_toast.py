"""Errors that a user can cause, told on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.app import App

from tuneproof.engine.core.errors import TuneproofError
from tuneproof.tui.widgets.sanitize import sanitize


class ErrorToast:
    """A context in which an error that a user can cause is told on the screen instead of raised."""

    def __init__(self, app: App[Any], doing: str) -> None:
        self._app, self._doing = app, doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        told = _told_error(error)
        if told is None:
            return False
        self._app.notify(sanitize(str(told)), title=self._doing, severity="error", markup=False, timeout=15)
        return True


def _told_error(error: BaseException | None) -> TuneproofError | None:
    """What a user can do something about: an error of the program's own family, or a limit of the machine."""
    if isinstance(error, TuneproofError):
        return error
    if not isinstance(error, OSError):
        return None
    from tuneproof.engine.run.limits import machine_limit

    return machine_limit(error, Path(error.filename or "."))
