"""SIGKILL at each file operation of a replay, one by one: in the command, and in its worker, where a line of the log is torn too."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

from tests.faults.at_operation import Program, environment, recording
from tests.faults.commands import FAULTY_COMMAND, forked, run, wait_until_unlocked
from tests.faults.sizes import Size, spread
from tests.faults.small_case import SmallCase, result_of
from tests.faults.tally import Tally
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage


def inject(size: Size, folder: Path) -> Tally:
    """Kills the command and its worker, each in a run of its own, and finishes every run."""
    tally = Tally("SIGKILL at a file operation")
    for case, program, operations, most in watched(folder, size.of(1, 3, 0), size.of(1, 6, 0), size.of(0, 0, 1000), size.of(0, 2, 10_000)):
        for number in spread(len(operations), most):
            _kill(tally, case, program, number, operations[number - 1])
    return tally


def watched(folder: Path, *most: int) -> Iterator[tuple[SmallCase, Program, list[str], int]]:
    """Cases and the file operations of their processes, with how many to disturb: in the command and the worker of a run up to its split,
    and of one that trains. An operation says what is done, to which file, and the event if one is written."""
    for trains, (command, worker) in ((False, most[:2]), (True, most[2:])):
        if command or worker:
            case = SmallCase.measured(folder / ("trained" if trains else "split"), trains=trains)
            records = _recorded(case)
            yield case, Program.COMMAND, records[Program.COMMAND], command
            yield case, Program.WORKER, records[Program.WORKER], worker


def _recorded(case: SmallCase) -> dict[Program, list[str]]:
    run_dir, record = case.path.with_name("recorded"), case.path.with_name("operations")
    ended = run(*case.words(run_dir), program=FAULTY_COMMAND, environment=recording(run_dir, record))
    assert ended.code == 0, ended.err
    assert result_of(run_dir) == case.undisturbed, "two undisturbed runs differ"
    return {program: Path(f"{record}.{program}").read_text(encoding="utf-8").splitlines() for program in Program}


def _kill(tally: Tally, case: SmallCase, program: Program, number: int, operation: str) -> None:
    run_dir = case.path.parent / f"{program}-{number}"
    fault = f"{program} killed at operation {number}, {operation}"
    killed = run(*case.words(run_dir), program=FAULTY_COMMAND, environment=environment(program, run_dir, number=number))
    tally.injected += 1
    if program is Program.WORKER:
        # Heartbeats come by the clock, so that the last operations may not be reached.
        tally.check_end(fault, killed, {0, ExitCode.FAILED})
    elif killed.code != -signal.SIGKILL:
        tally.check_end(fault, killed, {0})
    check_finished(tally, fault, case, run_dir)


def check_finished(tally: Tally, fault: str, case: SmallCase, run_dir: Path) -> None:
    """Finishes a disturbed run, compares it with the undisturbed one, verifies it, and removes it."""
    wait_until_unlocked(run_dir)
    finished = case.finish(run_dir)
    tally.check_end(f"{fault}, finished", finished, {0})
    tally.check_result(fault, finished, result_of(run_dir), case.undisturbed)
    if finished.code == 0 and case.until is Stage.CARD:
        tally.check_end(f"{fault}, verified", forked("verify", run_dir), {0})
    shutil.rmtree(run_dir, ignore_errors=True)
