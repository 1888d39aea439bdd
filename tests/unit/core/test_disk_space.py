"""Room on a disk is looked at before something is written, on file systems that are really small."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.disks import fill
from tuneproof.engine.core.disk_space import folder_bytes, free_bytes, megabytes, require_room, room_for_files
from tuneproof.engine.core.errors import DiskFull, ExitCode


def test_what_has_no_room_is_refused_with_the_megabytes_needed_and_free(small_disk: Path) -> None:
    require_room(small_disk, 20_000_000, "the next checkpoint")
    fill(small_disk, leave=4_000_000)
    with pytest.raises(DiskFull, match=r"no room for the next checkpoint: 20.0 MB are needed, [34].\d MB are free") as caught:
        require_room(small_disk, 20_000_000, "the next checkpoint")
    assert caught.value.where == str(small_disk) and "--resume" in caught.value.fix and caught.value.exit_code is ExitCode.FAILED


def test_the_room_of_a_folder_that_is_not_there_yet_is_that_of_the_one_above(small_disk: Path) -> None:
    assert free_bytes(small_disk / "run" / "training") == free_bytes(small_disk) == 24 << 20


def test_a_file_system_that_reports_no_size_is_not_taken_for_full() -> None:
    assert free_bytes(Path("/proc")) is None
    require_room(Path("/proc"), 1 << 60, "anything")


def test_files_take_whole_blocks_and_a_folder_all_that_is_below_it(tmp_path: Path) -> None:
    assert room_for_files(1, 4096, 0) == 8192
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name, size in (("one", 3), ("a/two", 4), ("a/b/three", 5)):
        (tmp_path / name).write_bytes(b"x" * size)
    assert folder_bytes(tmp_path) == 12 and folder_bytes(tmp_path / "none") == 0


def test_what_is_needed_and_what_is_free_never_read_the_same() -> None:
    assert megabytes(2_940_001, up=True) == "3.0 MB" and megabytes(2_940_000) == "2.9 MB"
