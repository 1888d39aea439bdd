"""A full disk is reported as that wherever it is met: by a file system that really fills."""

from __future__ import annotations

import errno
import resource
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conftest import COMMAND, sample_case, set_options, tuneproof
from tests.disks import fill, make_room
from tests.unit.run.test_creation import in_child
from tests.waiting import wait_for_event
from tuneproof.engine.core.errors import DiskFull
from tuneproof.engine.run.events import StepLogged, TrainingFinished
from tuneproof.engine.run.limits import is_disk_full, machine_limit
from tuneproof.engine.run.reserve import RESERVE, DiskReserve


def test_the_disk_is_asked_whatever_the_exception_says(small_disk: Path) -> None:
    hidden = RuntimeError("unexpected pos 64 vs 0")
    assert machine_limit(hidden, small_disk) is None
    fill(small_disk)
    assert is_disk_full(small_disk) and type(machine_limit(hidden, small_disk / "run" / "a.txt")) is DiskFull


def test_an_error_raised_from_a_full_disk_is_one() -> None:
    try:
        raise ValueError("cannot serialize") from OSError(errno.ENOSPC, "no space")
    except ValueError as error:
        assert type(machine_limit(error, Path("run"))) is DiskFull


def test_a_limit_on_the_size_of_a_file_is_asked_for(tmp_path: Path) -> None:
    def fails() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))
        assert machine_limit(RuntimeError("it failed"), tmp_path) is None
        (tmp_path / "checkpoint").write_bytes(b"x" * (2 << 20))
        assert type(machine_limit(RuntimeError("it failed"), tmp_path)) is DiskFull

    assert in_child(fails) == 0


def test_room_for_the_last_words_is_there_on_a_full_disk(small_disk: Path) -> None:
    with DiskReserve(small_disk) as reserve:
        fill(small_disk)
        reserve.release()
        (small_disk / "last words").write_bytes(b"x" * 32_000)
    assert not (small_disk / RESERVE).exists()


def test_a_run_on_a_full_disk_says_so_and_goes_on_once_there_is_room(small_disk: Path) -> None:
    fill(small_disk)
    full = tuneproof("--replay", "route_only.yaml", "--run-dir", small_disk / "run")
    assert full.code == 4 and "0.0 MB are free" in full.err and "defect" not in full.err
    make_room(small_disk)
    assert tuneproof("--replay", "route_only.yaml", "--run-dir", small_disk / "run", "--resume").code == 0


@pytest.mark.long
def test_a_disk_that_another_program_fills_while_the_run_trains_costs_nothing_but_time(small_disk: Path, run: Path) -> None:
    moved = small_disk / "run"
    shutil.copytree(run, moved)
    words = [str(COMMAND), "--replay", str(sample_case()), "--run-dir", str(moved), "--resume", "--until", "train"]
    replay = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_event(moved, StepLogged)
    while replay.poll() is None:
        fill(small_disk)
    err = replay.communicate()[1]
    assert replay.returncode == 4 and "the disk" in err and "defect" not in err, err
    make_room(small_disk)
    assert tuneproof(*words[1:]).code == 0


@pytest.mark.long
def test_a_run_folder_that_is_deleted_while_it_is_worked_on_stays_deleted(run: Path) -> None:
    words = [str(COMMAND), "--replay", str(sample_case()), "--run-dir", str(run), "--resume"]
    replay = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_event(run, StepLogged)
    shutil.rmtree(run.rename(run.with_name("moved")))
    err = replay.communicate(timeout=300)[1]
    assert replay.returncode == 4 and "the run folder was deleted" in err and not run.exists(), err


@pytest.mark.long
def test_a_loss_that_is_not_finite_asks_for_a_new_run_and_not_for_a_resume(tmp_path: Path) -> None:
    words = set_options("baselines=[zero_shot]", "training.learning_rate=1.0e+30")
    result = tuneproof("--replay", sample_case(), "--run-dir", tmp_path / "run", *words)
    assert result.code == 4 and "start a new run" in result.err and "resume" not in result.err


@pytest.mark.long
def test_a_run_that_its_disk_has_no_room_for_is_refused_before_it_trains_and_goes_on_once_there_is(small_disk: Path, run: Path) -> None:
    moved = small_disk / "run"
    shutil.copytree(run, moved)
    words = ["--replay", str(sample_case()), "--run-dir", str(moved), "--resume"]
    fill(small_disk, leave=8_000_000)
    refused = tuneproof(*words)
    assert refused.code == 3 and "the run would write" in refused.err and "are free" in refused.err and str(moved) in refused.err
    assert "evaluate.merged: false" in refused.err and not (moved / "training").exists()
    make_room(small_disk)
    assert tuneproof(*words).code == 0


@pytest.mark.long
def test_a_run_whose_room_is_taken_ends_before_the_merge_and_goes_on_once_there_is(small_disk: Path, run: Path) -> None:
    moved = small_disk / "run"
    shutil.copytree(run, moved)
    words = [str(COMMAND), "--replay", str(sample_case()), "--run-dir", str(moved), "--resume"]
    replay = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_event(moved, TrainingFinished)
    fill(small_disk, leave=2_000_000)
    err = replay.communicate()[1]
    assert replay.returncode == 4 and "no room for the merged model: 4.4 MB are needed" in err, err
    assert not (moved / "training/merged").exists()
    make_room(small_disk)
    assert tuneproof(*words[1:]).code == 0
