"""What the worker is busy with, and that it is stopping, is on the screen, whichever step is shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.snapshots.record import TRAINING
from tests.wizard.driving import arrive, until, until_shown
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Progressed, Stopped, StopRequested
from tuneproof.engine.run.work import Unit, Work
from tuneproof.tui.app import TuneproofApp


@pytest.mark.asyncio
async def test_work_in_progress_and_a_stop_are_shown_on_every_step_until_the_worker_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shutil.copytree(TRAINING, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    app = TuneproofApp(run)
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "TrainScreen")
        await until_shown(pilot, "training █", "steps/s")
        with EventLog(run / "events.jsonl") as log:
            log.emit(Progressed(work=Work.PROBING, done=0, of=24, unit=Unit.ANSWERS))
            log.emit(Progressed(work=Work.PROBING, done=6, of=24, unit=Unit.ANSWERS))
            await until_shown(pilot, "probe on validation cases ████░░░░░░░░░░░░ 6 of 24")
            log.emit(StopRequested())
            await until_shown(pilot, "stopping… a checkpoint is saved first; r goes on from there")
            await pilot.press("5")
            await arrive(pilot, "BaselinesScreen")
            await until_shown(pilot, "stopping…", "6 of 24")
            log.emit(Stopped())
        await until(pilot, lambda: not app.state.stopping, "the end of the worker")
        await until(pilot, lambda: not app.screen.query_one("#work").display, "no work")
