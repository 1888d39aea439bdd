"""The plan of a training as text: memory, time and disk, predicted and measured, cost, and the methods that were not chosen."""

from __future__ import annotations

from tuneproof.engine.case.training import Sharding
from tuneproof.engine.methods.select import ExecutionOption
from tuneproof.engine.run.artifacts import MeasuredStep, Memory, Optimizer, PlannedFacts
from tuneproof.engine.run.needs import Disk, Needs

SMALLER_OPTIMIZERS = {
    Optimizer.ADAMW_8BIT: "the optimizer state is kept in 8 bits",
    Optimizer.PAGED_8BIT: "the optimizer state is kept in 8 bits and paged to main memory",
}
"""How the text names an optimizer that is not plain AdamW."""

PARTS = {"overhead": "libraries and temporary copies"}
"""How the text names a part of the memory whose stored name says too little."""

NOTABLE_PADDING = 0.1
"""Share of padding from which the text says how to avoid it."""

SHARDED = "which shard weights, gradients and optimizer state (FSDP2)"
"""How the text describes processes none of which has the whole model."""


def planned_lines(planned: PlannedFacts) -> list[str]:
    """The plan, one line a subject."""
    lines = [needs_line(planned.needs), _predicted(planned), _measured(planned), *_disk(planned)]
    if planned.processes > 1:
        sharded = f", {SHARDED}" if planned.sharding is Sharding.FULL else ""
        lines.append(f"each batch is divided among {planned.processes} processes{sharded}; memory is per process")
    lines += _execution(planned)
    if planned.measured is not None and planned.hours is not None:
        usd = f", {planned.usd:.2f} USD" if planned.usd is not None else ""
        whole = "with the learning curve" if planned.learning_curve else "in all"
        lines.append(
            f"time: {planned.steps} steps of {planned.measured.usual_seconds:.3g} s at the usual length of "
            f"{planned.measured.usual_length} tokens, {duration_text(planned.hours)} {whole}{usd}; {_not_included(planned)} not included"
        )
    lines += [f"not chosen: {each.name}: {each.reason}" for each in planned.rejected_methods]
    return lines


def needs_line(needs: Needs) -> str:
    """Hours, memory and disk that a training needs, next to each other, against what there is."""
    memory = "memory not predicted" if needs.memory is None else f"{gb(needs.memory)} of memory"
    disk = "disk not predicted" if needs.disk is None else f"{gb(needs.disk)} of disk"
    free = "free space not reported" if needs.free_disk is None else f"{gb(needs.free_disk)} free"
    hours = "time not measured" if needs.hours is None else duration_text(needs.hours)
    return f"needs: {memory} ({gb(needs.available_memory)} available), {disk} ({free}), {hours}"


def disk_line(disk: Disk) -> str:
    """The peak of disk space by what takes it."""
    parts = [
        ("checkpoints", disk.checkpoints),
        ("trained models", disk.models),
        ("merged model", disk.merged),
        ("predictions", disk.predictions),
    ]
    listed = ", ".join(f"{name} {gb(size)}" for name, size in parts if size)
    return f"disk predicted: {gb(disk.total)} at most at once: {listed}; one checkpoint has {gb(disk.checkpoint)}"


def _disk(planned: PlannedFacts) -> list[str]:
    return [] if planned.disk is None else [disk_line(planned.disk)]


def _execution(planned: PlannedFacts) -> list[str]:
    """How a step is run, and the share of padding, if there is something to say."""
    measures, padding = execution_line(planned, processes=planned.processes), planned.padding
    of_padding = "" if padding is None else f"{100 * padding:.0f} % of the tokens are padding"
    if planned.checkpointing:
        measures = f"to fit, {measures}"
    elif measures and of_padding:
        measures = f"{measures}, its rows sorted by length: {of_padding}"
    elif padding is not None and padding >= NOTABLE_PADDING:
        measures = f"{of_padding}; training.packing or training.group_by_length would avoid most of it"
    return [measures] if measures else []


def _predicted(planned: PlannedFacts) -> str:
    there = f"{gb(planned.available_memory)} ({planned.available_memory_source})"
    if planned.memory is None:
        return f"memory: not predicted ({planned.not_predicted}); {there} available"
    of_what = "packed sequences" if planned.packed else "rows"
    return f"memory predicted for {of_what} of {planned.length} tokens: {memory_line(planned.memory, there)}"


def memory_line(memory: Memory, there: str) -> str:
    """Memory with its components, against what is available."""
    parts = ", ".join(f"{PARTS.get(part, part)} {gb(size)}" for part, size in memory.model_dump().items() if size)
    return f"{gb(memory.total)} of {there}: {parts}"


def _measured(planned: PlannedFacts) -> str:
    trial = planned.measured
    if trial is None:
        return f"memory measured: not before training, because {planned.not_measured}"
    of_what = "for the whole process" if trial.whole_process else "in tensors"
    against = ""
    if planned.memory is not None:
        predicted = comparable_prediction(planned.memory, trial)
        against = f", {gb(predicted)} predicted ({100 * (predicted / trial.peak - 1):+.0f} %)"
    return f"memory measured in a trial step: {gb(trial.peak)} {of_what}{against}; the step took {trial.worst_seconds:.3g} s"


def comparable_prediction(memory: Memory, trial: MeasuredStep) -> int:
    """The part of the predicted memory that a trial step measures, in bytes: of the whole process, or of tensors alone."""
    return memory.total if trial.whole_process else memory.tensors


def execution_line(option: ExecutionOption | PlannedFacts, *, processes: int = 1) -> str:
    """What a step does to need less memory, or to have less padding; empty if it does nothing."""
    measures = []
    if option.accumulation > 1:
        whose = "batch" if processes == 1 else "process's share of a batch"
        measures.append(f"each {whose} runs in {option.accumulation} accumulation steps")
    if option.checkpointing:
        measures.append("activations are recomputed in the backward pass")
    if option.optimizer in SMALLER_OPTIMIZERS:
        measures.append(SMALLER_OPTIMIZERS[option.optimizer])
    return " and ".join(measures)


def _not_included(planned: PlannedFacts) -> str:
    return "validation probes are" if planned.processes == 1 else "validation probes and communication between processes are"


def duration_text(hours: float) -> str:
    """A duration in hours, or in minutes below one."""
    return f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.1f} minutes"


def gb(size: int) -> str:
    """A number of bytes in kB, MB or GB."""
    if size < 10**8:
        return f"{size / 1e6:.1f} MB" if size >= 10**5 else f"{size / 1e3:.0f} kB"
    return f"{size / 1e9:.1f} GB" if size >= 10**10 else f"{size / 1e9:.2f} GB"
