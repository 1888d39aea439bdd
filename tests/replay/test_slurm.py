"""A case whose worker is a job of a Slurm cluster: a real one, of one node, that the tests start for themselves."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import sample_case, tuneproof
from tests.slurm import (
    ON_SLURM,
    asked,
    cluster,
    ended,
    events,
    jobs,
    kill_worker,
    launched,
    missing,
    queued,
    replaying,
    trained_until,
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

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()} is not installed: apt-get install slurm-wlm")

HELD = (*ON_SLURM, "--set", "training.slurm.extra={hold: true}")
"""A job that waits in the queue for as long as nobody lets it go."""


@pytest.fixture(scope="module", autouse=True)
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with cluster(tmp_path_factory.mktemp("cluster")):
        yield


def test_the_worker_is_a_job_and_its_run_is_like_any_other(tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = tuneproof("--replay", sample_case(), "--until", "split", "--run-dir", run, *ON_SLURM, "--set", "training.slurm.hours=1")
    assert result.code == 0 and result.out.startswith("route: fine-tuning candidate\n"), result.err
    job = launched(run).slurm_job
    assert job is not None and result.err.count(f"Slurm job {job} is queued") == 1 and "[split]" in result.err
    assert "#SBATCH --time=60" in (run / "slurm" / f"{job}_submission.sh").read_text()
    assert (run / "worker.log").is_file()
    assert "finished" in tuneproof("runs", tmp_path).out


def test_what_slurm_would_refuse_is_told_before_anything_is_begun(tmp_path: Path) -> None:
    result = tuneproof("--replay", sample_case(), "--run-dir", tmp_path / "run", *ON_SLURM, "--set", "training.slurm.partition=nowhere")
    assert result.code == 3 and "training.slurm: Slurm does not take the job: invalid partition specified: nowhere" in result.err
    assert len(result.err.splitlines()) == 1 and not (tmp_path / "run").exists()


def test_what_can_be_trained_is_judged_on_the_machine_of_the_job(tmp_path: Path) -> None:
    result = tuneproof("--replay", sample_case(), "--run-dir", tmp_path / "run", *ON_SLURM, "--set", "method.name=qlora")
    assert result.code == 3 and "is queued" in result.err and "qlora cannot be trained here" in result.err, result.err


def test_a_queued_job_is_told_of_and_an_interrupt_takes_it_out_of_the_queue(tmp_path: Path) -> None:
    run = tmp_path / "run"
    watching = replaying(run, "--until", "split", *HELD)
    queued(run)
    watching.send_signal(signal.SIGINT)
    result = ended(watching, run)
    assert result.code == 130 and "is queued; Ctrl-C cancels it" in result.err and "--resume" in result.err
    assert not (run / EVENTS).exists()
    wait_until(lambda: jobs() == [], "an empty queue")
    # Where the worker runs may be chosen anew.
    assert tuneproof("--replay", sample_case(), "--until", "split", "--run-dir", run, "--resume").code == 0
    assert launched(run).slurm_job is None


def test_an_interrupt_that_the_cluster_does_not_take_is_told_and_the_watching_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (tmp_path / "scancel").write_text("#!/bin/sh\necho 'scancel: error: Access denied' >&2\nexit 1\n")
    (tmp_path / "scancel").chmod(0o755)
    watching = replaying(run, "--until", "split", *HELD, PATH=f"{tmp_path}:{os.environ['PATH']}")
    job = queued(run)
    watching.send_signal(signal.SIGINT)
    # Let go, it runs to its end.
    asked("scontrol", "release", job)
    result = ended(watching, run)
    assert result.code == 0 and f"Slurm job {job}: the job could not be ended: Access denied" in result.err, result.err


def test_a_job_that_somebody_else_takes_out_of_the_queue_did_not_start(tmp_path: Path) -> None:
    run = tmp_path / "run"
    watching = replaying(run, "--until", "split", *HELD)
    job = queued(run)
    asked("scancel", job)
    result = ended(watching, run)
    assert result.code == int(ExitCode.FAILED) and f"did not start: Slurm job {job} was ended before it began" in result.err


def test_the_wizard_submits_no_second_job_while_one_is_queued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bench = CaseSession(Draft.open_copy(sample_case(), tmp_path))
    bench.draft.choose(training={"launcher": "slurm", "slurm": {"extra": {"hold": True}}})
    bench.freeze()
    assert bench.waiting is not None and bench.waiting.endswith("is queued")
    with pytest.raises(GateClosed, match="is queued"):
        bench.resume(Stage.BASELINES)
    assert bench.stop_waiting() and not bench.stop_waiting()
    wait_until(lambda: jobs() == [], "an empty queue")


def test_an_interrupt_stops_the_job_at_a_checkpoint(run: Path) -> None:
    result = trained_until(run, lambda watching: watching.send_signal(signal.SIGINT))
    assert result.code == 130 and isinstance(events(run)[-1], Stopped) and "--resume" in result.err, result.err


@pytest.mark.long
def test_a_job_that_slurm_ends_stops_at_a_checkpoint_from_which_this_machine_can_go_on(run: Path) -> None:
    """As at its time limit, or to make place for another: SIGTERM to all that is in it, and some time later the end."""
    result = trained_until(run, lambda _: asked("scancel", *jobs()))
    assert result.code == 130 and isinstance(events(run)[-1], Stopped), result.err
    assert tuneproof("--replay", sample_case(), "--until", "train", "--run-dir", run, "--resume").code == 0
    assert [event.resumed_at > 0 for event in events(run) if isinstance(event, TrainingStarted)] == [False, True]


@pytest.mark.long
def test_a_job_that_is_killed_without_a_word_has_failed_and_can_be_resumed(run: Path) -> None:
    # What started it would tell how it ended; a node that runs out of memory may kill both.
    result = trained_until(run, lambda _: kill_worker(run))
    assert result.code == int(ExitCode.FAILED) and "the worker was killed" in result.err, result.err


@pytest.mark.long
def test_a_job_is_seen_and_stopped_from_another_machine(run: Path) -> None:
    def stop_from_elsewhere(_: object) -> None:
        seen = launched(run).model_copy(update={"host": "elsewhere"})
        assert is_alive(seen) and stop_run(seen)

    result = trained_until(run, stop_from_elsewhere)
    assert result.code == 130, result.err
    wait_until(lambda: jobs() == [], "an empty queue")
    seen = launched(run).model_copy(update={"host": "elsewhere"})
    assert not is_alive(seen) and not stop_run(seen)
