"""What each method needs with the current settings, predicted for the wizard's method step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneproof.engine.case.schema import Budget
from tuneproof.engine.methods.candidates import available_memory, make_candidate
from tuneproof.engine.methods.model_shape import ModelShape
from tuneproof.engine.methods.padding import SequenceLengths
from tuneproof.engine.methods.plan import Plan, size_of
from tuneproof.engine.methods.select import AvailableMemory, ExecutionOption
from tuneproof.engine.run.artifacts import CatalogueEntry, Memory
from tuneproof.engine.run.needs import Disk, Needs


@dataclass(frozen=True)
class Forecast:
    """The first option of a method that fits, or its lightest option if none does."""

    option: ExecutionOption
    memory: Memory
    available: AvailableMemory
    disk: Disk | None = None
    """None if it is not predicted."""
    free_disk: int | None = None
    """Bytes for the trainings in the run folder; None if the file system does not say."""
    hours: float | None = None
    """Of the training, if a step of it was measured."""

    @property
    def fits_memory(self) -> bool:
        """Whether the prediction leaves the margin of the memory free."""
        return self.memory.total <= self.available.usable

    @property
    def fits(self) -> bool:
        """Whether there is enough memory and disk."""
        return self.fits_memory and self.needs.has_disk

    @property
    def needs(self) -> Needs:
        """Hours, memory and disk together."""
        disk = None if self.disk is None else self.disk.total
        return Needs(self.hours, self.memory.total, round(self.available.total), disk, self.free_disk)


def forecast_memory(
    plans: Sequence[tuple[Plan, int]], shape: ModelShape, rows: SequenceLengths, budget: Budget, *, on_gpu: bool
) -> dict[str, Forecast]:
    """The forecast of each plan by its method; each plan comes with the number of parameters that it trains."""
    available = available_memory(budget, on_gpu=on_gpu, processes=plans[0][0].processes_per_node if plans else 1)
    return {plan.method: _forecast(plan, trained, shape, rows, available, on_gpu=on_gpu) for plan, trained in plans}


def _forecast(plan: Plan, trained: int, shape: ModelShape, rows: SequenceLengths, available: AvailableMemory, *, on_gpu: bool) -> Forecast:
    candidate = make_candidate(plan, trained, shape, rows, on_gpu=on_gpu)
    predicted = [(option, option.memory) for option in candidate.options if option.memory is not None]
    fitting = (each for each in predicted if each[1].total <= available.usable)
    option, memory = next(fitting, predicted[-1])
    return Forecast(option, memory, available)


def planned_parameters(plan: Plan, entry: CatalogueEntry | None) -> int | None:
    """Parameters that the plan trains: as counted for the catalogue, for the rank or the number of virtual tokens of the plan."""
    if entry is None or entry.trained_parameters is None:
        return None
    size, counted = size_of(plan), entry.settings.get("rank") or entry.settings.get("virtual_tokens")
    if not size or not counted or size == counted:
        return entry.trained_parameters
    if entry.trained_per_size is None:
        # A catalogue of an earlier version: right for the methods that train nothing beside what the rank sizes.
        return round(entry.trained_parameters * size / counted)
    return round(entry.trained_parameters + (size - counted) * entry.trained_per_size)
