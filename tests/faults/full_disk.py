"""A file system that really fills up, at a chosen file operation: at the creation of a run, at every stage, at every checkpoint."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.faults.at_operation import Fault, Program, environment
from tests.faults.commands import FAULTY_COMMAND, run
from tests.faults.killed_at_operation import check_finished, watched
from tests.faults.sizes import Size, spread
from tests.faults.small_case import SmallCase
from tests.faults.tally import Tally
from tuneproof.engine.core.errors import ExitCode

SIZE = "64m"
"""Many times what a run of the small case takes."""

TURNS = ("stage_started", "training_started", "step_logged", "checkpoint_saved")
"""Events before which much is written next."""


def inject(size: Size, folder: Path) -> Tally:
    """Fills a tmpfs at one operation after another, makes room again, and finishes each run."""
    tally = Tally("a disk that fills up")
    most = (size.of(1, 2, 0), size.of(1, 4, 0), size.of(0, 0, 1000), size.of(0, 3, 10_000))
    try:
        with tmpfs(folder / "disk") as disk:
            for case, program, operations, count in watched(folder, *most):
                for number in spread(len(operations), count) if size is Size.WHOLE else turns(operations, count):
                    _fill(tally, case, disk, program, number, operations[number - 1])
    except PermissionError as error:
        tally.skipped.append(str(error))
    return tally


def turns(operations: Sequence[str], most: int) -> list[int]:
    """So many of the operations that much is written after: the begin of a stage, a step, a checkpoint."""
    found = [number for number, line in enumerate(operations, 1) if line.endswith(TURNS)] or list(range(1, len(operations) + 1))
    return [found[at - 1] for at in spread(len(found), most)]


@contextmanager
def tmpfs(folder: Path) -> Iterator[Path]:
    """A small file system in memory. Raises PermissionError where none can be mounted."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True, text=True)
    if mounted.returncode:
        raise PermissionError(f"no tmpfs can be mounted: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(tally: Tally, case: SmallCase, disk: Path, program: Program, number: int, operation: str) -> None:
    fault, run_dir = f"disk full at operation {number} of the {program}, {operation}", disk / "run"
    full = run(*case.words(run_dir), program=FAULTY_COMMAND, environment=environment(program, run_dir, number=number, fault=Fault.FILL))
    tally.injected += 1
    # What is left to write may fit into what the files already take.
    tally.check_end(fault, full, {0, ExitCode.FAILED}, "the disk " if full.code == ExitCode.FAILED else "")
    (disk / "ballast").unlink(missing_ok=True)
    check_finished(tally, fault, case, run_dir)
    shutil.rmtree(run_dir, ignore_errors=True)
