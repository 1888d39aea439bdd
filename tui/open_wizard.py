"""Opening the wizard in a terminal that can show it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tuneproof.engine.core.errors import ExitCode, UsageError
from tuneproof.engine.core.hardware import is_installed
from tuneproof.engine.core.plain_text import bare_streams
from tuneproof.tui.terminal import WITHOUT_CURSOR

WEB_DRIVER = "textual.drivers.web_driver:WebDriver"
"""What textual-serve sets TEXTUAL_DRIVER to, for an app that is drawn in a browser."""


def serve_wizard(opens: Path | None, port: int) -> int:
    """Serves the wizard to a browser of this machine. Raises UsageError without textual-serve, or if the port is taken."""
    if not is_installed("textual-serve"):
        raise UsageError("textual-serve is not installed", where="--serve", fix="pip install 'tuneproof[browser]'")
    if opens is not None:
        _check_it_opens(opens)
    from tuneproof.tui.serve import serve

    return serve(opens, port)


def open_wizard(opens: Path | None) -> int:
    """Runs the wizard, on its home screen or opened on a case or a run folder, and returns the exit code.

    Raises UsageError without a terminal that can show it, and what opening the case or the run raises.
    """
    is_in_browser = os.environ.get("TEXTUAL_DRIVER") == WEB_DRIVER
    if not is_in_browser and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the wizard needs a terminal", fix="without one: tuneproof --replay CASE.yaml")
    if not is_in_browser and os.environ.get("TERM") in WITHOUT_CURSOR:
        fix = "set TERM to what your terminal is, such as xterm-256color; without one: tuneproof --replay CASE.yaml, tuneproof runs"
        raise UsageError(f"the wizard cannot move the cursor in a terminal of the kind `{os.environ['TERM']}`", where="TERM", fix=fix)
    if opens is not None:
        _check_it_opens(opens)
    from tuneproof.tui.app import TuneproofApp

    app = TuneproofApp(opens)
    with bare_streams():
        app.run()
    if app.farewell:
        print(app.farewell)
    return int(app.return_code or ExitCode.DONE)


def _check_it_opens(path: Path) -> None:
    """Raises before the wizard takes the screen, so that the error stays visible in the terminal."""
    if path.is_dir():
        from tuneproof.engine.session.case_session import CaseSession

        CaseSession.of_run(path)
    else:
        from tuneproof.engine.case.load import load_as
        from tuneproof.engine.case.schema import DraftCase

        load_as(DraftCase, path)
