"""What each method would take here, predicted: for the planner, which chooses by it, and for whoever looks before anything is run."""

from __future__ import annotations

from tuneproof.engine import machine
from tuneproof.engine.case import Budget
from tuneproof.engine.facts import Memory
from tuneproof.engine.methods.catalogue import METHODS, Plan
from tuneproof.engine.methods.choose import Candidate, Room, Way, ways_to_run
from tuneproof.engine.methods.memory import FLOAT32, HALF, TrainingShape, Weights, predict
from tuneproof.engine.methods.method import Ability, Quantisation
from tuneproof.engine.methods.model_shape import ModelShape
from tuneproof.engine.methods.refusals import refused_here

HELD = {Quantisation.NF4: Weights.NF4_DOUBLE, Quantisation.INT8: Weights.INT8}
"""How quantised weights are counted."""


def room(budget: Budget, *, on_gpu: bool, processes: int = 1) -> Room:
    """The memory there is for each of so many processes: that of the budget, or what is free now."""
    if budget.gpu_memory_gb is not None:
        return Room(budget.gpu_memory_gb * 1e9, "budget.gpu_memory_gb")
    gpu = machine.first_gpu() if on_gpu else None
    if gpu is not None:
        return Room(gpu.free * machine.GIB, f"free on {gpu.name}")
    shared = f", for each of {processes} processes" if processes > 1 else ""
    return Room(machine.free_memory() / processes, f"free on this machine{shared}")


def candidate(settled: Plan, trained: int, shape: ModelShape | None, longest: int, *, on_gpu: bool) -> Candidate:
    """A plan in the ways it can be run, for rows of at most so many tokens; without a shape nothing is predicted."""
    method = METHODS[settled.method]
    ways = ways_to_run(settled.rows_a_process, may_checkpoint=method.can(Ability.CHECKPOINTING))
    predicted = tuple(Way(*way, memory_of(settled, trained, way, shape, longest, on_gpu=on_gpu)) for way in ways)
    return Candidate(settled.method, trained, predicted, refused_here(method))


def memory_of(settled: Plan, trained: int, way: tuple[int, bool], shape: ModelShape | None, longest: int, *, on_gpu: bool) -> Memory | None:
    """The peak of a plan that is run in one way."""
    if shape is None:
        return None
    accumulation, checkpointing = way
    method = METHODS[settled.method]
    held = HELD[method.quantisation] if method.quantisation else Weights.PLAIN
    return predict(
        shape,
        TrainingShape(
            length=longest,
            batch=settled.rows_a_process // accumulation,
            trained_parameters=trained,
            full=settled.method == "full",
            weights=held,
            element=HALF if on_gpu else FLOAT32,
            float32_weights=method.trains_base_weights,
            # PEFT makes adapters float32; TRL makes those over a quantised base bf16.
            adapter=FLOAT32 if held is Weights.PLAIN or not on_gpu else HALF,
            accumulation=accumulation,
            checkpointing=checkpointing,
            processes=settled.processes,
            cuda=on_gpu,
        ),
    )
