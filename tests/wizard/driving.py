"""Driving the wizard by its keys, and waiting on what it shows or knows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.state import RunStatus
from tuneproof.tui.app import TuneproofApp

SECONDS = 180.0
"""How long anything may take before a test gives it up: far more than it takes."""


async def until(pilot: Pilot[Any], holds: Callable[[], bool], what: str) -> None:
    """Returns once the condition holds; fails with the picture where it does not in time, and at once where the wizard has crashed."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert pilot.app._exception is None, f"{what} did not come about: {pilot.app._exception!r}"
        assert time.monotonic() < deadline, f"{what} did not come about; the screen:\n{picture(pilot)}"
        await pilot.pause(0.05)
    await pilot.pause()


def picture(pilot: Pilot[Any]) -> str:
    """The screen as text."""
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines)


def shown(pilot: Pilot[Any]) -> str:
    """The screen as one text, so that it does not matter where a line ends."""
    return " ".join(picture(pilot).replace("│", " ").split())


async def until_shown(pilot: Pilot[Any], *texts: str) -> None:
    """Waits until every text stands on the screen."""
    for text in texts:
        await until(pilot, lambda text=text: text in shown(pilot), f"`{text}`")  # type: ignore[misc]


async def arrive(pilot: Pilot[Any], screen: str) -> None:
    """Waits until a screen is on top."""
    await until(pilot, lambda: type(pilot.app.screen).__name__ == screen and pilot.app.screen.is_mounted, screen)


async def typed(pilot: Pilot[Any], text: str) -> None:
    """Types a text, key by key."""
    for character in text:
        await pilot.press({" ": "space", ".": "full_stop", "/": "slash", "_": "underscore", "-": "minus"}.get(character, character))


async def tried(pilot: Pilot[Any]) -> None:
    """Waits until the data has been read and audited in a trial of the draft as it stands."""
    app = wizard(pilot)

    def ended() -> bool:
        assert app.session is not None
        return app.session.dry_run_is_current and app.dry_run_state.status in (RunStatus.FINISHED, RunStatus.FAILED)

    await until(pilot, ended, "the audit of the draft")


async def stage_done(pilot: Pilot[Any], stage: Stage) -> None:
    """Waits until the run has done a stage and its worker has ended."""
    app = wizard(pilot)
    await until(pilot, lambda: stage in app.state.done and app.state.status is RunStatus.FINISHED, f"the stage {stage}")


def wizard(pilot: Pilot[Any]) -> TuneproofApp:
    """The app, as what it is."""
    assert isinstance(pilot.app, TuneproofApp)
    return pilot.app
