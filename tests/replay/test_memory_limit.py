"""A training that runs out of memory continues by itself with smaller parts of a batch, and takes the same number of steps."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cgroups import memory_cgroup
from tests.conftest import ROOT, tuneproof
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Launched, StepLogged, Warned
from tuneproof.engine.run.killed import last_killed
from tuneproof.sample_cases import words

pytestmark = pytest.mark.long

BYTES_LEFT = 400 << 20
"""Memory that training may take beyond what the process has when it begins: less than eight long rows need, more than one does."""


@pytest.fixture
def prepared(write_case: Any, write_jsonl: Any, tmp_path: Path) -> Path:
    """A run of long rows up to its training."""
    rng = random.Random(0)
    rows = [{"input": " ".join(words.word(rng) for _ in range(300)), "output": f"answer {number}"} for number in range(24)]
    write_jsonl(rows)
    case = {
        "decision": {"private_facts": False, "format_drift": True, "stable_task": True, "labeled_examples": 60},
        "task": {"instruction": "Repeat.", "output": {"kind": "text"}},
        "data": {"examples": "rows.jsonl"},
        "model": {"base": "sample"},
        "baselines": ["zero_shot"],
        "method": {"name": "lora"},
        "training": {"batch_size": 8, "max_steps": 2},
    }
    run = tmp_path / "run"
    result = tuneproof("--replay", write_case(case), "--run-dir", run, "--until", "method")
    assert result.code == 0, result.err
    return run


def test_a_batch_that_does_not_fit_is_run_in_parts_by_a_fresh_process(prepared: Path) -> None:
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.small_memory_worker", str(BYTES_LEFT), str(prepared), "--until", "train"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    events = list(EventReader(prepared / "events.jsonl").read())
    warnings = [event.message for event in events if isinstance(event, Warned)]
    assert done.returncode == 0, (done.stderr[-2000:], warnings)
    parts = json.loads((prepared / "method.json").read_text())["planned"]["accumulation"]
    assert warnings[0] == f"out of memory with {8 // parts} rows at a time: continuing with {4 // parts}, {2 * parts} accumulation steps"
    assert [event.step for event in events if isinstance(event, StepLogged)] == [1, 2]
    pids = [event.pid for event in events if isinstance(event, Launched)]
    assert len(pids) >= 3 and pids[-1] == pids[-2]
    assert json.loads((prepared / "training" / "parts.json").read_text())["accumulation"] >= 2 * parts
    assert not psutil.pid_exists(pids[-1])


CONTAINER_BYTES = 2_000_000_000


def test_a_worker_that_the_kernel_killed_in_a_step_is_followed_by_one_with_smaller_parts(prepared: Path) -> None:
    with memory_cgroup(CONTAINER_BYTES) as group:
        command = [sys.executable, "-m", "tests.hungry_worker", prepared, "--until", "train"]
        died = subprocess.run(group.command(*command), cwd=ROOT, capture_output=True, timeout=300)
    assert died.returncode == -signal.SIGKILL
    killed = last_killed(prepared / "events.jsonl")
    assert killed is not None and killed.for_memory and killed.goes_on_smaller
    parts = json.loads((prepared / "method.json").read_text())["planned"]["accumulation"]
    command = [sys.executable, "-m", "tuneproof.engine.worker", prepared, "--until", "train"]
    assert subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, timeout=300).returncode == 0
    events = list(EventReader(prepared / "events.jsonl").read())
    warnings = [event.message for event in events if isinstance(event, Warned)]
    assert f"out of memory with {8 // parts} rows at a time: continuing with {4 // parts}, {2 * parts} accumulation steps" in warnings
    assert [event.step for event in events if isinstance(event, StepLogged)] == [1, 2]
