"""The cost of validation probes and of an attached wizard in a training with default settings: `python -m tests.bench.probes`, 15 minutes.

The sample model is trained on all of SNIPS. Steps and probes are timed from the run's events; the wizard's cost is its CPU time. A shorter
training would show higher costs: a model that has not learned to end its answers decodes until the token limit, and a short curve is
redrawn more often. The wizard's CPU seconds are compared with wall time and not divided by the number of cores: if training uses every
core, all its threads wait for the one that the wizard interrupts.
"""

from __future__ import annotations

import statistics
import tempfile
from itertools import pairwise
from pathlib import Path

import psutil

from tests.bench.attached import TRAIN, shows
from tests.bench.cores import cpu, other_programs
from tests.bench.runs import replaying
from tests.bench.terminal import Terminal
from tests.conftest import COMMAND, REAL_DATA, ROOT
from tests.waiting import wait_for_event
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.methods.defaults import BATCH_SIZE, LORA_RATE, RANK
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import AnyEvent, CheckpointSaved, Probed, StepLogged, TrainingFinished, TrainingStarted
from tuneproof.engine.run.store import EVENTS

SETTINGS = [
    "training.max_steps=null",
    f"training.batch_size={BATCH_SIZE.value}",
    f"training.learning_rate={LORA_RATE.value}",
    f"training.rank={RANK.value}",
    "baselines=[zero_shot]",
]
"""Overrides that reset the case of SNIPS to the defaults."""


def main() -> None:
    rows = REAL_DATA / "snips"
    if not rows.is_dir():
        print(f"REAL DATA MISSING: {rows}")
        return
    with tempfile.TemporaryDirectory() as place, other_programs():
        run = Path(place) / "run"
        (Path(place) / "eval.jsonl").write_text("".join((rows / "test.jsonl").read_text().splitlines(keepends=True)[:20]))
        data = (f"data.examples={rows / 'train.jsonl'}", f"data.eval={place}/eval.jsonl")
        with replaying(run, *SETTINGS, *data, case=ROOT / "tests" / "real" / "snips.yaml", until=Stage.TRAIN):
            wait_for_event(run, TrainingStarted)
            wizard, events = watch_training(run)
        steps, probes = durations(events)
    whole = sum(steps) + sum(probes)
    print(f"{len(steps) + 1:,} steps of {statistics.median(steps):.3f} s (median), {whole:.0f} s with all probes")
    listed = ", ".join(f"{probe:.2f}" for probe in probes)
    print(f"{len(probes)} probes with their checkpoints, {listed} s: {100 * sum(probes) / whole:.2f} % of the time")
    print(f"the wizard: {wizard:.1f} CPU seconds, {100 * wizard / whole:.2f} % of the time")


def watch_training(run: Path) -> tuple[float, list[AnyEvent]]:
    """The CPU seconds of a wizard that shows a training until its end, and the events of the training."""
    reader, events = EventReader(run / EVENTS), list[AnyEvent]()
    with Terminal([COMMAND, "attach", run], run) as terminal:
        terminal.wait_for(shows(TRAIN))
        wizard = psutil.Process(terminal.pid)
        before = cpu(wizard)
        while not any(isinstance(event, TrainingFinished) for event in events[-10:]):
            terminal.watch(1)
            events += reader.read()
        return cpu(wizard) - before, events


def durations(events: list[AnyEvent]) -> tuple[list[float], list[float]]:
    """The seconds of each step after the first, and of each probe with the checkpoint after it."""
    timed = [event for event in events if isinstance(event, StepLogged | Probed | CheckpointSaved)]
    steps = [later.ts - earlier.ts for earlier, later in pairwise(timed) if isinstance(later, StepLogged)]
    ends = [event.ts for event in timed if isinstance(event, CheckpointSaved)]
    begins = [earlier.ts for earlier, later in pairwise(timed) if isinstance(later, Probed)]
    return steps, [end - begin for begin, end in zip(begins, ends, strict=True)]


if __name__ == "__main__":
    main()
