"""How a worker ended is known from its log and its process, at whichever moment it was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.event_log import EventLog, end_of_whole_lines
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Failed, Finished, Launched, Stopped
from tuneproof.engine.run.launch import not_started
from tuneproof.engine.run.process import LocalWorker
from tuneproof.engine.run.store import EVENTS, WORKER_LOG


def worker_of(folder: Path, script: str) -> LocalWorker:
    """A process that has ended, in the place of a worker, and whose output is in the worker's log after that of an earlier one."""
    log = folder / WORKER_LOG
    log.write_text("an earlier worker's last words\n")
    begin = log.stat().st_size
    with log.open("ab") as file:
        process = subprocess.Popen(["sh", "-c", script], stdout=file, stderr=file)
    process.wait()
    return LocalWorker(process, folder, log_offset=begin)


def log_events(worker: LocalWorker, *events: Event) -> None:
    launched = Launched(pid=worker.process.pid, process_started=0.0, tuneproof="0", until=Stage.CARD)
    with EventLog(worker.run_dir / EVENTS) as log:
        for event in (launched, *events):
            log.emit(event)


@pytest.mark.parametrize("script", ["kill -KILL $$", "kill -SEGV $$", "kill -TERM $$", "exit 120"])
@pytest.mark.parametrize(
    ("logged", "code"),
    [(Finished(), ExitCode.DONE), (Stopped(), ExitCode.INTERRUPTED), (Failed(exit_code=ExitCode.REFUSED, message="m"), ExitCode.REFUSED)],
    ids=["finished", "stopped", "failed"],
)
def test_a_worker_that_is_killed_after_its_last_event_has_ended_as_it_logged(
    script: str, logged: Event, code: ExitCode, tmp_path: Path
) -> None:
    worker = worker_of(tmp_path, script)
    log_events(worker, logged)
    assert worker.exit_code() == code


def test_what_an_earlier_worker_logged_is_not_the_end_of_one_that_was_killed(tmp_path: Path) -> None:
    worker = worker_of(tmp_path, "kill -KILL $$")
    log_events(worker, Finished())
    log_events(worker)
    assert worker.exit_code() == ExitCode.FAILED


@pytest.mark.parametrize(
    ("script", "code", "why"),
    [
        ("kill -KILL $$", ExitCode.FAILED, "it was ended by SIGKILL, as the system does when memory runs out"),
        ("kill -SEGV $$", ExitCode.FAILED, "it was ended by SIGSEGV"),
        ("echo 'Traceback'; echo 'ImportError: no torch'; exit 1", ExitCode.DEFECT, "ImportError: no torch"),
        ("exit 0", ExitCode.FAILED, "it ended without a word"),
        ("exit 77", ExitCode.FAILED, "it ended without a word"),
    ],
)
def test_a_worker_that_ends_before_it_begins_is_reported_with_what_ended_it_where_and_what_to_do(
    script: str, code: ExitCode, why: str, tmp_path: Path
) -> None:
    worker = worker_of(tmp_path, script)
    ended, error = not_started(worker)
    assert ended is code and error.what == f"the worker did not start: {why}" and error.where == str(tmp_path)
    assert error.fix == f"worker.log in the run folder may say more; continue with --resume --run-dir {tmp_path}"


def test_a_worker_that_does_not_begin_in_time_is_ended_and_has_failed(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    ended, error = not_started(LocalWorker(process, tmp_path, starts_within=0.5))
    assert ended is ExitCode.FAILED and error.what == "the worker did not start: it has not begun after 0.5 s"
    assert process.stdin is not None
    process.stdin.close()


def test_a_worker_is_followed_from_where_its_first_event_will_be_although_the_log_ends_in_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / EVENTS
    with EventLog(path) as log:
        log.emit(Finished())
    with path.open("ab") as file:
        file.write(b'{"v":2,"kind":"heartbeat","seq":' + b"1" * 4096)
    reader = EventReader(path, end_of_whole_lines(path))
    with EventLog(path) as log:
        log.emit(Stopped())
    assert [event.kind for event in reader.read()] == ["stopped"]
