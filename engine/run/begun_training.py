"""What a training began with: its checkpoints are continued by the same settings only, and dropped under others."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from tuneproof.engine.core.atomic_write import write_atomically
from tuneproof.engine.run.event import EventSink
from tuneproof.engine.run.events import TrainingDropped

CHECKPOINTS = "checkpoints"
"""The folder of checkpoints in that of a training."""

ADAPTER = "adapter"
"""The folder of what was trained, whose files are others for another method."""

RECORD = "settings.json"
"""What they were made with, beside them."""


class BegunWith(BaseModel):
    """The settings that the steps of a training depend on; none if nobody knows them."""

    model_config = ConfigDict(extra="forbid")

    settings: dict[str, JsonValue] = {}


def begin(folder: Path, settings: Mapping[str, JsonValue], sink: EventSink) -> bool:
    """Records what a training in the folder begins with, and returns whether it begins again.

    It does if it had begun with other settings: its checkpoints are removed then, and that is said.
    """
    wanted, record = dict(settings), folder / CHECKPOINTS / RECORD
    before = _recorded(record)
    again = before is not None and before != wanted
    if before is not None and again:
        sink.emit(TrainingDropped(changed=_changes(before, wanted), checkpoints=_count_checkpoints(folder)), sync=True)
        for name in (CHECKPOINTS, ADAPTER):
            shutil.rmtree(folder / name, ignore_errors=True)
    if before is None or again:
        record.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(record, BegunWith(settings=wanted).model_dump_json(indent=1) + "\n")
    return again


def doubt_if_unrecorded(folder: Path) -> None:
    """Marks checkpoints of a version that did not record what they were made with, so that they are not continued by other settings."""
    record = folder / CHECKPOINTS / RECORD
    if record.parent.is_dir() and not record.exists():
        write_atomically(record, BegunWith().model_dump_json(indent=1) + "\n")


def _recorded(record: Path) -> dict[str, JsonValue] | None:
    """The settings of the record, none if it cannot be read; None if there is no record, as in a training that has not begun."""
    try:
        return BegunWith.model_validate_json(record.read_bytes()).settings
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        return {}


def _changes(before: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> list[str]:
    if not before:
        return ["settings"]
    return [f"{key} {now.get(key)} (before: {before.get(key)})" for key in sorted({*before, *now}) if before.get(key) != now.get(key)]


def _count_checkpoints(folder: Path) -> int:
    return sum(path.is_dir() for path in (folder / CHECKPOINTS).glob("checkpoint-*"))
