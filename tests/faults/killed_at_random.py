"""SIGKILL at random times of a replay: of the command, of its worker, or of both at once, as when a machine goes down."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

from tests.conftest import COMMAND, ROOT
from tests.faults.commands import HUNG_SECONDS, Ended
from tests.faults.killed_at_operation import check_finished
from tests.faults.sizes import Size
from tests.faults.small_case import SmallCase
from tests.faults.tally import Tally
from tuneproof.engine.core.errors import ExitCode

SEED = 20_251


def inject(size: Size, folder: Path) -> Tally:
    """Kills one run after another, and finishes each."""
    case, tally, rng = SmallCase.measured(folder, trains=size is not Size.TINY), Tally("SIGKILL at a random time"), random.Random(SEED)
    for number in range(size.of(1, 3, 200)):
        seconds, victims = rng.uniform(0, case.seconds), rng.choice(["the command", "the worker", "both"])
        fault, run_dir = f"{victims} killed after {seconds:.2f} s", folder / str(number)
        tally.injected += 1
        ended = _killed(case, run_dir, seconds, victims)
        if ended.code != -signal.SIGKILL:
            tally.check_end(fault, ended, {0, ExitCode.FAILED})
        check_finished(tally, fault, case, run_dir)
    return tally


def _killed(case: SmallCase, run_dir: Path, seconds: float, victims: str) -> Ended:
    with tempfile.TemporaryFile("w+", errors="replace") as err:
        words = [str(word) for word in (COMMAND, *case.words(run_dir))]
        process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            workers = psutil.Process(process.pid).children(recursive=True)
            pids = [each.pid for each in workers] if victims != "the command" else []
            # Before there is a worker, the command is all that can be killed.
            for pid in [*([process.pid] if victims != "the worker" or not pids else []), *pids]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        code = process.wait(HUNG_SECONDS)
        err.seek(0)
        return Ended(code, err.read())
