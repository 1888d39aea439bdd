"""How a worker ended by its event log, which decides where its process was killed on its way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Failed, Finished, Launched, Stopped


def logged_end(events: Path, offset: int, is_launched_by: Callable[[Launched], bool]) -> ExitCode | None:
    """The exit code that the log has, from this byte on, for the worker that these events launched; None if it logged no end."""
    code, is_its = None, False
    for chunk in EventReader(events, offset).read_chunks():
        for event in chunk:
            match event:
                case Launched():
                    code, is_its = None, is_launched_by(event)
                case Finished() if is_its:
                    code = ExitCode.DONE
                case Stopped() if is_its:
                    code = ExitCode.INTERRUPTED
                case Failed() if is_its:
                    code = ExitCode(event.exit_code)
    return code
