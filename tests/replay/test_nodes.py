"""A training on two nodes of a Slurm cluster is that of one process, and ends everywhere when it ends: on a real cluster of two nodes."""

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
from tests.slurm import ON_SLURM, asked, cluster, ended, events, jobs, kill_worker, launched, missing, replaying, trained_until, wait_until
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.run.events import StepLogged, Stopped, TrainingFinished, TrainingStarted, Warned
from tuneproof.engine.run.store import RunStore

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(missing() is not None, reason=f"{missing()} is not installed: apt-get install slurm-wlm"),
]

QUICK = set_options("training.epochs=2", "training.probe_cases=4", "baselines=[zero_shot]")
SHARED = (*QUICK, *set_options("training.processes=2"))
TWO_NODES = (*ON_SLURM, *set_options("training.slurm.nodes=2"), *SHARED)

ROUNDING = 1e-5
"""How far a loss may lie from that of one process: sums in float32 in another order."""


@pytest.fixture(scope="module", autouse=True)
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with cluster(tmp_path_factory.mktemp("cluster"), nodes=2):
        yield


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has everything but its training, which is to be shared; whoever goes on with it takes a copy."""
    run = tmp_path_factory.mktemp("settled") / "run"
    result = tuneproof("--replay", sample_case(), "--run-dir", run, "--until", "method", *SHARED)
    assert result.code == 0, result.err
    return run


@pytest.fixture
def run(settled: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of one's own, whose jobs are over in the end."""
    yield shutil.copytree(settled, tmp_path / "run")
    if left := jobs():
        asked("scancel", *left)


@pytest.fixture(scope="module")
def shared(settled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run whose training was shared by two nodes."""
    run = shutil.copytree(settled, tmp_path_factory.mktemp("shared") / "run")
    result = ended(replaying(run, "--resume", *TWO_NODES), run)
    assert result.code == 0, result.err + (run / "worker.log").read_text()
    return run


def losses(run: Path) -> list[float]:
    return [event.loss for event in events(run) if isinstance(event, StepLogged)]


def steps(run: Path) -> list[int]:
    return [event.step for event in events(run) if isinstance(event, StepLogged)]


def weights(run: Path) -> str:
    """The digest of what the training kept."""
    return [event.adapter_sha256 for event in events(run) if isinstance(event, TrainingFinished)][-1]


def of_job(job: str) -> list[psutil.Process]:
    """What runs of a job, on any node."""
    return [process for process in psutil.process_iter() if environment(process).get("SLURM_JOB_ID") == job]


def environment(process: psutil.Process) -> dict[str, str]:
    with suppress(psutil.Error):
        return dict(process.environ())
    return {}


def command(process: psutil.Process) -> list[str]:
    """What everybody on the machine can read of a process."""
    with suppress(psutil.Error):
        return list(process.cmdline())
    return []


def rank_of_second_node(run: Path) -> psutil.Process:
    """The process that trains on the node where the worker is not."""
    found = [each for each in of_job(job_of(run)) if environment(each).get("RANK") == "1" and environment(each)["SLURMD_NODENAME"] == "n1"]
    assert len(found) == 1
    return found[0]


def job_of(run: Path) -> str:
    job = launched(run).slurm_job
    assert job is not None
    return job


def nothing_is_left(job: str) -> None:
    wait_until(lambda: jobs() == [], "an empty queue")
    wait_until(lambda: of_job(job) == [], "an end of all processes")


def test_two_nodes_have_the_losses_of_one_process_one_log_and_a_card_that_verifies(shared: Path, tmp_path: Path) -> None:
    run = tmp_path / "alone"
    alone = tuneproof("--replay", sample_case(), "--run-dir", run, "--until", "train", *QUICK)
    assert alone.code == 0, alone.err
    assert losses(shared) == pytest.approx(losses(run), rel=ROUNDING) and len(losses(run)) == 12
    assert steps(shared) == steps(run) and len([event for event in events(shared) if isinstance(event, TrainingFinished)]) == 1
    assert tuneproof("verify", shared).code == 0
    nothing_is_left(job_of(shared))


@pytest.mark.parametrize(
    "end",
    [lambda watching: watching.send_signal(signal.SIGINT), lambda _: asked("scancel", *jobs())],
    ids=["by an interrupt", "by Slurm"],
)
def test_nodes_that_are_told_to_end_stop_at_a_checkpoint_and_go_on_to_the_same_weights(
    shared: Path, run: Path, end: Callable[[subprocess.Popen[str]], object]
) -> None:
    result = trained_until(run, end, *TWO_NODES)
    assert result.code == 130 and isinstance(events(run)[-1], Stopped), result.err + (run / "worker.log").read_text()
    nothing_is_left(job_of(run))
    assert ended(replaying(run, "--resume", "--until", "train", *TWO_NODES), run).code == 0
    assert [event.resumed_at > 0 for event in events(run) if isinstance(event, TrainingStarted)] == [False, True]
    assert steps(run) == steps(shared) and weights(run) == weights(shared)


def test_a_process_killed_on_the_second_node_fails_the_run_which_goes_on_on_this_machine(run: Path) -> None:
    def kill_a_rank(_: object) -> None:
        (file,) = (run / "slurm").glob("*.rendezvous")
        key = environment(rank_of_second_node(run))["TUNEPROOF_CONTROL_KEY"]
        assert key in file.read_text() and file.stat().st_mode & 0o077 == 0
        assert not any(key in word for process in psutil.process_iter() for word in command(process))
        rank_of_second_node(run).kill()

    result = trained_until(run, kill_a_rank, *TWO_NODES)
    assert result.code == int(ExitCode.FAILED) and "processes was killed" in result.err and "--resume" in result.err, result.err
    nothing_is_left(job_of(run))
    assert list((run / "slurm").glob("*.rendezvous")) == []
    assert tuneproof("--replay", sample_case(), "--run-dir", run, "--resume", "--until", "train", *SHARED).code == 0


def test_a_killed_worker_leaves_nothing_behind_on_any_node(run: Path) -> None:
    # Without what started it, which would tell the other node.
    result = trained_until(run, lambda _: kill_worker(run), *TWO_NODES)
    assert result.code == int(ExitCode.FAILED) and "the worker was killed" in result.err, result.err
    nothing_is_left(job_of(run))


def test_if_a_process_of_the_second_node_runs_out_of_memory_all_continue_with_more_accumulation(run: Path) -> None:
    RunStore(run).amend(load_case(sample_case(), TWO_NODES[1::2]))
    (run / "slurm").mkdir()
    program = [sys.executable, "-m", "tests.failing_slurm_task", str(run)]
    step = ["srun", "--nodes=2", "--ntasks-per-node=1", "--kill-on-bad-exit=1", *program]
    done = subprocess.run(step, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300)
    assert done.returncode == 0, (run / "worker.log").read_text()
    warnings = [event.message for event in events(run) if isinstance(event, Warned)]
    assert len(warnings) == 1 and warnings[0].endswith("continuing with 4, 2 accumulation steps"), warnings
    assert steps(run) == list(range(1, 1 + len(steps(run))))
    nothing_is_left(job_of(run))
