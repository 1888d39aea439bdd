"""Driving the wizard with keys, and waiting for what it shows or knows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from textual.events import Paste
from textual.pilot import Pilot
from textual.strip import Strip

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.state import RunStatus
from tuneproof.tui.app import TuneproofApp

SECONDS = 180.0
"""How long a test waits for anything: far longer than it takes."""


async def until(pilot: Pilot[Any], holds: Callable[[], bool], what: str) -> None:
    """Returns once a condition holds. Fails with the screen if it does not hold in time, and at once if the wizard has crashed."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert pilot.app.return_code in (None, 0), f"the wizard crashed before: {what}"
        assert time.monotonic() < deadline, f"not within {SECONDS:.0f} s: {what}; the screen:\n{picture(pilot)}"
        await pilot.pause(0.05)
    await pilot.pause()


def picture(pilot: Pilot[Any]) -> str:
    """The screen as text."""
    return "\n".join(strip.text for strip in strips(pilot))


def strips(pilot: Pilot[Any]) -> list[Strip]:
    """The screen as it is drawn, line by line."""
    # Textual has no public access to what it draws, but for a whole SVG.
    return pilot.app.screen._compositor.render_strips()


def shown(pilot: Pilot[Any]) -> str:
    """The screen as one text, independent of line breaks."""
    return " ".join(picture(pilot).replace("│", " ").split())


async def until_shown(pilot: Pilot[Any], *texts: str) -> None:
    """Waits until each text is on the screen."""
    for text in texts:
        await until(pilot, lambda text=text: text in shown(pilot), f"`{text}`")  # type: ignore[misc]


async def arrive(pilot: Pilot[Any], screen: str) -> None:
    """Waits until a screen is on top."""
    await until(pilot, lambda: type(pilot.app.screen).__name__ == screen and pilot.app.screen.is_mounted, screen)


async def typed(pilot: Pilot[Any], text: str) -> None:
    """Types a text, key by key."""
    for character in text:
        await pilot.press({" ": "space", ".": "full_stop", "/": "slash", "_": "underscore", "-": "minus"}.get(character, character))


async def dry_run_ended(pilot: Pilot[Any]) -> None:
    """Waits until the dry run of the current draft has ended."""
    app = wizard(pilot)

    def ended() -> bool:
        assert app.session is not None
        return app.session.dry_run_is_current and app.dry_run_state.status in (RunStatus.FINISHED, RunStatus.FAILED)

    await until(pilot, ended, "the audit of the draft")


async def stage_done(pilot: Pilot[Any], stage: Stage) -> None:
    """Waits until a stage is done and its worker has ended."""
    app = wizard(pilot)
    await until(pilot, lambda: stage in app.state.done and app.state.status is RunStatus.FINISHED, f"the stage {stage}")


def wizard(pilot: Pilot[Any]) -> TuneproofApp:
    """The app that a pilot drives."""
    assert isinstance(pilot.app, TuneproofApp)
    return pilot.app


async def paste(pilot: Pilot[Any], text: str) -> None:
    """Pastes a text, as a terminal with bracketed paste sends it."""
    pilot.app.post_message(Paste(text))
    await pilot.pause()


async def opened(pilot: Pilot[Any], step: str) -> None:
    """Goes from the data of a draft, once it is read, to another step."""
    await arrive(pilot, "DataScreen")
    await dry_run_ended(pilot)
    await pilot.press(step)
