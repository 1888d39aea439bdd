"""What a method would take with the settings as they stand now, for whoever is still choosing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneproof.engine.case.schema import Budget
from tuneproof.engine.methods.candidates import available_memory, make_candidate
from tuneproof.engine.methods.model_shape import ModelShape
from tuneproof.engine.methods.padding import SequenceLengths
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.methods.select import AvailableMemory, ExecutionOption
from tuneproof.engine.run.artifacts import Memory


@dataclass(frozen=True)
class Forecast:
    """The first way to run a method that fits, or the lightest where none does."""

    option: ExecutionOption
    memory: Memory
    available: AvailableMemory

    @property
    def fits(self) -> bool:
        """Whether the prediction leaves the margin free."""
        return self.memory.total <= self.available.usable


def forecast_memory(
    plans: Sequence[tuple[Plan, int]], shape: ModelShape, rows: SequenceLengths, budget: Budget, *, on_gpu: bool
) -> dict[str, Forecast]:
    """That of each plan, by its method, for rows of these lengths; with a plan comes how many parameters it trains."""
    there = available_memory(budget, on_gpu=on_gpu, processes=plans[0][0].processes_per_node if plans else 1)
    return {plan.method: _forecast(plan, trained, shape, rows, there, on_gpu=on_gpu) for plan, trained in plans}


def _forecast(plan: Plan, trained: int, shape: ModelShape, rows: SequenceLengths, there: AvailableMemory, *, on_gpu: bool) -> Forecast:
    ways = [(way, way.memory) for way in make_candidate(plan, trained, shape, rows, on_gpu=on_gpu).options if way.memory is not None]
    way, memory = next(((way, memory) for way, memory in ways if memory.total <= there.usable), ways[-1])
    return Forecast(way, memory, there)
