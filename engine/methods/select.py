"""Which method to train with: the lightest one that fits in memory, and why each other method was rejected.

LoRA comes first: it changes how the model answers at a small part of the cost. Full fine-tuning is preferred only if both the data and the
memory allow it: if there are more target tokens than LoRA has parameters (where LoRA falls behind, "LoRA Without Regret", Schulman et al.
2025), and if it fits. If LoRA does not fit with any option, LoRA over an 8-bit base is next, then over a 4-bit base. The other methods are
for special purposes and are used only if a case names them.

Each method has several execution options, from the fastest to the smallest. First comes the number of micro-batches per step that is
fastest, then more of them, which takes a little more time, and fewer, which takes less memory when all weights are trained. Then one row at
a time with gradient checkpointing, about a third slower. None of these changes the result. Full fine-tuning, whose optimizer state takes
the most memory, may then keep that state in 8 bits, and last in host memory. Several processes shard the model if no whole copy fits: that
saves more memory than 8 bits and rounds nothing, but costs communication.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tuneproof.engine.case.training import Sharding
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.methods.method import MethodName
from tuneproof.engine.methods.plan import LIGHTEST
from tuneproof.engine.run.artifacts import Memory, Optimizer

MARGIN = 0.1
"""Share of the memory that a prediction must leave free. On the published peaks the prediction is at most 8 % too low."""

AUTO_ORDER = (MethodName.LORA, MethodName.INT8_LORA, MethodName.QLORA, MethodName.FULL)
"""The methods that `auto` considers, in this order unless the data call for full fine-tuning."""

GB = 1e9


@dataclass(frozen=True)
class ExecutionOption:
    """One way to execute the training of a method."""

    accumulation: int
    """Micro-batches per step and process."""
    checkpointing: bool
    memory: Memory | None = None
    """The predicted peak of one process; None if it cannot be predicted."""
    optimizer: Optimizer = Optimizer.ADAMW
    sharding: Sharding = Sharding.NONE


OutOfMemory = Mapping[tuple[str, ExecutionOption], str]
"""The options that ran out of memory in a trial step, by method, each with the message."""


@dataclass(frozen=True)
class MethodCandidate:
    """A method with its execution options, the preferred ones first."""

    name: str
    trained_parameters: int
    options: tuple[ExecutionOption, ...]
    refusal: str | None = None
    """Why the method cannot be trained here; None if it can."""


@dataclass(frozen=True)
class AvailableMemory:
    """The memory of one process, in bytes."""

    total: float
    source: str
    """Where the number comes from, in words."""

    @property
    def usable(self) -> float:
        """The bytes that a prediction may use."""
        return self.total * (1 - MARGIN)


@dataclass(frozen=True)
class MethodSelection:
    """The selected method and option, and the reason for rejecting each other method."""

    candidate: MethodCandidate
    option: ExecutionOption
    why: str
    """A sentence that goes on from the name of the method."""
    rejected: dict[str, str]


def execution_options(
    batch_size: int,
    *,
    fastest: int = 1,
    may_checkpoint: bool = True,
    smaller_optimizers: Sequence[Optimizer] = (),
    sharding: Sharding = Sharding.NONE,
) -> list[ExecutionOption]:
    """All options for a batch of `batch_size` rows per process, the preferred ones first, without predictions.

    `fastest` is the number of micro-batches that takes the least time. With `Sharding.AUTO`, options with whole copies come first.
    """
    divisors = [count for count in range(1, batch_size + 1) if batch_size % count == 0]
    options = [ExecutionOption(count, checkpointing=False) for count in sorted(divisors, key=lambda count: (count < fastest, count))]
    if may_checkpoint:
        options.append(ExecutionOption(batch_size, checkpointing=True))
    if sharding is Sharding.NONE:
        return options + [replace(options[-1], optimizer=optimizer) for optimizer in smaller_optimizers]
    # The 8-bit optimizers of bitsandbytes do not support sharded weights.
    sharded = [replace(option, sharding=Sharding.FULL) for option in options]
    return (options if sharding is Sharding.AUTO else []) + sharded


def select_method(
    candidates: Sequence[MethodCandidate], memory: AvailableMemory, target_tokens: int, out_of_memory: OutOfMemory, *, named: bool
) -> MethodSelection:
    """The first candidate, in order of preference, with an option that fits in memory.

    `target_tokens` is the number of tokens that the loss is computed on. `named` says that the case names its method: then there is one
    candidate, and its lightest option is tried even if the prediction says that it does not fit. Raises GateClosed if nothing fits.
    """
    rejected: dict[str, str] = {}
    for candidate in _in_order(candidates, target_tokens, named=named):
        tried = [option for name, option in out_of_memory if name == candidate.name]
        option = _first_fitting(candidate, memory, tried, named=named)
        if option is not None:
            not_needed = _not_needed(candidates, candidate, target_tokens, rejected)
            return MethodSelection(
                candidate, option, _why(candidate, candidates, option, memory, target_tokens), {**rejected, **not_needed}
            )
        rejected[candidate.name] = out_of_memory[(candidate.name, tried[-1])] if tried else _why_rejected(candidate, memory)
    raise _nothing_fits(candidates, rejected, memory)


def _nothing_fits(candidates: Sequence[MethodCandidate], rejected: Mapping[str, str], memory: AvailableMemory) -> GateClosed:
    lightest = [candidate.options[-1].memory for candidate in candidates if candidate.options]
    least = [predicted.total for predicted in lightest if predicted]
    machine = f", a machine with {min(least) / (1 - MARGIN) / GB:.1f} GB" if least else ""
    reasons = "; ".join(f"{name} {reason}" for name, reason in rejected.items())
    return GateClosed(
        f"nothing fits in {_gb(memory.total)} ({memory.source}): {reasons}",
        where="method",
        fix=f"use a smaller model.base{machine}, or leave the longest rows out",
    )


def _in_order(candidates: Sequence[MethodCandidate], target_tokens: int, *, named: bool) -> list[MethodCandidate]:
    if named:
        return list(candidates)
    by_name = {candidate.name: candidate for candidate in candidates}
    order = [name for name in AUTO_ORDER if name in by_name]
    if _data_need_full(by_name, target_tokens):
        order.sort(key=lambda name: name is not MethodName.FULL)
    return [by_name[name] for name in order]


def _data_need_full(by_name: Mapping[str, MethodCandidate], target_tokens: int) -> bool:
    """Whether there are more target tokens than LoRA has parameters."""
    full, lora = MethodName.FULL in by_name, by_name.get(MethodName.LORA)
    return full and lora is not None and target_tokens > lora.trained_parameters


def _first_fitting(
    candidate: MethodCandidate, memory: AvailableMemory, tried: Sequence[ExecutionOption], *, named: bool
) -> ExecutionOption | None:
    """The first option that fits.

    After an option has run out of memory in a trial step, only the lightest option with a whole copy in each process is worth a trial, and
    then the lightest sharded one.
    """
    if candidate.refusal:
        return None
    lightest = candidate.options[-1]
    options = {option.sharding: option for option in candidate.options}.values() if tried else candidate.options
    fitting = [option for option in options if option not in tried and (option.memory is None or option.memory.total <= memory.usable)]
    if named and not fitting and lightest not in tried:
        return lightest
    return fitting[0] if fitting else None


def _why_rejected(candidate: MethodCandidate, memory: AvailableMemory) -> str:
    if candidate.refusal:
        return candidate.refusal
    least = candidate.options[-1].memory
    assert least is not None
    return f"needs {_gb(least.total)} at least, {_gb(memory.usable)} may be used"


def _not_needed(
    candidates: Sequence[MethodCandidate], selected: MethodCandidate, target_tokens: int, rejected: Mapping[str, str]
) -> dict[str, str]:
    """The reasons for the methods of `AUTO_ORDER` that come after the selected one."""
    by_name = {candidate.name: candidate for candidate in candidates}
    lora = by_name.get(MethodName.LORA)
    reasons: dict[str, str] = {}
    for name in AUTO_ORDER:
        if name not in by_name or name == selected.name or name in rejected:
            continue
        if refusal := by_name[name].refusal:
            reasons[name] = refusal
        elif name is MethodName.FULL and lora is not None:
            reasons[name] = f"lora is enough: {lora.trained_parameters:,} parameters for {target_tokens:,} answer tokens"
        else:
            reasons[name] = f"is not needed, as {selected.name} fits"
    return reasons


def _why(
    selected: MethodCandidate, candidates: Sequence[MethodCandidate], option: ExecutionOption, memory: AvailableMemory, target_tokens: int
) -> str:
    fits = f" and fits: {_gb(option.memory.total)} of {_gb(memory.total)}" if option.memory else ""
    lora = next((candidate for candidate in candidates if candidate.name == MethodName.LORA), None)
    if selected.name == MethodName.FULL and lora is not None and target_tokens > lora.trained_parameters:
        return f"there are {target_tokens:,} answer tokens, more than lora has parameters ({lora.trained_parameters:,}){fits}"
    if selected.name == MethodName.LORA or lora is None:
        return f"{LIGHTEST}{fits}"
    return f"it is the next lightest, as lora does not fit{fits}"


def _gb(size: float) -> str:
    return f"{size / GB:.1f} GB" if size >= 0.95 * GB else f"{size / GB:.2f} GB"
