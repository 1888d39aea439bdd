"""A worker is alive only if the process that the log names is the one that runs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.unit.run.event_samples import folded, launched
from tuneproof.engine.run.events import Launched
from tuneproof.engine.run.launch import stop_run
from tuneproof.engine.run.liveness import WORKER_MODULE, is_alive
from tuneproof.engine.run.lock import RunLock
from tuneproof.engine.run.state import RunStatus

WAITING_PROCESS = [sys.executable, "-c", "input()"]
WAITING_WORKER = [*WAITING_PROCESS, "-m", WORKER_MODULE]


def worker_of(process: subprocess.Popen[bytes]) -> Launched:
    return launched(process.pid, psutil.Process(process.pid).create_time(), socket.gethostname())


def status(worker: Launched) -> RunStatus:
    state = folded(worker)
    state.check_alive()
    return state.status


def test_a_run_whose_worker_lives_is_running() -> None:
    me = psutil.Process()
    assert status(launched(me.pid, me.create_time())) is RunStatus.RUNNING


def test_another_process_with_the_pid_of_the_worker_is_not_the_worker() -> None:
    me = psutil.Process()
    assert status(launched(me.pid, me.create_time() - 1000)) is RunStatus.CRASHED


def test_a_run_on_another_machine_is_not_called_crashed() -> None:
    elsewhere = launched(1, 0.0, "elsewhere")
    assert status(elsewhere) is RunStatus.RUNNING and not stop_run(Path("run"), elsewhere)
    assert status(launched(1, 0.0, socket.gethostname())) is RunStatus.CRASHED


def test_a_zombie_worker_has_crashed() -> None:
    with subprocess.Popen(WAITING_PROCESS, stdin=subprocess.PIPE) as process:
        worker = worker_of(process)
        assert is_alive(worker)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
        assert not is_alive(worker) and not stop_run(Path("run"), worker)
        assert status(worker) is RunStatus.CRASHED


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[RunLock]:
    """The lock of a run folder."""
    (tmp_path / "run").mkdir()
    with RunLock.acquire(tmp_path / "run") as lock:
        yield lock


def test_only_the_process_that_the_log_names_is_stopped(tmp_path: Path, locked: RunLock) -> None:
    with subprocess.Popen(WAITING_WORKER, stdin=subprocess.PIPE, pass_fds=[locked.descriptor]) as process:
        worker = worker_of(process)
        assert not stop_run(tmp_path / "run", worker.model_copy(update={"process_started": worker.process_started - 1000}))
        assert stop_run(tmp_path / "run", worker)
        assert process.wait(timeout=60) == -signal.SIGTERM
    assert not stop_run(tmp_path / "run", worker)


def test_a_process_that_does_not_work_on_this_run_is_left_alone_whatever_the_log_says(tmp_path: Path, locked: RunLock) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "lock").symlink_to(tmp_path / "run" / "lock")
    (tmp_path / "none").mkdir()
    with (
        subprocess.Popen(WAITING_PROCESS, stdin=subprocess.PIPE, pass_fds=[locked.descriptor]) as stranger,
        subprocess.Popen(WAITING_WORKER, stdin=subprocess.PIPE, pass_fds=[locked.descriptor]) as worker,
    ):
        assert not stop_run(tmp_path / "run", worker_of(stranger)), "it is no worker"
        assert not stop_run(tmp_path / "other", worker_of(worker)), "it is the worker of another run"
        assert not stop_run(tmp_path / "none", worker_of(worker))
        assert stranger.poll() is None and worker.poll() is None
        stranger.kill()
        worker.kill()
