"""A worker that dies, and a run that is left while it is in progress."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.conftest import sample_case, tuneproof
from tests.wizard.driving import picture, stage_done, until, until_shown
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.state import RunStatus
from tuneproof.engine.session.steps import WizardStep
from tuneproof.screens.steps import screen_of
from tuneproof.tui.app import TuneproofApp

SHORT = "baselines=[zero_shot, constrained]"


@pytest.mark.asyncio
@pytest.mark.long
async def test_a_killed_worker_is_shown_as_crashed_and_can_be_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "runs" / "a"
    assert tuneproof("--replay", sample_case(), "--run-dir", run, "--until", "split", "--set", SHORT).code == 0
    app = TuneproofApp(Path("runs/a"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "r runs the arms that are marked")
        await pilot.press("space", "r")
        await until(pilot, lambda: app.state.status is RunStatus.RUNNING, "the worker")
        await pilot.press("q")
        await until_shown(pilot, "tuneproof attach runs/a")
        await pilot.press("escape")
        assert app.state.launched is not None
        psutil.Process(app.state.launched.pid).kill()
        await until(pilot, lambda: app.state.status is RunStatus.CRASHED, "the crash")
        await until_shown(pilot, "r resumes where it was", "the worker was killed")
        await pilot.press("r")
        await stage_done(pilot, Stage.BASELINES)
        assert set(app.state.arms) == {"constrained"} and "constrained" in picture(pilot)
        await pilot.press("q")
    assert app.farewell == "open it again with: tuneproof attach runs/a"


def test_every_step_explains_its_terms() -> None:
    for step in WizardStep:
        assert len(screen_of(step).HELP_TEXT.split()) > 60
