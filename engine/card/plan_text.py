"""What was planned, for a reader: memory predicted against measured, time and money, and what was turned down."""

from __future__ import annotations

from tuneproof.engine.case.training import Sharding
from tuneproof.engine.methods.select import ExecutionOption
from tuneproof.engine.run.artifacts import MeasuredStep, Memory, Optimizer, PlannedFacts

SMALLER = {
    Optimizer.ADAMW_8BIT: "the optimizer's state is kept in 8 bits",
    Optimizer.PAGED_8BIT: "the optimizer's state is kept in 8 bits in memory of the host",
}
"""What is said of an optimizer that is not plain AdamW."""

WORTH_SAVING = 0.1
"""Share of padding from which it is told what would save it."""


DIVIDED = "which divide weights, gradients and optimizer among them (FSDP2)"
"""What is said of processes none of which has the whole model."""


def planned_lines(planned: PlannedFacts) -> list[str]:
    """A sentence each."""
    lines = [_predicted(planned), _measured(planned)]
    if planned.processes > 1:
        divided = f", {DIVIDED}" if planned.sharding is Sharding.FULL else ""
        lines.append(f"each batch is shared by {planned.processes} processes{divided}; memory is that of each")
    lines += _run(planned)
    if planned.measured is not None and planned.hours is not None:
        usd = f", {planned.usd:.2f} USD" if planned.usd is not None else ""
        whole = "with the learning curve" if planned.learning_curve else "in all"
        lines.append(
            f"time: {planned.steps} steps of {planned.measured.usual_seconds:.3g} s at the usual {planned.measured.usual_length} tokens, "
            f"{_hours(planned.hours)} {whole}{usd}; {_on_top(planned)} on top"
        )
    lines += [f"turned down: {each.name}: {each.reason}" for each in planned.rejected_methods]
    return lines


def _run(planned: PlannedFacts) -> list[str]:
    """How a step is run, and how much of what it reads is padding, where either is worth a word."""
    ways, padding = ways_line(planned, processes=planned.processes), planned.padding
    of_padding = "" if padding is None else f"{100 * padding:.0f} % of what is read is padding"
    if planned.checkpointing:
        ways = f"to fit, {ways}"
    elif ways and of_padding:
        ways = f"{ways}, its rows sorted by length: {of_padding}"
    elif padding is not None and padding >= WORTH_SAVING:
        ways = f"{of_padding}; training.packing or training.group_by_length would save most of it"
    return [ways] if ways else []


def _predicted(planned: PlannedFacts) -> str:
    there = f"{gb(planned.available_memory)} ({planned.available_memory_source})"
    if planned.memory is None:
        return f"memory: not predicted ({planned.not_predicted}); there are {there}"
    of_what = "packed sequences" if planned.packed else "rows"
    return f"memory predicted for {of_what} of {planned.length} tokens: {memory_line(planned.memory, there)}"


def memory_line(memory: Memory, there: str) -> str:
    """How much of what is there, and what it is made of."""
    parts = ", ".join(f"{part} {gb(size)}" for part, size in memory.model_dump().items() if size)
    return f"{gb(memory.total)} of {there}: {parts}"


def _measured(planned: PlannedFacts) -> str:
    trial = planned.measured
    if trial is None:
        return f"memory measured: not before training, as {planned.not_measured}"
    of_what = "of the process" if trial.whole_process else "of tensors"
    against = ""
    if planned.memory is not None:
        predicted = predicted_for_trial(planned.memory, trial)
        against = f", {gb(predicted)} predicted ({100 * (predicted / trial.peak - 1):+.0f} %)"
    return f"memory measured in a trial step: {gb(trial.peak)} {of_what}{against}; {trial.worst_seconds:.3g} s"


def predicted_for_trial(memory: Memory, trial: MeasuredStep) -> int:
    """What of a prediction a trial step has measured, in bytes."""
    return memory.total if trial.whole_process else memory.tensors


def ways_line(way: ExecutionOption | PlannedFacts, *, processes: int = 1) -> str:
    """How a step is run, where it is not run at once and plainly."""
    told = []
    if way.accumulation > 1:
        whose = "batch" if processes == 1 else "process's share of a batch"
        told.append(f"each {whose} runs in {way.accumulation} parts")
    if way.checkpointing:
        told.append("activations are computed twice")
    if way.optimizer in SMALLER:
        told.append(SMALLER[way.optimizer])
    return " and ".join(told)


def _on_top(planned: PlannedFacts) -> str:
    return "probes come" if planned.processes == 1 else "probes, and what processes send each other, come"


def _hours(hours: float) -> str:
    return f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.1f} minutes"


def gb(size: int) -> str:
    """Bytes as a person reads them."""
    if size < 10**8:
        return f"{size / 1e6:.1f} MB" if size >= 10**5 else f"{size / 1e3:.0f} kB"
    return f"{size / 1e9:.1f} GB" if size >= 10**10 else f"{size / 1e9:.2f} GB"
