"""A mistake is shown on the screen with what to do about it; it neither ends the wizard nor blocks it."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml
from textual.widgets._toast import Toast

from tests.waiting import wait_for_event
from tests.wizard.driving import arrive, dry_run_ended, stage_done, typed, until_shown
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.dry_run import DryRun
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Launched, StageStarted
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.worker import work
from tuneproof.tui.app import TuneproofApp
from tuneproof.tui.messages import RunChanged

SIZE = (80, 24)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A case with its own data in the current folder."""
    monkeypatch.chdir(tmp_path)
    rows = [{"input": f"Is {i} even?", "output": "no" if i % 2 else "yes"} for i in range(60)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    whole = {
        "decision": {"private_facts": False, "format_drift": True, "stable_task": True},
        "task": {"output": {"kind": "choice"}},
        "data": {"examples": "rows.jsonl"},
        "model": {"base": "sample"},
    }
    (tmp_path / "even.yaml").write_text(yaml.safe_dump(whole))
    return tmp_path / "even.yaml"


@pytest.mark.asyncio
async def test_text_that_cannot_be_read_is_refused_with_what_is_expected(case: Path) -> None:
    app = TuneproofApp(case)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await arrive(pilot, "DataScreen")
        await dry_run_ended(pilot)
        await pilot.press("4")
        await until_shown(pilot, "press f to freeze")
        for down, text, message in (
            (5, "ninety", "type a number between 0 and 100"),
            (2, "0.5 0.5", "type three numbers that add up to 1"),
        ):
            await pilot.press(*["down"] * down, "enter", "end", "ctrl+u")
            await typed(pilot, text)
            await pilot.press("enter")
            await until_shown(pilot, message)
            await pilot.press("escape")


@pytest.mark.asyncio
async def test_going_home_while_a_run_changes_is_safe(case: Path) -> None:
    app = TuneproofApp(case)
    async with app.run_test(size=SIZE) as pilot:
        await arrive(pilot, "DataScreen")
        await dry_run_ended(pilot)
        app.screen.post_message(RunChanged(app.state))
        app.action_home()
        await arrive(pilot, "HomeScreen")


@pytest.mark.asyncio
async def test_a_file_that_cannot_be_written_is_reported(case: Path) -> None:
    app = TuneproofApp()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("n", "a", "enter")
        await arrive(pilot, "DecideScreen")
        # A folder in the place of the file, because root may write to any file.
        (case.parent / "a.yaml").mkdir()
        await pilot.press("y")
        await until_shown(pilot, "cannot write")


@pytest.mark.asyncio
async def test_home_opens_although_runs_is_not_a_folder(case: Path) -> None:
    (case.parent / "runs").write_text("mine")
    app = TuneproofApp()
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "support_tickets")


def test_a_dry_run_is_ended_at_once_whatever_it_is_doing(case: Path) -> None:
    dry_run = DryRun(load_case(case))
    dry_run.start()
    worker = psutil.Process(wait_for_event(dry_run.store.path, Launched).pid)
    # Like a worker in the middle of an audit of an hour.
    worker.suspend()
    thread = threading.Thread(target=dry_run.discard, daemon=True)
    thread.start()
    thread.join(2)
    try:
        assert not thread.is_alive() and not dry_run.store.path.exists()
    finally:
        with suppress(psutil.NoSuchProcess):
            worker.kill()
        thread.join(60)


@pytest.mark.asyncio
async def test_why_the_data_cannot_be_read_stays_on_every_step_that_needs_it(case: Path) -> None:
    whole = yaml.safe_load(case.read_text())
    case.write_text(yaml.safe_dump(whole | {"data": whole["data"] | {"leave_out": ["no-such-check"]}}))
    app = TuneproofApp(case)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await arrive(pilot, "DataScreen")
        await until_shown(pilot, "✗ leave_out: there is no check `no-such-check`")
        assert not app.screen.query(Toast), "what stays on the screen needs no notice that goes away"
        await pilot.press("1")
        await arrive(pilot, "DecideScreen")
        await pilot.press("2")
        await until_shown(pilot, "✗ leave_out: there is no check `no-such-check`")


@pytest.mark.long
@pytest.mark.asyncio
async def test_a_freeze_that_crashed_can_be_resumed(case: Path) -> None:
    store = RunStore.create(Path("runs/even-1"), load_case(case))
    with EventLog(store.path / "events.jsonl") as log:
        log.emit(Launched(pid=psutil.Process().pid, process_started=1.0, tuneproof="0", until=Stage.SPLIT))
        log.emit(StageStarted(stage=Stage.ROUTE))
    app = TuneproofApp(store.path)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "even-1 ✗ crashed", "press r to resume")
        await pilot.press("3")
        await until_shown(pilot, "press 4 to see how to resume")
        await pilot.press("4", "r")
        await stage_done(pilot, Stage.SPLIT)
        await until_shown(pilot, "frozen; press c to continue to the baselines")


@pytest.mark.asyncio
async def test_an_endpoint_arm_without_an_endpoint_says_what_to_add_to_the_case(case: Path) -> None:
    store = RunStore.create(Path("runs/even-1"), load_case(case))
    assert work(store.path, Stage.SPLIT, StopRequest()) == ExitCode.DONE
    app = TuneproofApp(store.path)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until_shown(pilot, "even-1")
        await pilot.press("5")
        await arrive(pilot, "BaselinesScreen")
        await pilot.press("end")
        await until_shown(pilot, "your own server or a hosted one")
        await pilot.press("space", "r")
        await until_shown(pilot, "the case names no endpoint", "model: NAME")
