"""The log of a training that another program ran: `trainer_state.json`, which transformers' Trainer writes beside its checkpoints."""

from __future__ import annotations

import math
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

TRAINER_STATE = "trainer_state.json"

MOST_BYTES = 64 << 20
"""A log of a million steps has less."""


class LoggedStep(BaseModel):
    """An entry of the log: the train loss, or the loss of an evaluation, at a step. Other entries have neither."""

    model_config = ConfigDict(extra="ignore")

    step: int = 0
    loss: float | None = None
    eval_loss: float | None = None


class TrainerLog(BaseModel):
    """What a Trainer logged (`transformers/trainer_callback.py`, `TrainerState`)."""

    model_config = ConfigDict(extra="ignore")

    global_step: int = 0
    log_history: list[LoggedStep] = []

    @property
    def losses(self) -> list[tuple[int, float]]:
        """Step and train loss, in nats."""
        return [(entry.step, entry.loss) for entry in self.log_history if entry.loss is not None and math.isfinite(entry.loss)]

    @property
    def eval_losses(self) -> list[tuple[int, float]]:
        """Step and loss of each evaluation, in nats."""
        logged = ((entry.step, entry.eval_loss) for entry in self.log_history)
        return [(step, loss) for step, loss in logged if loss is not None and math.isfinite(loss)]


def trainer_log(folder: Path) -> TrainerLog | None:
    """The log of the training that wrote a folder: in the folder itself, or of the last checkpoint in it or beside it.

    None if there is none, or none that can be read.
    """
    beside = [*_checkpoints(folder), *_checkpoints(folder.parent)]
    for place in (folder, *beside, folder.parent):
        path = place / TRAINER_STATE
        try:
            if path.is_file() and path.stat().st_size <= MOST_BYTES:
                return TrainerLog.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue
    return None


def _checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in a folder, the last one first."""
    try:
        found = {int(match[1]): path for path in folder.iterdir() if (match := re.fullmatch(r"checkpoint-(\d{1,9})", path.name))}
    except OSError:
        return []
    return [found[step] for step in sorted(found, reverse=True)]
