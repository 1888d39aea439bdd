"""A training continues without its screen; after a crash one key resumes it from the last checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import sample_case, set_options, tuneproof
from tests.wizard.driving import arrive, picture, until, until_shown
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.launch import stop_run
from tuneproof.engine.run.liveness import is_alive, worker_process
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.tui.app import TuneproofApp

SMALLER = ["baselines=[zero_shot]", "data.eval=null", "data.split={train: 0.6, validation: 0.15, eval: 0.25}", "training.probe_every=4"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder; a worker of its run is killed at the end, whatever happens."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    launched = _state(tmp_path / "runs" / "a").launched
    process = worker_process(launched) if launched else None
    if process is not None:
        process.kill()


@pytest.mark.asyncio
@pytest.mark.long
async def test_a_training_is_resumed_after_a_crash_and_left_running(here: Path) -> None:
    smaller = set_options(*SMALLER)
    assert tuneproof("--replay", sample_case(), "--run-dir", "runs/a", "--until", "baselines", *smaller, cwd=here).code == 0
    app = TuneproofApp(Path("runs/a"))
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "MethodScreen")
        await pilot.press("t", "enter")
        await until_shown(pilot, "how often each example is seen. Empty: the default.")
        await pilot.press("ctrl+u", *"500", "enter")
        await until_shown(pilot, "epochs 500 yours")
        await pilot.press("c")
        await arrive(pilot, "TrainScreen")
        await until_shown(pilot, "t starts: lora, 500 epochs")
        await pilot.press("t")
        await until(pilot, lambda: app.state.tuned.checkpoint is not None, "a checkpoint")
        await until_shown(pilot, "is saved", "safe to close this")
        first = app.state.launched
        assert first is not None
        psutil.Process(first.pid).kill()
        await until(pilot, lambda: app.state.status is RunStatus.CRASHED, "the crash")
        await until_shown(pilot, "the worker crashed; r resumes from the last checkpoint", "a ✗ crashed", "r Resume")
        assert not is_alive(first)
        await pilot.press("r")
        await until(pilot, lambda: resumed_at(app.state) >= 4 and app.state.tuned.last_step is not None, "a step after the crash")
        assert app.state.launched != first
        assert list(app.state.tuned.steps.step) == list(range(1, len(app.state.tuned.steps) + 1)), "no step is missing or twice"
        await pilot.press("q")
        await arrive(pilot, "QuitScreen")
        assert "tuneproof attach runs/a" in picture(pilot)
        await pilot.press("escape")
        await arrive(pilot, "TrainScreen")
        assert app.is_running and app.farewell is None
        await pilot.press("q", "l")
        await until(pilot, lambda: not app.is_running, "the end of the wizard")
        left = app.state.launched
    assert app.farewell == "runs/a is still running; come back with: tuneproof attach runs/a"
    assert left is not None and is_alive(left)
    assert "running  train" in tuneproof("runs", cwd=here).out
    process = worker_process(left)
    assert stop_run(here / "runs" / "a", left) and process is not None
    process.wait(60)
    assert _state(here / "runs" / "a").status is RunStatus.STOPPED


def resumed_at(state: RunState) -> int:
    return state.tuned.started.resumed_at if state.tuned.started else 0


def _state(run: Path) -> RunState:
    state = RunState()
    for event in EventReader(run / "events.jsonl").read():
        state.apply(event)
    return state
