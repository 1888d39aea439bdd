"""The options of running a method on this machine, each with its predicted memory.

The planner selects from them, and the wizard shows them before anything runs.
"""

from __future__ import annotations

from dataclasses import replace

from tuneproof.engine.case.schema import Budget
from tuneproof.engine.case.training import Sharding
from tuneproof.engine.core import hardware, memory_limits
from tuneproof.engine.methods.memory import FLOAT32, HALF, HeldBytes, TrainingShape, WeightFormat, held_bytes, predict_memory
from tuneproof.engine.methods.method import Ability, MethodName, Quantisation
from tuneproof.engine.methods.model_shape import ModelShape
from tuneproof.engine.methods.padding import SequenceLengths, as_sequences, fastest_accumulation
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.methods.refusals import unavailable_reason
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.methods.select import AvailableMemory, ExecutionOption, MethodCandidate, execution_options
from tuneproof.engine.run.artifacts import Memory, Optimizer

WEIGHT_FORMATS = {Quantisation.NF4: WeightFormat.NF4_DOUBLE, Quantisation.INT8: WeightFormat.INT8}
"""How the memory prediction counts quantised weights."""


def available_memory(budget: Budget, *, on_gpu: bool, processes: int = 1) -> AvailableMemory:
    """The memory of each of the `processes` on one machine: `budget.gpu_memory_gb` if the case gives it, else what is free now.

    On a CPU the smallest counts: a budget brings no memory that the machine or a limit does not have.
    """
    given = None if budget.gpu_memory_gb is None else AvailableMemory(budget.gpu_memory_gb * 1e9, "budget.gpu_memory_gb")
    if on_gpu and given is not None:
        return given
    gpu = hardware.gpu_with_least_free_memory(processes) if on_gpu else None
    if gpu is not None:
        return AvailableMemory(gpu.free_gib * hardware.GIB, f"free on {gpu.name}")
    least = memory_limits.least_free_memory(processes)
    shared = f", for each of {processes} processes" if processes > 1 and not least.limit.per_process else ""
    there = AvailableMemory(least.for_each_of(processes), f"{least.source}{shared}")
    return given if given is not None and given.total <= there.total else there


def make_candidate(settled: Plan, trained: int, shape: ModelShape | None, rows: SequenceLengths, *, on_gpu: bool) -> MethodCandidate:
    """The options of running a plan on rows of these lengths, the preferred ones first.

    `trained` is the number of trained parameters. If `shape` is None, no memory is predicted.
    """
    method = METHODS[settled.method]
    sequences, length = as_sequences(settled, rows)
    # Small micro-batches leave most of a GPU idle.
    fastest = 1 if on_gpu else fastest_accumulation(settled, rows.row_tokens)
    options = execution_options(
        sequences.rows_per_process,
        fastest=fastest,
        may_checkpoint=method.supports(Ability.CHECKPOINTING),
        smaller_optimizers=_smaller_optimizers(settled.method, on_gpu=on_gpu),
        sharding=_sharding(settled),
    )
    if shape is not None:
        options = [replace(each, memory=_memory(sequences, trained, each, shape, length, on_gpu=on_gpu)) for each in options]
    return MethodCandidate(settled.method, trained, tuple(options), unavailable_reason(method) or _sharding_refusal(settled))


def _sharding(settled: Plan) -> Sharding:
    """The sharding that the case asks for; none if there is one process or the method does not support it."""
    possible = settled.processes > 1 and METHODS[settled.method].supports(Ability.SHARDING)
    return settled.sharding if possible else Sharding.NONE


def _sharding_refusal(settled: Plan) -> str | None:
    """Why the method cannot be sharded, if the case requires sharding."""
    return METHODS[settled.method].unsupported.get(Ability.SHARDING) if settled.sharded else None


def _smaller_optimizers(method: str, *, on_gpu: bool) -> list[Optimizer]:
    """Optimizers with less state, for full fine-tuning only: elsewhere the state is too small to be worth the rounding.

    They need bitsandbytes; paging needs a GPU's driver.
    """
    if method != MethodName.FULL or not hardware.is_installed("bitsandbytes"):
        return []
    return [Optimizer.ADAMW_8BIT, *([Optimizer.PAGED_8BIT] if on_gpu else [])]


def _memory(sequences: Plan, trained: int, option: ExecutionOption, shape: ModelShape, length: int, *, on_gpu: bool) -> Memory:
    """The predicted peak of one option; `sequences` is the plan whose batch size counts sequences of `length` tokens."""
    return predict_memory(shape, _training_shape(sequences, trained, option, length, on_gpu=on_gpu))


def held_by(settled: Plan, trained: int, shape: ModelShape, *, on_gpu: bool) -> HeldBytes:
    """What a plan that trains so many parameters holds whatever its rows are, with the optimizer state in full and nothing sharded."""
    return held_bytes(shape, _training_shape(settled, trained, ExecutionOption(1, checkpointing=False), 1, on_gpu=on_gpu))


def _training_shape(sequences: Plan, trained: int, option: ExecutionOption, length: int, *, on_gpu: bool) -> TrainingShape:
    method = METHODS[sequences.method]
    weights = WEIGHT_FORMATS[method.quantisation] if method.quantisation else WeightFormat.PLAIN
    return TrainingShape(
        length=length,
        batch=sequences.rows_per_process // option.accumulation,
        trained_parameters=trained,
        full=sequences.method == MethodName.FULL,
        weights=weights,
        element=HALF if on_gpu else FLOAT32,
        float32_weights=method.trains_base_weights,
        # PEFT makes adapters float32; TRL makes those over a quantised base bf16.
        adapter=FLOAT32 if weights is WeightFormat.PLAIN or not on_gpu else HALF,
        optimizer=option.optimizer,
        accumulation=option.accumulation,
        checkpointing=option.checkpointing,
        processes=sequences.processes,
        sharded=option.sharding is Sharding.FULL,
        cuda=on_gpu,
    )
