"""The pictures that are taken of the program: what is opened, which keys lead there, and when it stands still."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import DirectoryTree, Input

from tests.snapshots.record import BEGAN, FINISHED, LATER, TRAINING
from tuneproof.engine.core import hardware
from tuneproof.engine.run.state import RunStatus
from tuneproof.screens import home
from tuneproof.tui.app import TuneproofApp

FINISHED_RUN = Path("runs/support-tickets-1")
TRAINING_RUN = Path("runs/support-tickets-2")
MEASURED_RUN = Path("runs/support-tickets-3")

NOW = BEGAN + LATER + 300
MACHINE = hardware.Machine(cores=2, memory_gib=23.0, gpu=None)
SECONDS = 30.0
"""Far more than anything here takes; what is not there by then never comes."""


def set_stage(patch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Makes a folder with the recorded runs the one to stand in, and everything the same that differs from day to day."""
    here = folder / "tickets"
    shutil.copytree(FINISHED, here / FINISHED_RUN)
    shutil.copytree(TRAINING, here / TRAINING_RUN)
    patch.chdir(here)
    for name in ("NO_COLOR", "SSH_CONNECTION"):
        patch.delenv(name, raising=False)
    patch.setattr(hardware, "detect_machine", lambda: MACHINE)
    patch.setattr(hardware, "first_gpu", lambda: None)
    patch.setattr(hardware, "free_memory_bytes", lambda: 21_000_000_000)
    patch.setattr(home, "time", SimpleNamespace(time=lambda: NOW))
    return here


def add_measured_run() -> None:
    """A run that stands after its baselines: the method can still be chosen."""
    shutil.copytree(TRAINING_RUN, MEASURED_RUN)
    log = MEASURED_RUN / "events.jsonl"
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    end = next(at for at, event in enumerate(events) if event["kind"] == "stage_started" and event["stage"] == "method")
    finished = {key: events[end][key] for key in ("v", "seq", "ts")} | {"kind": "finished"}
    log.write_text("".join(json.dumps(event) + "\n" for event in [*events[:end], finished]), encoding="utf-8")
    (MEASURED_RUN / "method.json").unlink()


Look = Callable[[Pilot[None]], Awaitable[None]]


def at_once(app: TuneproofApp) -> bool:
    """Nothing has to be waited for."""
    return True


@dataclass(frozen=True)
class Scene:
    """One picture: what the program is opened on, the screen that this begins with, and what that waits for to have happened.

    Then the way from there, as pairs of keys and the name of the screen that they lead to, and what the last one waits for.
    """

    opens: Path | None = None
    first: str = "HomeScreen"
    way: tuple[tuple[str, str], ...] = ()
    begins: Callable[[TuneproofApp], bool] = at_once
    ready: Callable[[TuneproofApp], bool] = at_once

    def app(self) -> TuneproofApp:
        """The program, not started yet."""
        if self.opens == MEASURED_RUN:
            add_measured_run()
        app = TuneproofApp(self.opens)
        app.machine_line = MACHINE.summary
        app.animation_level = "none"
        return app

    async def go(self, pilot: Pilot[None], look: Look | None = None) -> None:
        """Goes to what is pictured, and waits until nothing moves any more; `look` is asked to look at every screen on the way."""
        app = app_of(pilot)
        await arrive(pilot, self.first)
        await until(pilot, lambda: self.begins(app))
        for keys, screen in self.way:
            if look is not None:
                await still(pilot)
                await look(pilot)
            await pilot.press(*keys.split())
            await arrive(pilot, screen)
        await until(pilot, lambda: self.ready(app))
        for field in app.screen.query(Input):
            field.cursor_blink = False
        await still(pilot)
        if look is not None:
            await look(pilot)


def app_of(pilot: Pilot[None]) -> TuneproofApp:
    """The app that a pilot steers."""
    assert isinstance(pilot.app, TuneproofApp)
    return pilot.app


async def arrive(pilot: Pilot[None], screen: str) -> None:
    """Waits until a screen is on top and drawn."""
    await until(pilot, lambda: _is_on_top(pilot.app.screen, screen))
    await still(pilot)


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Waits for a condition, by letting the app do what it has to do."""
    async with asyncio.timeout(SECONDS):
        while not condition():
            await pilot.pause()


async def still(pilot: Pilot[None]) -> None:
    """Waits until two looks, one after the other, see the same."""
    seen: list[Strip] = []
    async with asyncio.timeout(SECONDS):
        while (now := strips(pilot)) != seen:
            seen = now
            await pilot.pause()


def strips(pilot: Pilot[None]) -> list[Strip]:
    """The screen as it is drawn, line by line."""
    return pilot.app.screen._compositor.render_strips()


def _is_on_top(screen: Screen[object], name: str) -> bool:
    return type(screen).__name__ == name and screen.is_mounted


def _on_card(*way: tuple[str, str]) -> Scene:
    """A scene that begins on the card, where a finished run is opened."""
    return Scene(FINISHED_RUN, "CardScreen", way, lambda app: app.state.card is not None)


def _on_trial(*way: tuple[str, str]) -> Scene:
    """A scene that begins on the data, where a draft is opened, once the data has been read and audited."""
    return Scene(Path("tickets.yaml"), "DataScreen", way, _audited)


def _audited(app: TuneproofApp) -> bool:
    return app.session is not None and app.session.report is not None and app.dry_run_state.status in (RunStatus.FINISHED, RunStatus.FAILED)


def _listed(app: TuneproofApp) -> bool:
    return bool(app.screen.query_one(DirectoryTree).root.children)


NEW_CASE = (("n", "AskLine"), ("t i c k e t s enter", "DecideScreen"))

STEPS = {
    "home": Scene(),
    "new-case": Scene(way=NEW_CASE),
    "decide": _on_card(("1", "DecideScreen")),
    "data": _on_card(("2", "DataScreen")),
    "audit": _on_card(("3", "AuditScreen")),
    "task": _on_card(("4", "TaskScreen")),
    "baselines": _on_card(("5", "BaselinesScreen")),
    "method": Scene(MEASURED_RUN, "MethodScreen"),
    "train-running": Scene(TRAINING_RUN, "TrainScreen"),
    "train-finished": _on_card(("7", "TrainScreen")),
    "card": _on_card(),
}
"""Every step, pictured at both sizes."""

DIALOGS = {
    "ask-line": Scene(way=(("n", "AskLine"),)),
    "pick": Scene(way=(("o", "PickScreen"),), ready=_listed),
    "ask-choice": Scene(MEASURED_RUN, "MethodScreen", (("t", "AskChoice"),)),
    "quit": Scene(TRAINING_RUN, "TrainScreen", (("q", "QuitScreen"),)),
    "help": _on_card(("question_mark", "HelpScreen")),
    "failures": _on_card(("5", "BaselinesScreen"), ("enter", "CasesScreen")),
    "comparison": _on_card(("v", "CasesScreen")),
    "log": _on_card(("l", "ReadingScreen")),
}

ON_DRAFT = {
    "data": _on_trial(),
    "audit": _on_trial(("3", "AuditScreen")),
    "conflict": _on_trial(("3", "AuditScreen"), ("down", "AuditScreen")),
}
"""What is seen before anything is frozen: read and audited by a trial, in a worker as always."""

WALKS = {
    "home": Scene(way=(("o", "PickScreen"),), ready=_listed),
    "finished": _on_card(
        *(("l", "ReadingScreen"), ("escape", "CardScreen"), ("7", "TrainScreen"), ("6", "MethodScreen"), ("5", "BaselinesScreen")),
        *(("4", "TaskScreen"), ("3", "AuditScreen"), ("1", "DecideScreen"), ("2", "DataScreen")),
    ),
    "failures": _on_card(("v", "CasesScreen"), ("escape", "CardScreen"), ("5", "BaselinesScreen"), ("enter", "CasesScreen")),
    "training": Scene(TRAINING_RUN, "TrainScreen", (("q", "QuitScreen"),)),
    "draft": _on_trial(("3", "AuditScreen"), ("enter", "AuditScreen"), ("enter", "ReadingScreen"), ("escape", "AuditScreen")),
}
"""Ways past everything that shows what came from elsewhere."""
