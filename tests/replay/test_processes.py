"""A run trained by several processes ends in a card that verifies, and none of them outlives a killed worker."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import ROOT, sample_case, tuneproof
from tests.failing_worker import FAILING_WORKER
from tuneproof.engine.card.plan_text import SHARDED
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import CheckpointSaved, StepLogged, TrainingFinished, TrainingStarted, Warned
from tuneproof.sample_cases import words

pytestmark = pytest.mark.long

DEADLINE = 300
"""Seconds within which a training of small steps saves its first checkpoint, even on a busy machine."""


@pytest.mark.parametrize(("sharding", "sharding_text"), [("none", ""), ("full", f", {SHARDED}")])
def test_a_case_trained_by_two_processes_ends_in_a_card_that_verifies(tmp_path: Path, sharding: str, sharding_text: str) -> None:
    run = tmp_path / "run"
    quick = ["training.processes=2", f"training.sharding={sharding}", "training.epochs=4", "baselines=[zero_shot]"]
    result = tuneproof("--replay", sample_case(), "--run-dir", run, *(word for setting in quick for word in ("--set", setting)))
    assert result.code == 0, result.err
    card = json.loads((run / "card.json").read_text())
    assert [arm["arm"] for arm in card["arms"]] == ["zero_shot", "tuned"] and card["verdict"]["answer"] == "tune"
    assert f"each batch is divided among 2 processes{sharding_text}; memory is per process" in (run / "card.md").read_text()
    assert tuneproof("verify", run).code == 0


@pytest.fixture
def planned(write_case: Any, write_jsonl: Any, tmp_path: Path) -> Path:
    """A run of two processes up to its training."""
    rng = random.Random(0)
    write_jsonl([{"input": " ".join(words.word(rng) for _ in range(8)), "output": f"answer {number}"} for number in range(40)])
    case = {
        "decision": {"private_facts": False, "format_drift": True, "stable_task": True, "labeled_examples": 60},
        "task": {"instruction": "Repeat.", "output": {"kind": "text"}},
        "data": {"examples": "rows.jsonl"},
        "model": {"base": "sample"},
        "baselines": ["zero_shot"],
        "method": {"name": "lora"},
        "training": {"batch_size": 4, "max_steps": 40, "probe_every": 5, "probe_cases": 2, "processes": 2},
    }
    run = tmp_path / "run"
    result = tuneproof("--replay", write_case(case), "--run-dir", run, "--until", "method")
    assert result.code == 0, result.err
    return run


def test_if_one_process_runs_out_of_memory_all_continue_with_more_accumulation(planned: Path) -> None:
    done = subprocess.run([*FAILING_WORKER, str(planned), "--until", "train"], cwd=ROOT, stdout=subprocess.DEVNULL, timeout=DEADLINE)
    events = list(EventReader(planned / "events.jsonl").read())
    assert done.returncode == 0
    assert [event.message for event in events if isinstance(event, Warned)] == [
        "out of memory with 2 rows at a time: continuing with 1, 2 accumulation steps"
    ]
    assert [event.step for event in events if isinstance(event, StepLogged)] == list(range(1, 41))


def start_worker(run: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tuneproof.engine.worker", str(run), "--until", "train"], stdout=subprocess.DEVNULL)


def weights(run: Path) -> str:
    """The digest of the adapter that the last training kept."""
    return [event.adapter_sha256 for event in EventReader(run / "events.jsonl").read() if isinstance(event, TrainingFinished)][-1]


def test_a_killed_worker_leaves_no_process_behind_and_resumes_to_the_same_weights(planned: Path, tmp_path: Path) -> None:
    whole = shutil.copytree(planned, tmp_path / "whole")
    assert start_worker(whole).wait() == 0
    killed, events, deadline = start_worker(planned), EventReader(planned / "events.jsonl"), time.monotonic() + DEADLINE
    while not any(isinstance(event, CheckpointSaved) for event in events.read()):
        assert killed.poll() is None and time.monotonic() < deadline
        with suppress(subprocess.TimeoutExpired):
            killed.wait(0.05)
    started = psutil.Process(killed.pid).children(recursive=True)
    killed.kill()
    killed.wait()
    assert len(started) == 3 and not psutil.wait_procs(started, timeout=60)[1]
    assert start_worker(planned).wait() == 0
    resumed = [event.resumed_at for event in EventReader(planned / "events.jsonl").read() if isinstance(event, TrainingStarted)]
    assert resumed[0] == 0 and 0 < resumed[-1] < 40
    steps = {event.step for event in EventReader(planned / "events.jsonl").read() if isinstance(event, StepLogged)}
    assert steps == set(range(1, 41)) and weights(planned) == weights(whole)
