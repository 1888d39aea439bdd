"""The terminal is told when a run ends: under a replay and in the wizard, unless it was short or is switched off."""

from __future__ import annotations

import os
import pty
from pathlib import Path

import psutil
import pytest

from tests.conftest import COMMAND, sample_case
from tests.wizard.driving import until
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Finished, Launched
from tuneproof.engine.run.state import RunStatus
from tuneproof.engine.run.store import EVENTS, RunStore
from tuneproof.tui.app import TuneproofApp
from tuneproof.tui.notification import LEAST_SECONDS, notice

XTERM = {"TERM": "xterm-256color"}
LONG = LEAST_SECONDS + 1


@pytest.mark.parametrize(
    ("environment", "seconds", "written"),
    [
        (XTERM, LONG, "\x1b]9;it; ended\a\a"),
        (XTERM, 1, ""),
        ({"TERM": "foot"}, LONG, "\x1b]777;notify;tuneproof;it, ended\a\a"),
        (XTERM | {"VTE_VERSION": "7600"}, LONG, "\x1b]777;notify;tuneproof;it, ended\a\a"),
        (XTERM | {"TMUX": "/tmp/x"}, LONG, "\a"),
        ({"TERM": "linux"}, LONG, "\a"),
        (XTERM | {"TUNEPROOF_NOTIFY": "off"}, LONG, ""),
        (XTERM | {"TUNEPROOF_NOTIFY": "bell"}, 1, "\a"),
        (XTERM | {"TUNEPROOF_NOTIFY": "osc9"}, 1, "\x1b]9;it; ended\a\a"),
    ],
)
def test_the_notice_is_what_the_terminal_understands(environment: dict[str, str], seconds: float, written: str) -> None:
    assert notice("it; ended", seconds, environment) == written


def test_the_name_of_a_run_writes_no_control_sequence() -> None:
    assert notice("a\x1b]0;b\a", LONG, XTERM).count("\x1b") == 1


def test_a_replay_in_a_terminal_ends_with_the_notice(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(COMMAND, [str(COMMAND), "--replay", "route_only.yaml"], os.environ | {"TUNEPROOF_NOTIFY": "osc777"})
    shown = b""
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
    except OSError:
        # The other end is closed: the command has ended.
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
    assert b"\x1b]777;notify;tuneproof;route-only-1 finished" in shown


@pytest.mark.asyncio
async def test_the_wizard_tells_the_terminal_when_the_run_it_watches_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEPROOF_NOTIFY", "osc777")
    me = psutil.Process()
    store = RunStore.create(tmp_path / "runs" / "one", load_case(sample_case()))
    with EventLog(store.path / EVENTS) as log:
        log.emit(Launched(pid=me.pid, process_started=me.create_time(), tuneproof="0", until=Stage.CARD))
        app = TuneproofApp(store.path)
        async with app.run_test(size=(80, 24)) as pilot:
            written: list[str] = []
            monkeypatch.setattr(app._driver, "write", written.append)
            await until(pilot, lambda: app.state.status is RunStatus.RUNNING, "a running run")
            log.emit(Finished(), sync=True)
            await until(pilot, lambda: any("notify;tuneproof;one finished" in text for text in written), "the notice")
