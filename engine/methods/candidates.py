"""What each method would take here, predicted: for the planner, which chooses by it, and for whoever looks before anything is run."""

from __future__ import annotations

from dataclasses import replace

from tuneproof.engine.case.schema import Budget
from tuneproof.engine.case.training import Sharding
from tuneproof.engine.core import hardware
from tuneproof.engine.methods.memory import FLOAT32, HALF, TrainingShape, WeightFormat, predict_memory
from tuneproof.engine.methods.method import Ability, Quantisation
from tuneproof.engine.methods.model_shape import ModelShape
from tuneproof.engine.methods.padding import SequenceLengths, as_sequences, fastest_accumulation
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.methods.refusals import unavailable_reason
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.methods.select import AvailableMemory, Candidate, ExecutionOption, execution_options
from tuneproof.engine.run.artifacts import Memory, Optimizer

WEIGHT_FORMATS = {Quantisation.NF4: WeightFormat.NF4_DOUBLE, Quantisation.INT8: WeightFormat.INT8}
"""How quantised weights are counted."""


def available_memory(budget: Budget, *, on_gpu: bool, processes: int = 1) -> AvailableMemory:
    """The memory there is for each of so many processes of a machine: that of the budget, or what is free now."""
    if budget.gpu_memory_gb is not None:
        return AvailableMemory(budget.gpu_memory_gb * 1e9, "budget.gpu_memory_gb")
    gpu = hardware.gpu_with_least_free_memory(processes) if on_gpu else None
    if gpu is not None:
        return AvailableMemory(gpu.free_gib * hardware.GIB, f"free on {gpu.name}")
    shared = f", for each of {processes} processes" if processes > 1 else ""
    return AvailableMemory(hardware.free_memory_bytes() / processes, f"free on this machine{shared}")


def make_candidate(settled: Plan, trained: int, shape: ModelShape | None, rows: SequenceLengths, *, on_gpu: bool) -> Candidate:
    """A plan in the ways it can be run, for rows of these lengths; without a shape nothing is predicted."""
    method = METHODS[settled.method]
    fed, length = as_sequences(settled, rows)
    # Small parts leave most of a GPU idle.
    quickest = 1 if on_gpu else fastest_accumulation(settled, rows.row_tokens)
    ways = execution_options(
        fed.rows_per_process,
        quickest=quickest,
        may_checkpoint=method.supports(Ability.CHECKPOINTING),
        smaller_optimizers=_smaller_optimizers(settled.method, on_gpu=on_gpu),
        sharding=_sharding(settled),
    )
    if shape is not None:
        ways = [replace(way, memory=_memory(fed, trained, way, shape, length, on_gpu=on_gpu)) for way in ways]
    return Candidate(settled.method, trained, tuple(ways), unavailable_reason(method) or _undivided(settled))


def _sharding(settled: Plan) -> Sharding:
    """How far there is a choice."""
    can = settled.processes > 1 and METHODS[settled.method].supports(Ability.SHARDING)
    return settled.sharding if can else Sharding.NONE


def _undivided(settled: Plan) -> str | None:
    """Why a method is out of the question where the model is to be divided."""
    return METHODS[settled.method].unsupported.get(Ability.SHARDING) if settled.sharded else None


def _smaller_optimizers(method: str, *, on_gpu: bool) -> list[Optimizer]:
    """What is worth its rounding only where every weight has an optimizer's state, and needs bitsandbytes; pages need a GPU's driver."""
    if method != "full" or not hardware.is_installed("bitsandbytes"):
        return []
    return [Optimizer.ADAMW_8BIT, *([Optimizer.PAGED_8BIT] if on_gpu else [])]


def _memory(fed: Plan, trained: int, way: ExecutionOption, shape: ModelShape, length: int, *, on_gpu: bool) -> Memory:
    """The peak of a plan that is run in one way."""
    method = METHODS[fed.method]
    held = WEIGHT_FORMATS[method.quantisation] if method.quantisation else WeightFormat.PLAIN
    return predict_memory(
        shape,
        TrainingShape(
            length=length,
            batch=fed.rows_per_process // way.accumulation,
            trained_parameters=trained,
            full=fed.method == "full",
            weights=held,
            element=HALF if on_gpu else FLOAT32,
            float32_weights=method.trains_base_weights,
            # PEFT makes adapters float32; TRL makes those over a quantised base bf16.
            adapter=FLOAT32 if held is WeightFormat.PLAIN or not on_gpu else HALF,
            optimizer=way.optimizer,
            accumulation=way.accumulation,
            checkpointing=way.checkpointing,
            processes=fed.processes,
            sharded=way.sharding is Sharding.FULL,
            cuda=on_gpu,
        ),
    )
