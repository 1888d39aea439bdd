"""How a worker died that could not say so: where, how often there, and whether for want of memory."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tuneproof.engine.core.errors import OutOfMemory
from tuneproof.engine.core.memory_limits import boot_id, kernel_oom_kills
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.events import (
    CheckpointSaved,
    Failed,
    Launched,
    Progressed,
    StageStarted,
    Stopped,
    TrainingDropped,
    TrainingFinished,
    TrainingStarted,
)
from tuneproof.engine.run.killed import Killed, Place, last_killed
from tuneproof.engine.run.store import EVENTS
from tuneproof.engine.run.work import Work

KILLS = kernel_oom_kills()
COUNTED = pytest.mark.skipif(KILLS is None, reason="NOT TESTED: this kernel does not count what it kills for want of memory")


def launched(pid: int, kills: int | None = None, **changed: Any) -> Launched:
    """A worker of this machine; `kills` are those of the kernel since, None if they are not known."""
    counted = None if kills is None or KILLS is None else KILLS - kills
    given = {"host": socket.gethostname(), "boot": boot_id(), "oom_kills": counted, **changed}
    return Launched(pid=pid, process_started=1.0, tuneproof="0.2.0", until=Stage.CARD, **given)


def training(resumed_at: int = 0) -> list[Event]:
    started = TrainingStarted(method="lora", examples=9, steps=9, resumed_at=resumed_at, trained_parameters=1, all_parameters=2)
    return [StageStarted(stage=Stage.TRAIN), started]


SAVED = CheckpointSaved(step=4, path="checkpoints/checkpoint-4")
TRAINED = TrainingFinished(steps=9, best_step=9, seconds=1.0, adapter_sha256="")


def killed(folder: Path, *events: Event) -> Killed | None:
    (folder / EVENTS).write_text("".join(f"{event.model_dump_json()}\n" for event in events))
    return last_killed(folder / EVENTS)


@pytest.mark.parametrize(
    "events",
    [[], [launched(1), Stopped()], [launched(1), *training(), Failed(exit_code=4, message="")], [launched(1), launched(2), Stopped()]],
)
def test_a_worker_that_logged_its_end_was_not_killed(tmp_path: Path, events: list[Event]) -> None:
    assert killed(tmp_path, *events) is None


@pytest.mark.parametrize(
    ("events", "place"),
    [
        ([], Place()),
        ([StageStarted(stage=Stage.AUDIT)], Place(Stage.AUDIT)),
        (
            [StageStarted(stage=Stage.BASELINES), Progressed(work=Work.ANSWERING, about="zero_shot", done=1, of=9)],
            Place(Stage.BASELINES, arm="zero_shot"),
        ),
        (training(), Place(Stage.TRAIN, "tuned")),
        ([*training(), SAVED], Place(Stage.TRAIN, "tuned", 4)),
        ([*training(), SAVED, TRAINED], Place(Stage.TRAIN)),
    ],
)
def test_the_place_is_how_far_it_had_come(tmp_path: Path, events: list[Event], place: Place) -> None:
    found = killed(tmp_path, launched(1), *events)
    assert found is not None and (found.place, found.times) == (place, 1)


@COUNTED
def test_the_kernel_says_whether_it_was_for_memory(tmp_path: Path) -> None:
    by_kernel, by_hand = killed(tmp_path, launched(1, kills=1), *training()), killed(tmp_path, launched(1, kills=0), *training())
    assert by_kernel is not None and by_kernel.for_memory and by_kernel.goes_on_smaller
    assert by_hand is not None and not by_hand.for_memory and not by_hand.goes_on_smaller
    assert "not by the system for want of memory" in str(by_hand.error(tmp_path)) and "--resume" in by_hand.error(tmp_path).fix


@pytest.mark.parametrize(
    ("changed", "for_memory"),
    [
        ({}, True),
        ({"host": "elsewhere"}, True),
        ({"slurm_job": "7", "oom_kills": KILLS}, True),
        ({"boot": "another"}, False),
        ({"boot": ""}, False),
    ],
)
def test_where_nobody_counts_memory_is_assumed_unless_the_machine_went_down(
    tmp_path: Path, changed: dict[str, Any], for_memory: bool
) -> None:
    found = killed(tmp_path, launched(1, **changed), *training())
    assert found is not None and found.for_memory is for_memory


def test_the_same_death_twice_says_what_to_change_instead_of_to_resume(tmp_path: Path) -> None:
    once = killed(tmp_path, launched(1), *training(), SAVED)
    further = killed(tmp_path, launched(1), *training(), launched(2), *training(), SAVED)
    twice = killed(tmp_path, launched(1), *training(), SAVED, launched(2), *training(4))
    assert once is not None and further is not None and twice is not None
    assert (once.times, further.times, twice.times) == (1, 1, 2)
    assert "smaller parts of a batch" in once.error(tmp_path).fix
    error = twice.error(tmp_path, signal.SIGKILL)
    assert isinstance(error, OutOfMemory) and "for the second time there" in error.what
    assert error.fix.startswith("resuming alone will not help") and "model.base" in error.fix


def test_a_death_with_other_settings_is_not_the_same_death_again(tmp_path: Path) -> None:
    dropped = [StageStarted(stage=Stage.TRAIN), TrainingDropped(changed=["batch_size"], checkpoints=0), *training()[1:]]
    anew = killed(tmp_path, launched(1), *training(), launched(2), *dropped)
    replaced = killed(tmp_path, launched(1), *training(), launched(2), *dropped, launched(2), *training())
    again = killed(tmp_path, launched(1), *training(), launched(2), *dropped, launched(3), *training())
    assert anew is not None and replaced is not None and again is not None
    assert (anew.times, replaced.times, again.times) == (1, 1, 2)


def test_a_worker_that_replaced_itself_did_not_die_before(tmp_path: Path) -> None:
    found = killed(tmp_path, launched(1), *training(), launched(1), *training())
    assert found is not None and found.times == 1


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGBUS, signal.SIGQUIT])
def test_another_signal_is_reported_as_what_it_is(tmp_path: Path, number: signal.Signals) -> None:
    found = killed(tmp_path, launched(1), *training())
    assert found is not None
    error = found.error(tmp_path, number)
    assert f"ended by {number.name}" in error.what and "memory" not in str(error)
