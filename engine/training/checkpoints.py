"""Checkpoints with digests: one is resumed from or chosen only if its files are all there and unchanged."""

from __future__ import annotations

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
    """The intact checkpoints of a training, oldest first; those that are torn or altered are removed."""
    intact = []
    for path in folder.glob("checkpoint-*"):
        checkpoint = _read_intact(path)
        if checkpoint is None:
            shutil.rmtree(path)
        else:
            intact.append(checkpoint)
    return sorted(intact, key=lambda c: c.seal.step)


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


def _read_intact(path: Path) -> Checkpoint | None:
    checkpoint = _read(path)
    if checkpoint is None:
        return None
    for name, digest in checkpoint.seal.files.items():
        if not (path / name).is_file() or sha256_file(path / name) != digest:
            return None
    return checkpoint
