"""What a planned training needs: hours, memory and disk."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ConfigDict

from tuneproof.engine.run.facts import Facts


class Disk(Facts):
    """A predicted peak of disk space in bytes, by what takes it at that moment."""

    model_config = ConfigDict(frozen=True)

    checkpoints: int
    """All checkpoints that are there at once."""
    models: int
    """Adapters, or whole models, that trainings keep."""
    merged: int
    predictions: int
    checkpoint: int
    """One checkpoint of the tuned model; part of `checkpoints`."""

    @property
    def total(self) -> int:
        """What the disk must have."""
        return self.checkpoints + self.models + self.merged + self.predictions

    def fits(self, free: int | None) -> bool:
        """Whether so many free bytes are enough; they are if nobody knows how many there are."""
        return free is None or self.total <= free


@dataclass(frozen=True)
class Needs:
    """Hours, and bytes of memory and disk, each with what there is; None for what is not known."""

    hours: float | None
    memory: int | None
    available_memory: int
    disk: int | None
    free_disk: int | None

    @property
    def has_disk(self) -> bool:
        """Whether the disk has room, as far as both numbers are known."""
        return self.disk is None or self.free_disk is None or self.disk <= self.free_disk
