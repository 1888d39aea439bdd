"""Model folders in every state of disrepair, each the base of a run; most are refused by name before a run folder is made."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.faults.commands import Ended, forked, run
from tests.faults.sizes import Size, spread
from tests.faults.small_case import replay_words, written
from tests.faults.tally import Tally
from tests.unit.models.broken_folders import NOT_LOADABLE, NOT_WHOLE, Break, sample_copy
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage


def inject(size: Size, folder: Path) -> Tally:
    """Runs a case on one broken folder after another; what is found only by loading is found by a worker, which takes longer."""
    tally = Tally("a broken model folder")
    for at in spread(len(NOT_WHOLE), size.of(4, 1000, 1000)):
        wrong = list(NOT_WHOLE)[at - 1]
        _check(tally, folder / wrong, wrong, NOT_WHOLE[wrong][0], in_fork=True)
    for at in spread(len(NOT_LOADABLE), size.of(0, 3, 1000)):
        wrong = list(NOT_LOADABLE)[at - 1]
        _check(tally, folder / wrong, wrong, NOT_LOADABLE[wrong][0], in_fork=False)
    return tally


def _check(tally: Tally, folder: Path, wrong: str, spoil: Break, in_fork: bool) -> None:
    model = sample_copy(folder / "model")
    case = written(folder, {"model": {"base": str(model)}})
    spoil(model)
    words = replay_words(case, folder / "run", Stage.SPLIT)
    ended: Ended = forked(*words) if in_fork else run(*words)
    tally.injected += 1
    # What only the loaded model shows, such as its chat template, is named by its key in the case.
    tally.check_end(wrong, ended, {ExitCode.USAGE}, str(model) if in_fork else "")
    if in_fork and (folder / "run").exists():
        tally.unreported += 1
        tally.problems.append(f"{wrong}: a run folder was made")
    shutil.rmtree(folder)
