"""The scenes of the snapshots: what is opened, which keys lead there, and when the screen is complete."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import DirectoryTree, Input, Static

from tests.snapshots.record import BEGAN, FINISHED, LATER, TRACE, TRAINING
from tests.wizard.driving import strips
from tuneproof.engine.core import disk_space, hardware, memory_limits
from tuneproof.engine.core.memory_limits import FreeMemory, MemoryLimit
from tuneproof.engine.doctor import look
from tuneproof.engine.doctor.gpu import NO_GPU
from tuneproof.engine.doctor.line import Group, good, limited, missing
from tuneproof.engine.run.state import RunStatus
from tuneproof.engine.trace.ask import TraceJob
from tuneproof.engine.trace.report import TraceReport
from tuneproof.screens import home
from tuneproof.screens.trace import TraceScreen
from tuneproof.tui import terminal
from tuneproof.tui.app import TuneproofApp

FINISHED_RUN = Path("runs/support-tickets-1")
TRAINING_RUN = Path("runs/support-tickets-2")
MEASURED_RUN = Path("runs/support-tickets-3")

NOW = BEGAN + LATER + 300
MACHINE = hardware.Machine(cores=2, memory_gib=23.0, gpu=None)
MACHINE_LINES = [
    good(Group.PROGRAM, "tuneproof", "0.2.0, Python 3.11.7, Linux x86_64"),
    missing(Group.GPU, "GPU", "no NVIDIA GPU, or no driver", NO_GPU),
    good(Group.GPU, "torch", "2.13.0+cpu, built for the CPU"),
    limited(Group.GPU, "bitsandbytes", "0.50.2 quantises on this CPU", "qlora works here, and slowly; use lora"),
    good(Group.MACHINE, "cores", "2 of 2"),
]
SECONDS = 30.0
"""How long a scene waits for anything: far longer than it takes."""


def set_stage(patch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Makes a folder with the recorded runs the current folder, and replaces what differs between machines and days."""
    here = folder / "tickets"
    shutil.copytree(FINISHED, here / FINISHED_RUN)
    shutil.copytree(TRAINING, here / TRAINING_RUN)
    patch.chdir(here)
    for name in ("NO_COLOR", "SSH_CONNECTION", "TUNEPROOF_THEME", "TUNEPROOF_ASCII", "COLORFGBG"):
        patch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": str(folder)}.items():
        patch.setenv(name, value)
    patch.setattr(hardware, "detect_machine", lambda: MACHINE)
    patch.setattr(hardware, "first_gpu", lambda: None)
    patch.setattr(disk_space, "free_bytes", lambda folder: 60_000_000_000)
    patch.setattr(memory_limits, "least_free_memory", lambda processes: FreeMemory(MemoryLimit.MACHINE, 23 << 30, 21_000_000_000))
    patch.setattr(look, "look", lambda: MACHINE_LINES)
    patch.setattr(terminal, "terminal_lines", lambda *, ask: [])
    # The recorded runs have no weights, so that a trace of them was recorded too.
    patch.setattr(TraceJob, "run", lambda job: TraceReport.model_validate_json(TRACE.read_text(encoding="utf-8")))
    patch.setattr(home, "time", SimpleNamespace(time=lambda: NOW))
    return here


def add_measured_run() -> None:
    """Adds a run that has its baselines but no method yet."""
    shutil.copytree(TRAINING_RUN, MEASURED_RUN)
    log = MEASURED_RUN / "events.jsonl"
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    end = next(at for at, event in enumerate(events) if event["kind"] == "stage_started" and event["stage"] == "method")
    finished = {key: events[end][key] for key in ("v", "seq", "ts")} | {"kind": "finished"}
    log.write_text("".join(json.dumps(event) + "\n" for event in [*events[:end], finished]), encoding="utf-8")
    (MEASURED_RUN / "method.json").unlink()


Look = Callable[[Pilot[None]], Awaitable[None]]


def at_once(app: TuneproofApp) -> bool:
    """The condition that always holds."""
    return True


@dataclass(frozen=True)
class Scene:
    """One snapshot.

    `opens` is what the program is opened on, `first` the screen that it shows then, and `begins` the condition to wait for there. `way` has
    pairs of keys and the name of the screen that they lead to; `ready` is the condition to wait for on the last one.
    """

    opens: Path | None = None
    first: str = "HomeScreen"
    way: tuple[tuple[str, str], ...] = ()
    begins: Callable[[TuneproofApp], bool] = at_once
    ready: Callable[[TuneproofApp], bool] = at_once

    def app(self) -> TuneproofApp:
        """The app, not running yet."""
        if self.opens == MEASURED_RUN:
            add_measured_run()
        app = TuneproofApp(self.opens)
        app.machine_line = MACHINE.summary
        app.animation_level = "none"
        return app

    async def go(self, pilot: Pilot[None], look: Look | None = None) -> None:
        """Goes to the last screen and waits until nothing changes any more; `look` is called on every screen on the way."""
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
    """The app that a pilot drives."""
    assert isinstance(pilot.app, TuneproofApp)
    return pilot.app


async def arrive(pilot: Pilot[None], screen: str) -> None:
    """Waits until a screen is on top and drawn."""
    await until(pilot, lambda: _is_on_top(pilot.app.screen, screen))
    await still(pilot)


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Waits for a condition while the app runs."""
    async with asyncio.timeout(SECONDS):
        while not condition():
            await pilot.pause()


async def still(pilot: Pilot[None]) -> None:
    """Waits until the screen is the same twice in a row."""
    seen: list[Strip] = []
    async with asyncio.timeout(SECONDS):
        while (now := strips(pilot)) != seen:
            seen = now
            await pilot.pause()


def _is_on_top(screen: Screen[object], name: str) -> bool:
    return type(screen).__name__ == name and screen.is_mounted


def _on_card(*way: tuple[str, str]) -> Scene:
    """A scene that starts with the card of the finished run."""
    return Scene(FINISHED_RUN, "CardScreen", way, lambda app: app.state.card is not None)


def on_draft(*way: tuple[str, str]) -> Scene:
    """A scene that starts with the data of a draft, once it is read and audited."""
    return Scene(Path("tickets.yaml"), "DataScreen", way, _audited)


def _audited(app: TuneproofApp) -> bool:
    return app.session is not None and app.session.report is not None and app.dry_run_state.status in (RunStatus.FINISHED, RunStatus.FAILED)


def _listed(app: TuneproofApp) -> bool:
    return bool(app.screen.query_one(DirectoryTree).root.children)


def _machine_text(app: TuneproofApp) -> str:
    return str(app.screen.query_one("#machine-lines", Static).visual)


def _traced(app: TuneproofApp) -> bool:
    return isinstance(app.screen, TraceScreen) and app.screen.report is not None


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
"""Every step, in both sizes."""

DIALOGS = {
    "ask-line": Scene(way=(("n", "AskLine"),)),
    "machine": Scene(way=(("m", "DoctorScreen"),), ready=lambda app: "good" in _machine_text(app)),
    "pick": Scene(way=(("o", "PickScreen"),), ready=_listed),
    "ask-choice": Scene(MEASURED_RUN, "MethodScreen", (("t", "AskChoice"),)),
    "quit": Scene(TRAINING_RUN, "TrainScreen", (("q", "QuitScreen"),)),
    "case-file": _on_card(("k", "CaseFileScreen")),
    "key": Scene(way=(*NEW_CASE, ("k", "CaseFileScreen"), ("slash e p o c h s enter", "CaseFileScreen"), ("enter", "AskLine"))),
    "help": _on_card(("question_mark", "HelpScreen")),
    "failures": _on_card(("5", "BaselinesScreen"), ("enter", "CasesScreen")),
    "comparison": _on_card(("v", "CasesScreen")),
    "trace": replace(_on_card(("z", "TraceScreen")), ready=_traced),
    "log": _on_card(("l", "ReadingScreen")),
}

ON_DRAFT = {
    "data": on_draft(),
    "audit": on_draft(("3", "AuditScreen")),
    "conflict": on_draft(("3", "AuditScreen"), ("down", "AuditScreen")),
}
"""What a user sees before the freeze: read and audited in a dry run."""

WALKS = {
    "home": Scene(way=(("o", "PickScreen"),), ready=_listed),
    "finished": _on_card(
        *(("l", "ReadingScreen"), ("escape", "CardScreen"), ("7", "TrainScreen"), ("6", "MethodScreen"), ("5", "BaselinesScreen")),
        *(("4", "TaskScreen"), ("3", "AuditScreen"), ("1", "DecideScreen"), ("2", "DataScreen")),
    ),
    "failures": _on_card(("v", "CasesScreen"), ("escape", "CardScreen"), ("5", "BaselinesScreen"), ("enter", "CasesScreen")),
    "training": Scene(TRAINING_RUN, "TrainScreen", (("q", "QuitScreen"),)),
    "draft": on_draft(("3", "AuditScreen"), ("enter", "AuditScreen"), ("enter", "ReadingScreen"), ("escape", "AuditScreen")),
}
"""Ways through all screens that show text from data."""
