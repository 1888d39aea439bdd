"""The predicted memory of each method with the current settings, for the wizard's method step."""

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
    """The first option of a method that fits, or its lightest option if none does."""

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
    """The forecast of each plan by its method; each plan comes with the number of parameters that it trains."""
    available = available_memory(budget, on_gpu=on_gpu, processes=plans[0][0].processes_per_node if plans else 1)
    return {plan.method: _forecast(plan, trained, shape, rows, available, on_gpu=on_gpu) for plan, trained in plans}


def _forecast(plan: Plan, trained: int, shape: ModelShape, rows: SequenceLengths, available: AvailableMemory, *, on_gpu: bool) -> Forecast:
    candidate = make_candidate(plan, trained, shape, rows, on_gpu=on_gpu)
    predicted = [(option, option.memory) for option in candidate.options if option.memory is not None]
    fitting = (each for each in predicted if each[1].total <= available.usable)
    option, memory = next(fitting, predicted[-1])
    return Forecast(option, memory, available)
