"""A few real steps of a training in a process of their own, to measure what memory and time they take instead of trusting a prediction.

The process loads the base, adds the adapter and steps the optimizer exactly as training will. Where it runs out of memory or is killed,
that is an answer and no error: nothing else of the run is harmed.
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
from tuneproof.engine.training.tokenize import IGNORED, EncodedRow

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class ProbeLengths:
    """The row that takes the most memory, and the padded length of a usual batch; `answer` tokens at the end of a row are learned."""

    worst: int
    usual: int
    answer: int


@dataclass(frozen=True)
class MemoryProbeResult:
    """What the steps took: bytes of memory at the peak, seconds of a step at the worst length and at the usual one.

    On a GPU the peak is that of all tensors; on a CPU that of the process, above what it was before the base was loaded.
    """

    peak: int
    whole_process: bool
    worst_seconds: float
    usual_seconds: float


def probe_memory(base: BaseCheckpoint, plan: Plan, lengths: ProbeLengths, stop: StopRequest) -> MemoryProbeResult | str:
    """Runs the steps, and gives what they took, or in words why it did not get so far for want of memory.

    Raises Interrupted where the run is asked to stop, and RuntimeError where the process fails for another reason.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_in_process, args=(theirs, os.getpid(), base, plan, lengths), daemon=True)
    process.start()
    # Only the child writes: with our end of it closed, reading ends when the child does.
    theirs.close()
    try:
        while not ours.poll(POLL_SECONDS):
            stop.check()
        answer: MemoryProbeResult | str | Exception = ours.recv()
    except EOFError:
        process.join()
        # A cluster may tell every process of a job to end, this one too.
        stop.check()
        if process.exitcode == -signal.SIGKILL:
            return "was killed for want of memory in a trial step"
        raise RuntimeError(f"the trial step ended with exit code {process.exitcode}; the log says why") from None
    finally:
        process.kill()
        process.join()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _in_process(answer: Connection, parent: int, base: BaseCheckpoint, plan: Plan, lengths: ProbeLengths) -> None:
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        answer.send(_steps(base, plan, lengths))
    except Exception as error:
        limit = machine_limit(error, base.folder)
        out_of_memory = isinstance(limit, OutOfMemory)
        answer.send("ran out of memory in a trial step" if out_of_memory else RuntimeError(f"the trial step failed: {error}"))


def _end_with(parent: int) -> None:
    """Ends this process when the worker is gone: a run that was killed must not leave its memory taken."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(1)


def _steps(base: BaseCheckpoint, plan: Plan, lengths: ProbeLengths) -> MemoryProbeResult:
    with large_imports():
        import torch
        from transformers import PrinterCallback, TrainerCallback

        from tuneproof.engine.training.run import make_trainer

    class Timed(TrainerCallback):
        """Takes the time of every optimizer step."""

        def __init__(self) -> None:
            self.seconds: list[float] = []
            self._began = 0.0

        def on_step_begin(self, *_: object, **__: object) -> None:
            _wait_for_gpu()
            self._began = time.monotonic()

        def on_step_end(self, *_: object, **__: object) -> None:
            _wait_for_gpu()
            self.seconds.append(time.monotonic() - self._began)

    # What one of the processes does, without the time that adding up over all of them takes, or handing weights to each other.
    alone = replace(plan.per_process, group_by_length=False)
    if not torch.cuda.is_available():
        torch.set_num_threads(max(1, torch.get_num_threads() // plan.processes_per_node))
    # The first step also makes the optimizer's state and warms caches up; the second is the worst there is, the third a usual one.
    rows = [_row(lengths.worst, lengths.answer)] * (2 * alone.batch_size) + [_row(lengths.usual, lengths.answer)] * alone.batch_size
    before = _resident()
    if plan.sharded:
        _as_one_of(plan.processes)
    with tempfile.TemporaryDirectory(prefix="tuneproof-trial-step-") as folder:
        trainer = make_trainer(base, rows, replace(alone, max_steps=3), Path(folder))
        trainer.even, trainer.args.train_sampling_strategy = None, "sequential"
        trainer.add_callback(timed := Timed())
        # Its figures are of made-up rows, and have no place in the log.
        trainer.remove_callback(PrinterCallback)
        buckets = _buckets(trainer.model) if plan.processes > 1 and not plan.sharded else []
        trainer.train()
    del buckets
    _, worst, usual = timed.seconds
    on_gpu = torch.cuda.is_available()
    peak = torch.cuda.max_memory_allocated() if on_gpu else _most_resident() - before
    return MemoryProbeResult(int(peak), not on_gpu, round(worst, 4), round(usual, 4))


def _row(length: int, answer: int) -> EncodedRow:
    """A row of so many tokens: what they are changes neither memory nor time."""
    learned = min(answer, length - 1)
    return EncodedRow([1] * length, [IGNORED] * (length - learned) + [1] * learned)


def _buckets(model: Any) -> list[Any]:
    """As much memory as torch's DistributedDataParallel adds gradients up in."""
    import torch

    return [torch.zeros_like(parameter) for parameter in model.parameters() if parameter.requires_grad]


def _as_one_of(processes: int) -> None:
    """Makes torch take this process for one of so many: it holds its share and room for all, and from the others comes what lay there."""
    import torch.distributed as dist
    from torch.testing._internal.distributed.fake_pg import FakeStore

    dist.init_process_group(dist.Backend.FAKE, store=FakeStore(), rank=0, world_size=processes)


def _wait_for_gpu() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _resident() -> int:
    """Bytes of this process that are in memory now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def _most_resident() -> int:
    """The most bytes of this process that ever were in memory; told in KiB, but on a Mac."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
