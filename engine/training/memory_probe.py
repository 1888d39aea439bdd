"""The memory probe: a few real steps of a training in a process of their own, to measure the memory and time that they take.

The process loads the base, adds the adapter and steps the optimizer exactly as training will. If it runs out of memory or is killed,
that is a result and not an error: the rest of the run is unaffected.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tuneproof.engine.core.errors import OutOfMemory
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.run.imports import large_imports
from tuneproof.engine.run.limits import machine_limit
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.training.tokenize import IGNORE_INDEX, EncodedRow

POLL_SECONDS = 0.1

TRIAL_STEPS = 3
"""The first step also creates the optimizer's state and warms up caches; the second has the longest rows, the third usual ones."""


@dataclass(frozen=True)
class ProbeLengths:
    """Lengths of made-up rows, in tokens."""

    worst: int
    """Of the longest train row: its step takes the most memory."""
    usual: int
    """Of an average batch, padding included."""
    answer: int
    """Target tokens at the end of each row."""


@dataclass(frozen=True)
class MemoryProbeResult:
    """What the steps took."""

    peak: int
    """Bytes. On a GPU those of all tensors; on a CPU those of the process, minus what it had before the base was loaded."""
    whole_process: bool
    worst_seconds: float
    """Of a step with rows of the worst length."""
    usual_seconds: float


@dataclass(frozen=True)
class StepTaken:
    """Sent by the process after each step but the last."""

    number: int


def probe_memory(
    base: BaseCheckpoint, plan: Plan, lengths: ProbeLengths, stop: StopRequest, on_step: Callable[[int], None] = lambda done: None
) -> MemoryProbeResult | str:
    """Runs the steps and returns what they took; if memory ran out, a sentence about that, to follow a method's name.

    `on_step` is called with the number of steps taken, before the last.
    Raises Interrupted if a stop is requested, and RuntimeError if the process fails for another reason.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_in_process, args=(theirs, os.getpid(), base, plan, lengths), daemon=True)
    process.start()
    # Only the child writes. With our copy of its end closed, reading ends when the child does.
    theirs.close()
    try:
        result = _result(ours, stop, on_step)
    except EOFError:
        process.join()
        # A cluster may signal every process of a job, this one too.
        stop.check()
        if process.exitcode == -signal.SIGKILL:
            return "was killed in a trial step because memory ran out"
        raise RuntimeError(f"the trial step ended with exit code {process.exitcode}; the log says why") from None
    finally:
        process.kill()
        process.join()
    if isinstance(result, Exception):
        raise result
    return result


def _result(results: Connection, stop: StopRequest, on_step: Callable[[int], None]) -> MemoryProbeResult | str | Exception:
    """What the process sends at its end. Raises EOFError if it ends without."""
    while True:
        while not results.poll(POLL_SECONDS):
            stop.check()
        message: MemoryProbeResult | str | Exception | StepTaken = results.recv()
        if not isinstance(message, StepTaken):
            return message
        on_step(message.number)


def _in_process(results: Connection, parent: int, base: BaseCheckpoint, plan: Plan, lengths: ProbeLengths) -> None:
    threading.Thread(target=_exit_with, args=(parent,), daemon=True).start()
    try:
        results.send(_run_steps(base, plan, lengths, lambda number: results.send(StepTaken(number))))
    except Exception as error:
        out_of_memory = isinstance(machine_limit(error, base.folder), OutOfMemory)
        results.send("ran out of memory in a trial step" if out_of_memory else RuntimeError(f"the trial step failed: {error}"))


def _exit_with(parent: int) -> None:
    """Ends this process when the worker is gone: a run that was killed must not keep memory in use."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(1)


def _run_steps(base: BaseCheckpoint, plan: Plan, lengths: ProbeLengths, on_step: Callable[[int], None]) -> MemoryProbeResult:
    with large_imports():
        import torch
        from transformers import PrinterCallback, TrainerCallback

        from tuneproof.engine.training.run import make_trainer

    class StepTimer(TrainerCallback):
        """Measures the seconds of every optimizer step."""

        def __init__(self) -> None:
            self.seconds: list[float] = []
            self._began = 0.0

        def on_step_begin(self, *_: object, **__: object) -> None:
            _synchronize()
            self._began = time.monotonic()

        def on_step_end(self, *_: object, **__: object) -> None:
            _synchronize()
            self.seconds.append(time.monotonic() - self._began)
            if len(self.seconds) < TRIAL_STEPS:
                on_step(len(self.seconds))

    # The share of one process, without the time of all-reduces or of gathering weights.
    alone = replace(plan.per_process, group_by_length=False)
    on_gpu = torch.cuda.is_available()
    if not on_gpu:
        torch.set_num_threads(max(1, torch.get_num_threads() // plan.processes_per_node))
    rows = [_row(lengths.worst, lengths.answer)] * (2 * alone.batch_size) + [_row(lengths.usual, lengths.answer)] * alone.batch_size
    before = _resident_bytes()
    if plan.sharded:
        _init_fake_process_group(plan.processes)
    with tempfile.TemporaryDirectory(prefix="tuneproof-trial-step-") as folder:
        trainer = make_trainer(base, rows, replace(alone, max_steps=TRIAL_STEPS), Path(folder))
        trainer.train_sampler, trainer.args.train_sampling_strategy = None, "sequential"
        trainer.add_callback(timer := StepTimer())
        # The losses of made-up rows have no place in the log.
        trainer.remove_callback(PrinterCallback)
        buckets = _gradient_buckets(trainer.model) if plan.processes > 1 and not plan.sharded else []
        trainer.train()
    del buckets
    _, worst, usual = timer.seconds
    peak = torch.cuda.max_memory_allocated() if on_gpu else _peak_resident_bytes() - before
    return MemoryProbeResult(int(peak), not on_gpu, round(worst, 4), round(usual, 4))


def _row(length: int, answer: int) -> EncodedRow:
    """A row of this length; which tokens it has changes neither memory nor time."""
    targets = min(answer, length - 1)
    return EncodedRow([1] * length, [IGNORE_INDEX] * (length - targets) + [1] * targets)


def _gradient_buckets(model: Any) -> list[Any]:
    """As much memory as torch's DistributedDataParallel takes for its gradient buckets."""
    import torch

    return [torch.zeros_like(parameter) for parameter in model.parameters() if parameter.requires_grad]


def _init_fake_process_group(processes: int) -> None:
    """Makes torch take this process for one of several: it holds its shard and room for gathered ones, whose contents are arbitrary."""
    import torch.distributed as dist
    from torch.testing._internal.distributed.fake_pg import FakeStore

    dist.init_process_group(dist.Backend.FAKE, store=FakeStore(), rank=0, world_size=processes)


def _synchronize() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _resident_bytes() -> int:
    """The resident set size of this process."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def _peak_resident_bytes() -> int:
    """The largest resident set size this process has had; `ru_maxrss` is in KiB, but in bytes on macOS."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
