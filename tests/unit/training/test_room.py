"""A training whose disk has no room ends at a complete checkpoint before it writes the next one, and goes on once there is room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.disks import fill, make_room
from tests.unit.training.recorded_training import Recorder, assert_same_weights, trained
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.core.errors import DiskFull
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.events import CheckpointSaved, StepLogged
from tuneproof.engine.training.checkpoints import sealed_checkpoints

SETTINGS: dict[str, Any] = {"repeats": 2, "batch_size": 2, "probe_every": 2}
"""Eight steps, with a checkpoint of 3 MB after every second one."""


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


@dataclass
class Filler(Recorder):
    """Fills a disk at the first event that fulfils a condition, as another program may, and leaves half of what a checkpoint needs."""

    disk: Path = Path()
    at: Callable[[Event], bool] = lambda event: False

    def emit(self, event: Event, *, sync: bool = False) -> None:
        super().emit(event, sync=sync)
        if self.at(event):
            fill(self.disk, leave=500_000)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"README.md"}


def test_a_training_does_not_begin_without_room_for_its_first_checkpoint(base: BaseCheckpoint, small_disk: Path) -> None:
    fill(small_disk, leave=2_000_000)
    recorder = Recorder()
    with pytest.raises(DiskFull, match=r"the next checkpoint: 3.\d MB are needed, [12].\d MB are free"):
        trained(base, small_disk / "training", 1, recorder=recorder, **SETTINGS)
    assert not recorder.steps and not files_in(small_disk / "training/checkpoints")


@pytest.mark.long
def test_a_training_whose_room_is_taken_ends_at_its_last_checkpoint_and_resumes_to_the_same_weights(
    base: BaseCheckpoint, small_disk: Path, tmp_path: Path
) -> None:
    whole = trained(base, tmp_path / "whole", 1, **SETTINGS)
    filler = Filler(disk=small_disk, at=lambda event: isinstance(event, StepLogged) and event.step == 5)
    with pytest.raises(DiskFull, match="no room for the next checkpoint"):
        trained(base, small_disk / "training", 1, recorder=filler, **SETTINGS)
    checkpoints = small_disk / "training/checkpoints"
    kept = sealed_checkpoints(checkpoints)
    assert kept[-1].seal.step == 4 and files_in(checkpoints) == {each.path.name for each in kept}
    assert files_in(small_disk / "training") == {"checkpoints"}
    make_room(small_disk)
    assert_same_weights(trained(base, small_disk / "training", 1, **SETTINGS), whole)


def test_trained_weights_that_have_no_room_beside_their_checkpoint_are_kept_in_it(base: BaseCheckpoint, small_disk: Path) -> None:
    filler = Filler(disk=small_disk, at=lambda event: isinstance(event, CheckpointSaved) and event.step == 8)
    with pytest.raises(DiskFull, match=r"no room for the trained weights: 1\.0 MB are needed"):
        trained(base, small_disk / "training", 1, recorder=filler, **SETTINGS)
    assert files_in(small_disk / "training") == {"checkpoints"}
    make_room(small_disk)
    again = trained(base, small_disk / "training", 1, **SETTINGS)
    assert again.adapter.is_dir() and files_in(small_disk / "training") == {"checkpoints", "adapter"}


@pytest.mark.long
def test_several_processes_that_train_end_together(base: BaseCheckpoint, small_disk: Path) -> None:
    fill(small_disk, leave=2_000_000)
    with pytest.raises(DiskFull, match="no room for the next checkpoint"):
        trained(base, small_disk / "training", 2, **SETTINGS)
