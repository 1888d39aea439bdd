"""The runs of a folder at a glance, from a few lines of each log rather than all of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.core.regular_files import open_regular
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.event_reader import parse
from tuneproof.engine.run.events import AnyEvent, CardWritten, Failed, Finished, Launched, StageStarted, Stopped
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.run.store import CASE, EVENTS, MANIFEST

SUMMARY_EVENTS: tuple[type[Event], ...] = (Launched, StageStarted, Failed, Stopped, Finished, CardWritten)
"""The events that a summary is made of: the first launch, and the newest of each kind."""


@dataclass(frozen=True)
class RunSummary:
    """One run in a list of runs; times are in seconds since 1970."""

    path: Path
    name: str
    status: RunStatus
    stage: Stage | None
    verdict: str | None  # of the last launch; None while it is under way
    headline: str | None  # how good the answer of the verdict is, in a few words
    started: float | None
    updated: float

    @property
    def is_running(self) -> bool:
        """Whether its worker is at work."""
        return self.status is RunStatus.RUNNING


def list_runs(folder: Path) -> list[RunSummary]:
    """The runs in a folder, the most recently active first.

    A run without events is new. Folders that are no runs, or cannot be read, are left out. A folder that does not exist has no runs; raises
    UsageError if it cannot be read.
    """
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"cannot be listed: {os.strerror(error.errno or 0)}", where=str(folder), fix="name a folder of runs") from None
    found = [summary for path in paths if (summary := _summary(path)) is not None]
    return sorted(found, key=lambda summary: summary.updated, reverse=True)


def _summary(path: Path) -> RunSummary | None:
    try:
        if not ((path / MANIFEST).is_file() and (path / CASE).is_file()):
            return None
        created = (path / CASE).stat().st_mtime
    except OSError:
        return None
    content = _log_content(path / EVENTS)
    state = RunState()
    for event in _summary_events(content):
        state.apply(event)
    state.check_alive()
    return RunSummary(
        path=path,
        name=path.name,
        status=state.status,
        stage=state.stage,
        verdict=state.card.answer if state.card else None,
        headline=(state.card.headline or None) if state.card else None,
        started=state.started_at if state.launched else None,
        updated=state.last_ts or created,
    )


def _log_content(path: Path) -> bytes:
    """The bytes of a log; none if there is no log that can be read."""
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError:
        return b""


def _summary_events(content: bytes) -> list[AnyEvent]:
    """The first launch, the newest event of each summary kind, and the newest of all, in the order of the log."""
    content = content[: content.rfind(b"\n") + 1]
    found = [next(_events_with(_kind_text(Launched), content, newest_first=False), None)]
    found += [next(_events_with(text, content), None) for text in [*(_kind_text(kind) for kind in SUMMARY_EVENTS), b"\n"]]
    return [event for _, event in sorted(dict(place for place in found if place).items())]


def _kind_text(event: type[Event]) -> bytes:
    """The kind as the log has it. Inside a JSON string its quotes would be escaped, so no user's text can look like it."""
    return f'"kind":"{event.model_fields["kind"].default}"'.encode()


def _events_with(text: bytes, content: bytes, newest_first: bool = True) -> Iterator[tuple[int, AnyEvent]]:
    """The events whose lines contain the text, each with the offset of its line."""
    find = content.rfind if newest_first else content.find
    low, high = 0, len(content)
    while (found := find(text, low, high)) >= 0:
        start, end = content.rfind(b"\n", 0, found) + 1, content.find(b"\n", found) + 1
        low, high = (low, start) if newest_first else (end, high)
        try:
            event = parse(content[start:end])
        except ValueError:
            continue
        if event is not None:
            yield start, event
