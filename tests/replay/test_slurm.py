"""A case whose worker is a job of a Slurm cluster: a real cluster of one node, which the tests start."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import sample_case, tuneproof
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
    wait_for_job,
    wait_for_result,
    wait_until,
)
from tuneproof.engine.case.draft import Draft
from tuneproof.engine.core.errors import ExitCode, GateClosed
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.events import Stopped, TrainingStarted
from tuneproof.engine.run.launch import stop_run
from tuneproof.engine.run.liveness import is_alive
from tuneproof.engine.run.store import EVENTS
from tuneproof.engine.session.case_session import CaseSession

pytestmark = pytest.mark.skipif(missing_daemon() is not None, reason=f"{missing_daemon()} is not installed: apt-get install slurm-wlm")

ON_HOLD = (*ON_SLURM, "--set", "training.slurm.extra={hold: true}")
"""A job that stays in the queue until it is released."""


@pytest.fixture(scope="module", autouse=True)
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with slurm_cluster(tmp_path_factory.mktemp("cluster")):
        yield


@pytest.mark.long
def test_the_worker_is_a_job_and_its_run_is_like_any_other(tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = tuneproof("--replay", sample_case(), "--until", "split", "--run-dir", run, *ON_SLURM, "--set", "training.slurm.hours=1")
    assert result.code == 0 and result.out.startswith("route: fine-tuning candidate\n"), result.err
    job = last_launch(run).slurm_job
    assert job is not None and result.err.count(f"Slurm job {job} is queued") == 1 and "[split]" in result.err
    assert "#SBATCH --time=60" in (run / "slurm" / f"{job}_submission.sh").read_text()
    assert (run / "worker.log").is_file()
    assert "finished" in tuneproof("runs", tmp_path).out


def test_a_job_that_slurm_would_refuse_is_an_error_before_the_run_begins(tmp_path: Path) -> None:
    result = tuneproof("--replay", sample_case(), "--run-dir", tmp_path / "run", *ON_SLURM, "--set", "training.slurm.partition=nowhere")
    assert result.code == 3 and "training.slurm: Slurm refuses the job: invalid partition specified: nowhere" in result.err
    assert len(result.err.splitlines()) == 1 and not (tmp_path / "run").exists()


def test_the_machine_of_the_job_decides_which_methods_can_be_trained(tmp_path: Path) -> None:
    result = tuneproof("--replay", sample_case(), "--run-dir", tmp_path / "run", *ON_SLURM, "--set", "method.name=qlora")
    assert result.code == 3 and "is queued" in result.err and "qlora cannot be trained here" in result.err, result.err


@pytest.mark.long
def test_a_queued_job_is_announced_and_an_interrupt_cancels_it(tmp_path: Path) -> None:
    run = tmp_path / "run"
    replay = start_replay(run, "--until", "split", *ON_HOLD)
    wait_for_job(run)
    replay.send_signal(signal.SIGINT)
    result = wait_for_result(replay, run)
    assert result.code == 130 and "is queued; Ctrl-C cancels it" in result.err and "--resume" in result.err
    assert not (run / EVENTS).exists()
    wait_until(lambda: unfinished_jobs() == [], "an empty queue")
    # A resumed run may have another launcher.
    assert tuneproof("--replay", sample_case(), "--until", "split", "--run-dir", run, "--resume").code == 0
    assert last_launch(run).slurm_job is None


@pytest.mark.long
def test_if_the_cluster_refuses_to_cancel_a_job_the_replay_says_so_and_continues(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (tmp_path / "scancel").write_text("#!/bin/sh\necho 'scancel: error: Access denied' >&2\nexit 1\n")
    (tmp_path / "scancel").chmod(0o755)
    replay = start_replay(run, "--until", "split", *ON_HOLD, PATH=f"{tmp_path}:{os.environ['PATH']}")
    job = wait_for_job(run)
    replay.send_signal(signal.SIGINT)
    # Once it is released, it runs to its end.
    slurm_output("scontrol", "release", job)
    result = wait_for_result(replay, run)
    assert result.code == 0 and f"Slurm job {job}: the job could not be cancelled: Access denied" in result.err, result.err


def test_a_queued_job_that_another_program_cancels_is_reported_as_not_started(tmp_path: Path) -> None:
    run = tmp_path / "run"
    replay = start_replay(run, "--until", "split", *ON_HOLD)
    job = wait_for_job(run)
    slurm_output("scancel", job)
    result = wait_for_result(replay, run)
    assert result.code == int(ExitCode.FAILED) and f"did not start: Slurm job {job} was cancelled before it started" in result.err


def test_the_wizard_submits_no_second_job_while_one_is_queued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bench = CaseSession(Draft.open_copy(sample_case(), tmp_path))
    bench.draft.choose(training={"launcher": "slurm", "slurm": {"extra": {"hold": True}}})
    bench.freeze()
    assert bench.waiting is not None and bench.waiting.endswith("is queued")
    with pytest.raises(GateClosed, match="is queued"):
        bench.resume(Stage.BASELINES)
    assert bench.stop_waiting() and not bench.stop_waiting()
    wait_until(lambda: unfinished_jobs() == [], "an empty queue")


@pytest.mark.long
def test_an_interrupt_stops_the_job_at_a_checkpoint(run: Path) -> None:
    result = train_and_interrupt(run, lambda replay: replay.send_signal(signal.SIGINT))
    assert result.code == 130 and isinstance(events_of(run)[-1], Stopped) and "--resume" in result.err, result.err


@pytest.mark.long
def test_a_job_that_slurm_cancels_stops_at_a_checkpoint_and_can_be_resumed_on_this_machine(run: Path) -> None:
    """Slurm sends SIGTERM to every process of the job, and SIGKILL later, as at a time limit or on preemption."""
    result = train_and_interrupt(run, lambda _: slurm_output("scancel", *unfinished_jobs()))
    assert result.code == 130 and isinstance(events_of(run)[-1], Stopped), result.err
    assert tuneproof("--replay", sample_case(), "--until", "train", "--run-dir", run, "--resume").code == 0
    assert [event.resumed_at > 0 for event in events_of(run) if isinstance(event, TrainingStarted)] == [False, True]


@pytest.mark.long
def test_a_job_that_is_killed_has_failed_and_can_be_resumed(run: Path) -> None:
    # The parent of the worker, which would record its exit code, is killed too, as a node without memory may do.
    result = train_and_interrupt(run, lambda _: kill_worker(run))
    assert result.code == int(ExitCode.FAILED) and "the worker was killed" in result.err, result.err


@pytest.mark.long
def test_a_job_can_be_watched_and_stopped_from_another_machine(run: Path) -> None:
    def stop_from_elsewhere(_: object) -> None:
        seen = last_launch(run).model_copy(update={"host": "elsewhere"})
        assert is_alive(seen) and stop_run(run, seen)

    result = train_and_interrupt(run, stop_from_elsewhere)
    assert result.code == 130, result.err
    wait_until(lambda: unfinished_jobs() == [], "an empty queue")
    seen = last_launch(run).model_copy(update={"host": "elsewhere"})
    assert not is_alive(seen) and not stop_run(run, seen)
