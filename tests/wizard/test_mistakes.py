"""What goes wrong while one works is told on the screen, with what to do; it neither ends the wizard nor holds it up."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml

from tests.wizard.driving import arrive, stage_done, tried, typed, until_shown
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
    """A case with data of one's own, in the folder where one stands."""
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
@pytest.mark.parametrize(
    ("row", "typed_in", "told"),
    [
        (4, "ninety", "type a number between 0 and 100"),
        (6, "0.5 0.5", "type three numbers that add up to 1"),
    ],
)
async def test_what_is_wrong_with_what_was_typed_is_said(case: Path, row: int, typed_in: str, told: str) -> None:
    app = TuneproofApp(case)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await arrive(pilot, "DataScreen")
        await tried(pilot)
        await pilot.press("4")
        await until_shown(pilot, "press f to freeze")
        await pilot.press(*["down"] * row, "enter", "end", "ctrl+u")
        await typed(pilot, typed_in)
        await pilot.press("enter")
        await until_shown(pilot, told)


@pytest.mark.asyncio
async def test_going_home_while_a_run_tells_of_itself_is_safe(case: Path) -> None:
    app = TuneproofApp(case)
    async with app.run_test(size=SIZE) as pilot:
        await arrive(pilot, "DataScreen")
        await tried(pilot)
        app.screen.post_message(RunChanged(app.state))
        app.action_home()
        await arrive(pilot, "HomeScreen")


@pytest.mark.asyncio
async def test_a_folder_that_cannot_be_written_to_is_told(case: Path) -> None:
    app = TuneproofApp()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("n", "a", "enter")
        await arrive(pilot, "DecideScreen")
        # As root may write everywhere: where the file would go lies a folder.
        (case.parent / "a.yaml").mkdir()
        await pilot.press("y")
        await until_shown(pilot, "cannot write")


@pytest.mark.asyncio
async def test_home_opens_where_runs_is_no_folder(case: Path) -> None:
    (case.parent / "runs").write_text("mine")
    app = TuneproofApp()
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "support_tickets")


def test_a_dry_run_is_ended_at_once_whatever_it_is_doing(case: Path) -> None:
    dry_run = DryRun(load_case(case))
    dry_run.start()
    assert dry_run._worker is not None
    worker = psutil.Process(dry_run._worker.process.pid)
    # As one that is in the middle of an hour of auditing.
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
async def test_a_freeze_that_crashed_can_be_gone_on_with(case: Path) -> None:
    store = RunStore.create(Path("runs/even-1"), load_case(case))
    with EventLog(store.path / "events.jsonl") as log:
        log.emit(Launched(pid=psutil.Process().pid, process_started=1.0, tuneproof="0", until=Stage.SPLIT))
        log.emit(StageStarted(stage=Stage.ROUTE))
    app = TuneproofApp(store.path)
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(pilot, "even-1 crashed", "press r to resume")
        await pilot.press("3")
        await until_shown(pilot, "press 4 to see how to resume")
        await pilot.press("4", "r")
        await stage_done(pilot, Stage.SPLIT)
        await until_shown(pilot, "frozen; press c to continue to the baselines")


@pytest.mark.asyncio
async def test_an_endpoint_that_the_case_does_not_name_is_told_with_what_to_add(case: Path) -> None:
    store = RunStore.create(Path("runs/even-1"), load_case(case))
    assert work(store.path, Stage.SPLIT, StopRequest()) == ExitCode.DONE
    app = TuneproofApp(store.path)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until_shown(pilot, "even-1")
        await pilot.press("5")
        await arrive(pilot, "BaselinesScreen")
        await pilot.press("end")
        await until_shown(pilot, "a server of yours or a hosted one")
        await pilot.press("space", "r")
        await until_shown(pilot, "the case names no endpoint", "model: NAME")
