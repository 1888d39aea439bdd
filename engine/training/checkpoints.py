"""Checkpoints with digests: one is resumed from or chosen only if its files are all there and unchanged."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tuneproof.engine.core.atomic_write import write_atomically
from tuneproof.engine.core.hashing import sha256_file

SEAL = "seal.json"


class ProbeResult(BaseModel):
    """How the model did on the validation cases at a step: rates, and the mean loss over their target tokens in nats."""

    model_config = ConfigDict(extra="forbid")

    n: int
    format_valid: float
    correct: float
    loss: float
    score: float | None = None
    """The metric that decides the verdict, where it is not the rate of correct answers."""

    @property
    def quality(self) -> tuple[float, float, float, float]:
        """What checkpoints are compared by: the metric that decides, the rates of correct and of valid answers, then the lower loss."""
        return (self.correct if self.score is None else self.score, self.correct, self.format_valid, -self.loss)


class Seal(BaseModel):
    """The digests of a checkpoint's files and its probe; None if it was saved between two probes."""

    model_config = ConfigDict(extra="forbid")

    step: int
    probe: ProbeResult | None
    files: dict[str, str]


@dataclass(frozen=True)
class Checkpoint:
    """One sealed checkpoint on disk."""

    path: Path
    seal: Seal


def seal_checkpoint(path: Path, step: int, probe: ProbeResult | None) -> Checkpoint:
    """Writes the digests of a checkpoint whose files are all written."""
    files = {p.name: sha256_file(p) for p in sorted(path.iterdir()) if p.is_file() and p.name != SEAL}
    sealed = Seal(step=step, probe=probe, files=files)
    write_atomically(path / SEAL, sealed.model_dump_json(indent=1) + "\n")
    return Checkpoint(path, sealed)


def sealed_checkpoints(folder: Path) -> list[Checkpoint]:
    """The intact checkpoints of a training, oldest first."""
    read = (_read(path) for path in folder.glob("checkpoint-*"))
    return sorted((each for each in read if each is not None and broken_file(each) is None), key=lambda c: c.seal.step)


def drop_broken_checkpoints(folder: Path) -> list[str]:
    """Removes the checkpoints that are torn or altered, and returns what was wrong with each, in a sentence.

    Where the best one is among them, those after it are removed as well: a training that continued after it would keep other weights.
    """
    intact, dropped, lost = sealed_checkpoints(folder), [], math.inf
    for path in sorted(set(folder.glob("checkpoint-*")) - {each.path for each in intact}):
        checkpoint = _read(path)
        dropped.append(f"{path.name} was dropped: {_what_is_wrong(checkpoint)}")
        if checkpoint is None or _may_be_best(checkpoint, intact):
            lost = min(lost, _step_of(path))
        shutil.rmtree(path)
    for later in (each for each in intact if each.seal.step > lost):
        dropped.append(f"{later.path.name} was dropped: one before it is lost, and it may have been the best")
        shutil.rmtree(later.path)
    return dropped


def _what_is_wrong(checkpoint: Checkpoint | None) -> str:
    if checkpoint is None:
        return "it was not written to its end"
    file = broken_file(checkpoint)
    assert file is not None
    return f"its file {file} {'has changed since it was written' if (checkpoint.path / file).is_file() else 'is missing'}"


def _may_be_best(broken: Checkpoint, intact: list[Checkpoint]) -> bool:
    return broken.seal.probe is not None and best_checkpoint([broken, *intact]) is broken


def _step_of(path: Path) -> float:
    number = path.name.removeprefix("checkpoint-")
    return int(number) if number.isdigit() else math.inf


def broken_file(checkpoint: Checkpoint) -> str | None:
    """The name of the first file that is missing or not as it was sealed; None for an intact checkpoint."""
    return next((name for name, digest in checkpoint.seal.files.items() if not _is_intact(checkpoint.path / name, digest)), None)


def best_checkpoint(checkpoints: list[Checkpoint]) -> Checkpoint:
    """The best of the probed checkpoints, the earliest among equals. Raises ValueError if none was probed."""
    probed = [(c.seal.probe.quality, -c.seal.step, c) for c in checkpoints if c.seal.probe is not None]
    return max(probed, key=lambda found: found[:2])[2]


def prune_checkpoints(folder: Path) -> None:
    """Removes all checkpoints but the newest, to resume from, and the best one."""
    found = [c for c in (_read(path) for path in folder.glob("checkpoint-*")) if c is not None]
    if not found:
        return
    keep = {max(found, key=lambda c: c.seal.step).path}
    if any(c.seal.probe for c in found):
        keep.add(best_checkpoint(found).path)
    for checkpoint in found:
        if checkpoint.path not in keep:
            shutil.rmtree(checkpoint.path)


def _read(path: Path) -> Checkpoint | None:
    try:
        return Checkpoint(path, Seal.model_validate_json((path / SEAL).read_text(encoding="utf-8")))
    except (OSError, ValidationError):
        return None


def _is_intact(path: Path, digest: str) -> bool:
    return path.is_file() and sha256_file(path) == digest
