"""Errors that a user can cause, shown as toasts."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from textual.app import App

from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.session.wizard_words import error_in_wizard
from tuneproof.tui.widgets.sanitize import sanitize


class ErrorToast:
    """A context that shows an error which the user can do something about as a toast, instead of letting it end the app."""

    def __init__(self, app: App[Any], title: str) -> None:
        self._app, self._title = app, title

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        shown = _as_user_error(error)
        if shown is None:
            return False
        self._app.notify(sanitize(error_in_wizard(shown)), title=self._title, severity="error", markup=False, timeout=15)
        return True


def _as_user_error(error: BaseException | None) -> TuneproofError | None:
    """The error if it is one of the program's own, or the error for a limit of the machine; None for a defect."""
    if isinstance(error, TuneproofError):
        return error
    if not isinstance(error, OSError):
        return None
    from tuneproof.engine.run.limits import machine_limit

    return machine_limit(error, Path(error.filename or "."))
