"""A full disk is reported as that wherever it is met: by a file system that really fills."""

from __future__ import annotations

import errno
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import COMMAND, sample_case, set_options, tuneproof
from tests.unit.run.test_creation import in_child
from tests.waiting import wait_for_event
from tuneproof.engine.core.errors import DiskFull
from tuneproof.engine.run.events import StepLogged
from tuneproof.engine.run.limits import is_disk_full, machine_limit
from tuneproof.engine.run.reserve import RESERVE, DiskReserve


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(disk)], capture_output=True).returncode != 0:
        pytest.skip("only root can mount a file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Takes all room that there is, as another program may."""
    with (disk / "filler").open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError as error:
            assert error.errno == errno.ENOSPC


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
    assert full.code == 4 and "the disk is full" in full.err and "defect" not in full.err
    (small_disk / "filler").unlink()
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
    assert replay.returncode == 4 and "the disk is full" in err and "defect" not in err, err
    (small_disk / "filler").unlink()
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
