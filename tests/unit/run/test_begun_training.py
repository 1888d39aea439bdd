"""Checkpoints are continued by a training with the settings that they were made with, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue

from tuneproof.engine.run.begun_training import begin, doubt_if_unrecorded
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.events import TrainingDropped

SETTINGS: dict[str, JsonValue] = {"learning_rate": 2e-4, "epochs": 3.0, "max_steps": None}


class Said:
    """Keeps what is emitted."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event, *, sync: bool = False) -> None:
        self.events.append(event)


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """A training that has a checkpoint, and what other steps keep beside it."""
    assert not begin(tmp_path, SETTINGS, Said())
    (tmp_path / "checkpoints" / "checkpoint-4").mkdir()
    (tmp_path / "adapter").mkdir()
    (tmp_path / "method.json").write_text("{}")
    return tmp_path


def test_the_same_settings_continue(training: Path) -> None:
    said = Said()
    assert not begin(training, SETTINGS, said) and not said.events
    assert (training / "checkpoints" / "checkpoint-4").is_dir()


def test_other_settings_begin_again_and_say_what_is_lost(training: Path) -> None:
    said = Said()
    assert begin(training, SETTINGS | {"learning_rate": 1e-3, "max_steps": 9}, said)
    assert said.events == [TrainingDropped(changed=["learning_rate 0.001 (before: 0.0002)", "max_steps 9 (before: None)"], checkpoints=1)]
    assert [path.name for path in (training / "checkpoints").iterdir()] == ["settings.json"]
    assert not (training / "adapter").exists() and (training / "method.json").exists()
    assert not begin(training, SETTINGS | {"learning_rate": 1e-3, "max_steps": 9}, said)


@pytest.mark.parametrize("record", ["", "{", '{"settings": 4}'])
def test_a_record_that_cannot_be_read_is_no_reason_to_continue(training: Path, record: str) -> None:
    (training / "checkpoints" / "settings.json").write_text(record)
    assert begin(training, SETTINGS, Said())


def test_checkpoints_of_a_version_without_a_record_continue_until_the_case_changes(training: Path) -> None:
    (training / "checkpoints" / "settings.json").unlink()
    assert not begin(training, SETTINGS, Said())
    (training / "checkpoints" / "settings.json").unlink()
    doubt_if_unrecorded(training)
    said = Said()
    assert begin(training, SETTINGS, said)
    assert said.events == [TrainingDropped(changed=["settings"], checkpoints=1)]
