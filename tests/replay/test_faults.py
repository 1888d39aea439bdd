"""Faults injected into real runs lose nothing and end with a sentence; `make faults` injects more of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import damaged_files, hostile_data, model_folders, simultaneous_starts
from tests.faults.__main__ import KINDS, Inject
from tests.faults.commands import Ended, run
from tests.faults.sizes import Size
from tests.faults.small_case import replay_words, written
from tests.faults.tally import Tally
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.store import EVENTS

CHEAP: list[Inject] = [damaged_files.inject, simultaneous_starts.inject, model_folders.inject, hostile_data.inject]


@pytest.mark.parametrize("inject", CHEAP, ids=lambda inject: inject.__module__.rpartition(".")[2])
def test_a_few_faults_of_a_kind_lose_nothing_and_are_reported(inject: Inject, tmp_path: Path) -> None:
    tally = inject(Size.TINY, tmp_path / "faults")
    assert tally.injected and tally.is_clean, tally.row


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_faults_of_a_kind_lose_nothing_and_are_reported(kind: str, tmp_path: Path) -> None:
    tally = KINDS[kind](Size.QUICK, tmp_path / "faults")
    assert tally.is_clean, tally.row
    if not tally.injected:
        pytest.skip(tally.row)


@pytest.mark.long
def test_a_replay_follows_a_resumed_run_whose_log_ends_in_half_a_line(tmp_path: Path) -> None:
    words = replay_words(written(tmp_path, {}), tmp_path / "run", Stage.SPLIT)
    assert run(*words).code == 0
    with (tmp_path / "run" / EVENTS).open("ab") as log:
        log.write(b'{"v":2,"kind":"heartbeat","seq":' + b"1" * 4096)
    resumed = run(*words, "--resume")
    assert resumed.code == 0 and "eval, frozen as" in resumed.err, resumed.err


@pytest.mark.parametrize(
    ("ended", "counts"),
    [
        (Ended(0), (0, 0)),
        (Ended(4, "tuneproof: runs/a: the disk is full; make room, then add --resume\n"), (0, 0)),
        (Ended(4, "tuneproof: something went wrong\n"), (0, 1)),
        (Ended(4, "Traceback (most recent call last):\ntuneproof: runs/a: the disk is full; make room\n"), (0, 1)),
        (Ended(1, "tuneproof: a defect in tuneproof; the traceback is in a: b; c\n"), (1, 1)),
        (Ended(None, ""), (1, 1)),
    ],
)
def test_what_a_command_leaves_unsaid_is_counted(ended: Ended, counts: tuple[int, int]) -> None:
    tally = Tally("a fault")
    tally.check_end("it", ended, {0, 4})
    assert (tally.wrong_code, tally.unreported) == counts and tally.is_clean == (counts == (0, 0))


def test_a_run_that_ends_with_another_result_is_counted_as_lost() -> None:
    tally = Tally("a fault")
    tally.check_result("it", Ended(0), {"card": 1}, {"card": 1})
    assert tally.lost == 0
    tally.check_result("it", Ended(0), {"card": 2}, {"card": 1})
    tally.check_result("it", Ended(3, "tuneproof: a: b; c"), {"card": 1}, {"card": 1})
    assert tally.lost == 2 and not tally.is_clean
