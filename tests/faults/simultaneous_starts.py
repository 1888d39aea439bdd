"""Many commands that start at the same moment in one folder: one makes the run or goes on with it, and the others are told."""

from __future__ import annotations

import os
from pathlib import Path

from tests.faults.commands import Ended, Fork, forked, wait_until_unlocked
from tests.faults.sizes import Size
from tests.faults.small_case import replay_words, result_of, written
from tests.faults.tally import Tally
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage

TOLD = ("the folder is not empty", "another process is working on this run", "is not a run folder")


def inject(size: Size, folder: Path) -> Tally:
    """Starts them in a new folder, for a case that the command runs itself and for one that needs a worker, and then to resume."""
    tally, count = Tally("starts at the same moment"), size.of(6, 12, 50)
    case = written(folder)
    for at in range(size.of(1, 1, 10)):
        _start(tally, Path("route_only.yaml"), folder / f"light-{at}", Stage.CARD, count)
    if size is not Size.TINY:
        _start(tally, case, folder / "worker", Stage.SPLIT, count)
        _start(tally, case, folder / "worker", Stage.BASELINES, count, "--resume")
    return tally


def _start(tally: Tally, case: Path, run_dir: Path, until: Stage, count: int, *options: str) -> None:
    words = [*replay_words(case, run_dir, until), *options]
    ended = at_once(count, *words)
    wait_until_unlocked(run_dir)
    tally.injected += count
    fault = f"{count} starts of {case.name}{' to resume' if options else ''}"
    for each in ended:
        tally.check_end(fault, each, {0, ExitCode.USAGE})
        if each.code == ExitCode.USAGE and not any(words in each.err for words in TOLD):
            tally.unreported += 1
            tally.problems.append(f"{fault}: {each.err.strip()[-300:]}")
    made = sum(each.code == 0 for each in ended)
    # A start that comes when the first has ended finds everything done, if it may resume.
    if not made or (made > 1 and not options):
        tally.lost += 1
        tally.problems.append(f"{fault}: {made} made the run")
    finished = forked(*replay_words(case, run_dir, until), "--resume")
    alone = run_dir.with_name(f"{run_dir.name}-alone-{until}")
    assert forked(*replay_words(case, alone, until)).code == 0
    tally.check_result(fault, finished, result_of(run_dir), result_of(alone))


def at_once(count: int, *words: object) -> list[Ended]:
    """How so many commands end that all begin at the same moment."""
    gate = os.pipe()
    forks = [Fork.start(*words, gate=gate) for _ in range(count)]
    for end in gate:
        os.close(end)
    return [fork.wait() for fork in forks]
