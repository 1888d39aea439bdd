"""What the worker is busy with, and that it is stopping, is on the screen, whichever step is shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.snapshots.record import TRAINING
from tests.wizard.driving import arrive, shown, until, until_shown
from tuneproof.engine.core.errors import LossNotFinite
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Failed, Progressed, Stopped, StopRequested
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
            await until_shown(pilot, "answering validation cases ███░░░░░░░░░ 6 of 24")
            log.emit(StopRequested())
            await until_shown(pilot, "stopping… a checkpoint is saved first; r goes on from there")
            await pilot.press("5")
            await arrive(pilot, "BaselinesScreen")
            await until_shown(pilot, "stopping…", "6 of 24")
            log.emit(Stopped())
        await until(pilot, lambda: not app.state.stopping, "the end of the worker")
        await until(pilot, lambda: not app.screen.query_one("#work").display, "no work")


@pytest.mark.asyncio
async def test_a_loss_that_is_not_finite_is_answered_with_a_lower_learning_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = shutil.copytree(TRAINING, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    with EventLog(run / "events.jsonl") as log:
        fix = "0.002 is probably too high: lower it and add --resume, and the training begins again"
        log.emit(Failed.of(LossNotFinite("the loss is not finite at step 30", where="training.learning_rate", fix=fix)))
    app = TuneproofApp(run)
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "TrainScreen")
        await until_shown(pilot, "r trains again with a lower learning rate", "r Resume")
        assert "--resume" not in shown(pilot) and "training.learning_rate" not in shown(pilot)
        await pilot.press("r")
        await until_shown(pilot, "A lower learning rate", "train again with 0.0007")
        await pilot.press("n")
        await pilot.press("6")
        await arrive(pilot, "MethodScreen")
        await pilot.press("t")
        await until_shown(pilot, "Which setting?")
