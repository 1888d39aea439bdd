"""Time and memory that attaching to a long run takes: `python -m tests.bench.attach`."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import CheckpointSaved, Launched, Probed, Sample, StageStarted, StepLogged, TrainingStarted
from tuneproof.engine.run.listing import list_runs
from tuneproof.engine.run.state import RunState
from tuneproof.engine.run.step_series import StepSeries

EVENTS = 100_000
RUNS = 5
POINTS = 400


def write_log(path: Path) -> None:
    """Writes the log of a long training, with a probe and a checkpoint every thousand steps."""
    sample = Sample(id="0" * 16, expected="x" * 100, output="y" * 100, correct=False)
    events: list[Event] = [
        Launched(pid=1, process_started=1.0, tuneproof="0", until=Stage.CARD),
        StageStarted(stage=Stage.TRAIN),
        TrainingStarted(method="lora", examples=9, steps=EVENTS, resumed_at=0, trained_parameters=1, all_parameters=2),
    ]
    step = 0
    while len(events) < EVENTS:
        step += 1
        events.append(
            StepLogged(
                step=step,
                of=EVENTS,
                epoch=step / 3000,
                loss=2.345678 / step**0.1,
                learning_rate=2e-4 * (1 - step / EVENTS),
                grad_norm=0.8765432 + 1 / step,
                tokens_per_second=12345.6,
            )
        )
        if step % 1000 == 0:
            events.append(Probed(step=step, n=8, format_valid=1.0, correct=0.5, loss=1.5, best=True, samples=[sample] * 8))
            events.append(CheckpointSaved(step=step, path=f"training/checkpoints/checkpoint-{step}"))
    stamped = (event.model_copy(update={"seq": at, "ts": 1.8e9 + at / 8}) for at, event in enumerate(events[:EVENTS]))
    path.write_bytes(b"".join(event.model_dump_json().encode() + b"\n" for event in stamped))


def attach(path: Path) -> RunState:
    """Reads a log as the wizard does when it attaches."""
    state = RunState()
    for chunk in EventReader(path).read_chunks():
        for event in chunk:
            state.apply(event)
    return state


def seconds(do: Callable[[], object]) -> str:
    """Median and maximum CPU time of some calls."""
    took = []
    for _ in range(RUNS):
        started = time.process_time()
        do()
        took.append(time.process_time() - started)
    return f"median {statistics.median(took):.4f} s, worst {max(took):.4f} s of CPU"


def size(curve: StepSeries) -> int:
    """Size of the columns in bytes."""
    return sum(sys.getsizeof(column) for column in vars(curve).values())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        run.mkdir()
        for name in ("case.yaml", "manifest.json"):
            (run / name).write_text("{}")
        log = run / "events.jsonl"
        write_log(log)
        print(f"a log of {EVENTS:,} events, {log.stat().st_size / 2**20:.1f} MiB")
        print(f"read and applied: {seconds(lambda: attach(log))}")
        tracemalloc.start()
        state = attach(log)
        steps = state.tuned.steps
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(f"memory: {kept / 2**20:.1f} MiB kept, {peak / 2**20:.1f} MiB at most; the steps are {size(steps) / 2**20:.1f} MiB")
        print(f"a curve of {POINTS} points: {seconds(lambda: steps.points(POINTS))}")
        print(f"list_runs: {seconds(lambda: list_runs(Path(folder)))}")


if __name__ == "__main__":
    main()
