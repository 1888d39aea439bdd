"""Too little memory: `ulimit -v`, and a control group whose limit the kernel enforces by killing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cgroups import memory_cgroup
from tests.conftest import COMMAND
from tests.faults.commands import run, wait_until_unlocked
from tests.faults.killed_at_operation import check_finished
from tests.faults.sizes import Size
from tests.faults.small_case import SmallCase
from tests.faults.tally import Tally
from tuneproof.engine.core.errors import ExitCode

MIB = 1 << 20

ADDRESS_SPACES = [6000, 400, 1500, 3000, 700, 1000, 2000, 4000, 5000]
"""Limits in MiB. Below 400 MiB Python itself cannot load what the command line needs."""

GROUPS = [300, 600, 150, 200, 250, 400, 500, 700, 800]
"""Limits in MiB. The smallest holds the command but no worker that trains."""

CODES = {0, int(ExitCode.FAILED), int(ExitCode.USAGE), int(ExitCode.REFUSED)}
"""It fits; it ran out; the machine, or the plan, says beforehand that it will not fit."""


def inject(size: Size, folder: Path) -> Tally:
    """Runs the case with one limit after another, and finishes each run without."""
    case, tally = SmallCase.measured(folder, trains=True), Tally("too little memory")
    for mebibytes in ADDRESS_SPACES[: size.of(0, 2, 9)]:
        fault, run_dir = f"ulimit -v of {mebibytes} MiB", folder / f"address-{mebibytes}"
        limited = ("bash", "-c", f'ulimit -v {mebibytes * 1024}; exec "$@"', "bash", str(COMMAND))
        _check(tally, case, fault, run_dir, limited)
    for mebibytes in GROUPS[: size.of(0, 2, 9)]:
        fault, run_dir = f"control group of {mebibytes} MiB", folder / f"group-{mebibytes}"
        try:
            with memory_cgroup(mebibytes * MIB) as group:
                _check(tally, case, fault, run_dir, tuple(group.command(COMMAND)))
        except pytest.skip.Exception as skipped:
            tally.skipped.append(str(skipped))
            break
    return tally


def _check(tally: Tally, case: SmallCase, fault: str, run_dir: Path, program: tuple[str, ...]) -> None:
    tally.injected += 1
    ended = run(*case.words(run_dir), program=program)
    wait_until_unlocked(run_dir)
    tally.check_end(fault, ended, CODES)
    check_finished(tally, fault, case, run_dir)
