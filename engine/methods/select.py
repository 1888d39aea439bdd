"""Which method to train with: the lightest that fits, and why each of the others was turned down.

The order. LoRA comes first: it changes a habit of the model at a small part of the cost. Full fine-tuning is taken before it only where
both argue for that: the data, when there are more answer tokens to learn than LoRA has parameters to hold them (from where LoRA falls
behind, "LoRA Without Regret", Schulman and others 2025), and the memory, when it fits. Where LoRA does not fit in any way, the same over a
base in 8 bits, then in 4. The other methods are for special ends: they are taken when a case names them.

A method can be run in several ways. In the order in which they are tried: the batch in as many parts as are quickest, their gradients
summed; in more parts, which costs a little time, or in fewer, which for all weights is less memory; one row at a time with activations
computed twice, which costs about a third more. These change nothing of what is learned. Where the optimizer's state is the most of it, as
in full fine-tuning, that is then kept in 8 bits, and last in memory of the host. Several processes divide the model among them where no
whole copy fits: that saves more than 8 bits do and rounds nothing, and is paid for in what they send each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tuneproof.engine.case.training import Sharding
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.run.artifacts import Memory, Optimizer

MARGIN = 0.1
"""Share of the memory that a prediction leaves free: on the published peaks it was at worst 8 % too low."""

AUTO_ORDER = ("lora", "int8_lora", "qlora", "full")
"""What `auto` takes, if it fits, where data do not argue for full."""

GB = 1e9


@dataclass(frozen=True)
class ExecutionOption:
    """One way to run a method, with the memory that it is predicted to take; none where that cannot be predicted."""

    accumulation: int
    checkpointing: bool
    memory: Memory | None = None
    optimizer: Optimizer = Optimizer.ADAMW
    sharding: Sharding = Sharding.NONE


@dataclass(frozen=True)
class Candidate:
    """A method that could be trained here, in the ways it can be run, or why it cannot be."""

    name: str
    trained_parameters: int
    options: tuple[ExecutionOption, ...]
    refusal: str | None = None


@dataclass(frozen=True)
class AvailableMemory:
    """The memory there is, in bytes, and what says so."""

    total: float
    source: str

    @property
    def usable(self) -> float:
        """What a prediction may take of it."""
        return self.total * (1 - MARGIN)


@dataclass(frozen=True)
class Selection:
    """What is to be trained, how, why, and what was turned down for what reason."""

    candidate: Candidate
    option: ExecutionOption
    why: str
    rejected: dict[str, str]


def execution_options(
    batch_size: int,
    *,
    quickest: int = 1,
    may_checkpoint: bool = True,
    smaller_optimizers: Sequence[Optimizer] = (),
    sharding: Sharding = Sharding.NONE,
) -> list[ExecutionOption]:
    """Every way to run a batch, in the order in which they are tried, without a prediction; with `auto`, whole copies come first.

    `quickest` is in how many parts it is done soonest.
    """
    parts = [parts for parts in range(1, batch_size + 1) if batch_size % parts == 0]
    ways = [ExecutionOption(part, checkpointing=False) for part in sorted(parts, key=lambda part: (part < quickest, part))]
    if may_checkpoint:
        ways.append(ExecutionOption(batch_size, checkpointing=True))
    if sharding is Sharding.NONE:
        return ways + [replace(ways[-1], optimizer=optimizer) for optimizer in smaller_optimizers]
    # The 8-bit optimizers of bitsandbytes know nothing of a divided weight.
    return (ways if sharding is Sharding.AUTO else []) + [replace(way, sharding=Sharding.FULL) for way in ways]


def select_method(
    candidates: Sequence[Candidate],
    room: AvailableMemory,
    learned_tokens: int,
    ran_out: Mapping[tuple[str, ExecutionOption], str],
    *,
    named: bool,
) -> Selection:
    """The first candidate in the order with a way that fits; `ran_out` has the ways that a trial step showed not to.

    A case that names its method gives one candidate; it is tried in its lightest way even where a prediction says that it will not fit.
    Raises GateClosed where nothing fits.
    """
    rejected: dict[str, str] = {}
    for candidate in _in_order(candidates, learned_tokens, named=named):
        tried = [way for name, way in ran_out if name == candidate.name]
        way = _fitting(candidate, room, tried, named=named)
        if way is not None:
            skipped = _not_needed(candidates, candidate, learned_tokens, rejected)
            return Selection(candidate, way, _why(candidate, candidates, way, room, learned_tokens), {**rejected, **skipped})
        rejected[candidate.name] = ran_out[(candidate.name, tried[-1])] if tried else _too_large(candidate, room)
    raise _refused(candidates, rejected, room)


def _refused(candidates: Sequence[Candidate], rejected: Mapping[str, str], room: AvailableMemory) -> GateClosed:
    least = [candidate.options[-1].memory.total for candidate in candidates if candidate.options and candidate.options[-1].memory]
    wanted = f", a machine with {min(least) / (1 - MARGIN) / GB:.1f} GB" if least else ""
    return GateClosed(
        f"nothing fits in {_gb(room.total)} ({room.source}): " + "; ".join(f"{name} {reason}" for name, reason in rejected.items()),
        where="method",
        fix=f"take a smaller model.base{wanted}, or leave the longest rows out",
    )


def _in_order(candidates: Sequence[Candidate], learned_tokens: int, *, named: bool) -> list[Candidate]:
    if named:
        return list(candidates)
    by_name = {candidate.name: candidate for candidate in candidates}
    order = [name for name in AUTO_ORDER if name in by_name]
    if _data_argue_for_full(by_name, learned_tokens):
        order.sort(key=lambda name: name != "full")
    return [by_name[name] for name in order]


def _data_argue_for_full(by_name: Mapping[str, Candidate], learned_tokens: int) -> bool:
    return "full" in by_name and "lora" in by_name and learned_tokens > by_name["lora"].trained_parameters


def _fitting(candidate: Candidate, room: AvailableMemory, tried: Sequence[ExecutionOption], *, named: bool) -> ExecutionOption | None:
    """The first way that fits.

    After one that a trial step showed not to fit, only the lightest is still worth a trial: of those with a whole copy in each process, and
    then of those with shares.
    """
    if candidate.refusal:
        return None
    lightest = candidate.options[-1]
    ways = {way.sharding: way for way in candidate.options}.values() if tried else candidate.options
    fitting = [way for way in ways if way not in tried and (way.memory is None or way.memory.total <= room.usable)]
    if named and not fitting and lightest not in tried:
        return lightest
    return fitting[0] if fitting else None


def _too_large(candidate: Candidate, room: AvailableMemory) -> str:
    if candidate.refusal:
        return candidate.refusal
    least = candidate.options[-1].memory
    assert least is not None
    return f"needs {_gb(least.total)} at least, {_gb(room.usable)} may be used"


def _not_needed(candidates: Sequence[Candidate], chosen: Candidate, learned_tokens: int, rejected: Mapping[str, str]) -> dict[str, str]:
    """Why the methods of the order that were not even looked at were not."""
    by_name = {candidate.name: candidate for candidate in candidates}
    reasons = {}
    for name in AUTO_ORDER:
        if name not in by_name or name == chosen.name or name in rejected:
            continue
        if by_name[name].refusal:
            reasons[name] = str(by_name[name].refusal)
        elif name == "full" and "lora" in by_name:
            held = by_name["lora"].trained_parameters
            reasons[name] = f"lora can hold it: {held:,} parameters for {learned_tokens:,} answer tokens"
        else:
            reasons[name] = f"is not needed where {chosen.name} fits"
    return reasons


def _why(chosen: Candidate, candidates: Sequence[Candidate], way: ExecutionOption, room: AvailableMemory, learned_tokens: int) -> str:
    fits = f" and fits: {_gb(way.memory.total)} of {_gb(room.total)}" if way.memory else ""
    lora = next((candidate for candidate in candidates if candidate.name == "lora"), None)
    if chosen.name == "full" and lora is not None and learned_tokens > lora.trained_parameters:
        held = f"{lora.trained_parameters:,} parameters of lora"
        return f"there are {learned_tokens:,} answer tokens to learn, more than the {held} can hold, it changes all{fits}"
    if chosen.name == "lora" or lora is None:
        return f"it is the lightest method that changes a habit of the model{fits}"
    return f"it is the next lightest where lora does not fit{fits}"


def _gb(size: float) -> str:
    return f"{size / GB:.1f} GB" if size >= 0.95 * GB else f"{size / GB:.2f} GB"
