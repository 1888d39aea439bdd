"""A training that is interrupted ends as one that is not: the same files, all its seconds, and a word about what was lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import COMMAND, sample_case, set_options, tuneproof
from tests.waiting import events_of, wait_for_event
from tuneproof.engine.run.events import CheckpointSaved, Launched, StepLogged, TrainingDropped, TrainingFinished, TrainingStarted, Warned
from tuneproof.engine.run.liveness import worker_process

pytestmark = pytest.mark.long

SETTINGS = set_options("baselines=[zero_shot]", "training.max_steps=24", "training.probe_every=4", "training.probe_cases=4")


@dataclass(frozen=True)
class Case:
    """A run that is planned, to be trained in copies."""

    planned: Path

    def train(self, run: Path, **env: str) -> Path:
        """Trains a copy to its end."""
        shutil.copytree(self.planned, run)
        result = tuneproof(*self.words(run), env=env)
        assert result.code == 0, result.err
        return run

    def words(self, run: Path) -> list[str]:
        return ["--replay", str(sample_case()), "--run-dir", str(run), "--resume", "--until", "train", *SETTINGS]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    run = tmp_path_factory.mktemp("planned") / "run"
    result = tuneproof("--replay", sample_case(), "--run-dir", run, "--until", "method", *SETTINGS)
    assert result.code == 0, result.err
    return Case(run)


@pytest.fixture(scope="module")
def whole(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return case.train(tmp_path_factory.mktemp("whole") / "run", PYTHONHASHSEED="1")


def adapter(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "training" / "adapter").iterdir()}


def test_equal_runs_have_equal_files(case: Case, whole: Path, tmp_path: Path) -> None:
    assert adapter(case.train(tmp_path / "run", PYTHONHASHSEED="2")) == adapter(whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_replay_that_is_ended_stops_its_worker_at_a_checkpoint_and_says_how_to_go_on(
    case: Case, whole: Path, tmp_path: Path, number: signal.Signals
) -> None:
    run = shutil.copytree(case.planned, tmp_path / "run")
    replay = subprocess.Popen([str(COMMAND), *case.words(run)], stderr=subprocess.PIPE, text=True)
    wait_for_event(run, StepLogged, lambda event: event.step >= 2)
    replay.send_signal(number)
    _, err = replay.communicate(timeout=120)
    assert replay.returncode == 130 and f"continue with --resume --run-dir {run}" in err
    saved = events_of(run, CheckpointSaved)
    assert worker_process(events_of(run, Launched)[-1]) is None and saved
    first = run / "training" / "checkpoints" / f"checkpoint-{saved[-1].step}"
    os.truncate(first / "optimizer.pt", 9)
    resumed = tuneproof(*case.words(run))
    assert resumed.code == 0 and f"{first.name} was dropped: its file optimizer.pt has changed since it was written" in resumed.err
    assert any(event.message.startswith(first.name) for event in events_of(run, Warned))
    assert adapter(run) == adapter(whole)


def test_the_seconds_of_a_resumed_training_add_up(case: Case, whole: Path, tmp_path: Path) -> None:
    run = shutil.copytree(case.planned, tmp_path / "run")
    replay = subprocess.Popen([str(COMMAND), *case.words(run)], stderr=subprocess.DEVNULL)
    checkpoint = wait_for_event(run, CheckpointSaved)
    step = wait_for_event(run, StepLogged, lambda event: event.step > checkpoint.step)
    process = worker_process(events_of(run, Launched)[-1])
    assert process is not None
    process.kill()
    assert replay.wait() == 4
    first = events_of(run, StepLogged)[0]
    assert tuneproof(*case.words(run)).code == 0
    finished, own = events_of(run, TrainingFinished)[-1], json.loads((run / "training" / "summary.json").read_text())["seconds"]
    last = [event for event in events_of(run, StepLogged) if event.seq > step.seq]
    assert finished.seconds == own > (step.ts - first.ts) + (last[-1].ts - last[0].ts)


def test_an_unfinished_training_takes_other_settings_and_begins_again(case: Case, tmp_path: Path) -> None:
    run = shutil.copytree(case.planned, tmp_path / "run")
    replay = subprocess.Popen([str(COMMAND), *case.words(run)], stderr=subprocess.DEVNULL)
    checkpoint = wait_for_event(run, CheckpointSaved)
    process = worker_process(events_of(run, Launched)[-1])
    assert process is not None
    process.kill()
    assert replay.wait() == 4
    other = set_options("training.learning_rate=1e-3", "training.max_steps=6")
    resumed = tuneproof(*case.words(run), *other)
    assert resumed.code == 0, resumed.err
    assert "training: begins again, because this changed: learning_rate 0.001 (before: " in resumed.err
    assert events_of(run, TrainingDropped)[0].checkpoints >= 1
    assert events_of(run, TrainingStarted)[-1].resumed_at == 0
    finished = events_of(run, TrainingFinished)[-1]
    assert finished.steps == 6 and finished.seconds < finished.ts - checkpoint.ts
    fresh = shutil.copytree(case.planned, tmp_path / "fresh")
    assert tuneproof(*case.words(fresh), *other).code == 0
    assert adapter(run) == adapter(fresh)
    refused = tuneproof(*case.words(run))
    assert refused.code == 3 and "the model is trained already, with another method or other settings" in refused.err


def test_a_loss_that_is_not_finite_goes_on_with_a_lower_learning_rate(case: Case, whole: Path, tmp_path: Path) -> None:
    run = shutil.copytree(case.planned, tmp_path / "run")
    failed = tuneproof(*case.words(run), *set_options("training.learning_rate=1e30"))
    assert failed.code == 4 and "lower it and add --resume, and the training begins again" in failed.err
    resumed = tuneproof(*case.words(run))
    assert resumed.code == 0 and "training: begins again, because this changed: learning_rate" in resumed.err
    assert adapter(run) == adapter(whole)
