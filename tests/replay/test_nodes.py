"""A training on two nodes of a real Slurm cluster equals that of one process, and leaves no process on any node."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT, sample_case, set_options, tuneproof
from tests.slurm import (
    ON_SLURM,
    events_of,
    kill_worker,
    last_launch,
    missing_daemon,
    slurm_cluster,
    slurm_output,
    start_replay,
    train_and_interrupt,
    unfinished_jobs,
    wait_for_result,
    wait_until,
)
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.run.events import StepLogged, Stopped, TrainingFinished, TrainingStarted, Warned
from tuneproof.engine.run.store import RunStore

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(missing_daemon() is not None, reason=f"{missing_daemon()} is not installed: apt-get install slurm-wlm"),
]

QUICK = set_options("training.epochs=2", "training.probe_cases=4", "baselines=[zero_shot]")
TWO_PROCESSES = (*QUICK, *set_options("training.processes=2"))
TWO_NODES = (*ON_SLURM, *set_options("training.slurm.nodes=2"), *TWO_PROCESSES)

ROUNDING = 1e-5
"""The relative tolerance of a loss against that of one process, because float32 sums are taken in another order."""


@pytest.fixture(scope="module", autouse=True)
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with slurm_cluster(tmp_path_factory.mktemp("cluster"), nodes=2):
        yield


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a plan for two processes that is not trained yet; tests continue with a copy."""
    run = tmp_path_factory.mktemp("planned") / "run"
    result = tuneproof("--replay", sample_case(), "--run-dir", run, "--until", "method", *TWO_PROCESSES)
    assert result.code == 0, result.err
    return run


@pytest.fixture
def run(planned: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the planned run; its jobs are cancelled after the test."""
    yield shutil.copytree(planned, tmp_path / "run")
    if left := unfinished_jobs():
        slurm_output("scancel", *left)


@pytest.fixture(scope="module")
def two_node_run(planned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that was trained on two nodes."""
    run = shutil.copytree(planned, tmp_path_factory.mktemp("two_nodes") / "run")
    result = wait_for_result(start_replay(run, "--resume", *TWO_NODES), run)
    assert result.code == 0, result.err + (run / "worker.log").read_text()
    return run


def losses(run: Path) -> list[float]:
    return [event.loss for event in events_of(run) if isinstance(event, StepLogged)]


def steps(run: Path) -> list[int]:
    return [event.step for event in events_of(run) if isinstance(event, StepLogged)]


def weights(run: Path) -> str:
    """The digest of the weights that the training kept."""
    return [event.adapter_sha256 for event in events_of(run) if isinstance(event, TrainingFinished)][-1]


def processes_of_job(job: str) -> list[psutil.Process]:
    """The processes of a job on all nodes."""
    return [process for process in psutil.process_iter() if environment(process).get("SLURM_JOB_ID") == job]


def environment(process: psutil.Process) -> dict[str, str]:
    with suppress(psutil.Error):
        return dict(process.environ())
    return {}


def command(process: psutil.Process) -> list[str]:
    """The command line of a process, which every user of the machine can read."""
    with suppress(psutil.Error):
        return list(process.cmdline())
    return []


def rank_on_second_node(run: Path) -> psutil.Process:
    """The training process on the node without the worker."""
    found = [
        each
        for each in processes_of_job(job_of(run))
        if environment(each).get("RANK") == "1" and environment(each)["SLURMD_NODENAME"] == "n1"
    ]
    assert len(found) == 1
    return found[0]


def job_of(run: Path) -> str:
    job = last_launch(run).slurm_job
    assert job is not None
    return job


def wait_until_nothing_is_left(job: str) -> None:
    wait_until(lambda: unfinished_jobs() == [], "an empty queue")
    wait_until(lambda: processes_of_job(job) == [], "the end of all processes")


def test_two_nodes_have_the_losses_of_one_process_one_log_and_a_card_that_verifies(two_node_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "alone"
    alone = tuneproof("--replay", sample_case(), "--run-dir", run, "--until", "train", *QUICK)
    assert alone.code == 0, alone.err
    assert losses(two_node_run) == pytest.approx(losses(run), rel=ROUNDING) and len(losses(run)) == 12
    assert (
        steps(two_node_run) == steps(run) and len([event for event in events_of(two_node_run) if isinstance(event, TrainingFinished)]) == 1
    )
    assert tuneproof("verify", two_node_run).code == 0
    wait_until_nothing_is_left(job_of(two_node_run))


@pytest.mark.parametrize(
    "end",
    [lambda replay: replay.send_signal(signal.SIGINT), lambda _: slurm_output("scancel", *unfinished_jobs())],
    ids=["by an interrupt", "by Slurm"],
)
def test_interrupted_nodes_stop_at_a_checkpoint_and_resume_to_the_same_weights(
    two_node_run: Path, run: Path, end: Callable[[subprocess.Popen[str]], object]
) -> None:
    result = train_and_interrupt(run, end, *TWO_NODES)
    assert result.code == 130 and isinstance(events_of(run)[-1], Stopped), result.err + (run / "worker.log").read_text()
    wait_until_nothing_is_left(job_of(run))
    assert wait_for_result(start_replay(run, "--resume", "--until", "train", *TWO_NODES), run).code == 0
    assert [event.resumed_at > 0 for event in events_of(run) if isinstance(event, TrainingStarted)] == [False, True]
    assert steps(run) == steps(two_node_run) and weights(run) == weights(two_node_run)


def test_if_a_process_on_the_second_node_is_killed_the_run_fails_and_can_be_resumed_on_this_machine(run: Path) -> None:
    def kill_a_rank(_: object) -> None:
        (file,) = (run / "slurm").glob("*.rendezvous")
        key = environment(rank_on_second_node(run))["TUNEPROOF_CONTROL_KEY"]
        assert key in file.read_text() and file.stat().st_mode & 0o077 == 0
        assert not any(key in word for process in psutil.process_iter() for word in command(process))
        rank_on_second_node(run).kill()

    result = train_and_interrupt(run, kill_a_rank, *TWO_NODES)
    assert result.code == int(ExitCode.FAILED) and "processes was killed" in result.err and "--resume" in result.err, result.err
    wait_until_nothing_is_left(job_of(run))
    assert list((run / "slurm").glob("*.rendezvous")) == []
    assert tuneproof("--replay", sample_case(), "--run-dir", run, "--resume", "--until", "train", *TWO_PROCESSES).code == 0


def test_a_killed_worker_leaves_no_process_on_any_node(run: Path) -> None:
    # Its parent, which would signal the other node, is killed too.
    result = train_and_interrupt(run, lambda _: kill_worker(run), *TWO_NODES)
    assert result.code == int(ExitCode.FAILED) and "the worker was killed" in result.err, result.err
    wait_until_nothing_is_left(job_of(run))


def test_if_a_process_of_the_second_node_runs_out_of_memory_all_continue_with_more_accumulation(run: Path) -> None:
    RunStore(run).amend(load_case(sample_case(), TWO_NODES[1::2]))
    (run / "slurm").mkdir()
    program = [sys.executable, "-m", "tests.failing_slurm_task", str(run)]
    step = ["srun", "--nodes=2", "--ntasks-per-node=1", "--kill-on-bad-exit=1", *program]
    done = subprocess.run(step, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300)
    assert done.returncode == 0, (run / "worker.log").read_text()
    warnings = [event.message for event in events_of(run) if isinstance(event, Warned)]
    assert len(warnings) == 1 and warnings[0].endswith("continuing with 4, 2 accumulation steps"), warnings
    assert steps(run) == list(range(1, 1 + len(steps(run))))
    wait_until_nothing_is_left(job_of(run))
