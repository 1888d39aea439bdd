"""What its probes, and a wizard that watches it, cost a training at the defaults: `python -m tests.bench.probes`, a quarter of an hour.

The sample model is trained on the whole of SNIPS as the defaults say; steps and probes are timed from the run's events, and the wizard's
processor time is read beside them. No shorter training would tell: a model that has not learned where an answer ends writes on until its
room is full, and a young curve is drawn anew more often. Where training takes every core, all its threads wait for the one that gave way
to the wizard; so its time counts whole, and not by the cores that there are.
"""

from __future__ import annotations

import statistics
import tempfile
from itertools import pairwise
from pathlib import Path

import psutil

from tests.bench.attached import TRAIN, shows
from tests.bench.cores import cpu, neighbours
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
"""The case of SNIPS, brought back to the defaults."""


def main() -> None:
    rows = REAL_DATA / "snips"
    if not rows.is_dir():
        print(f"REAL DATA MISSING: {rows}")
        return
    with tempfile.TemporaryDirectory() as place, neighbours():
        run = Path(place) / "run"
        (Path(place) / "eval.jsonl").write_text("".join((rows / "test.jsonl").read_text().splitlines(keepends=True)[:20]))
        data = (f"data.examples={rows / 'train.jsonl'}", f"data.eval={place}/eval.jsonl")
        with replaying(run, *SETTINGS, *data, case=ROOT / "tests" / "real" / "snips.yaml", until=Stage.TRAIN):
            wait_for_event(run, TrainingStarted)
            wizard, events = watched(run)
        steps, probes = seconds(events)
    whole = sum(steps) + sum(probes)
    print(f"{len(steps) + 1:,} steps of {statistics.median(steps):.3f} s (median), {whole:.0f} s with all probes")
    told = ", ".join(f"{probe:.2f}" for probe in probes)
    print(f"{len(probes)} probes with their checkpoints, {told} s: {100 * sum(probes) / whole:.2f} % of the time")
    print(f"the wizard: {wizard:.1f} s of a processor, {100 * wizard / whole:.2f} % of the time")


def watched(run: Path) -> tuple[float, list[AnyEvent]]:
    """The processor's seconds that the wizard took to show a training until its end, and what was told of it."""
    reader, events = EventReader(run / EVENTS), list[AnyEvent]()
    with Terminal([COMMAND, "attach", run], run) as terminal:
        terminal.wait_for(shows(TRAIN))
        wizard = psutil.Process(terminal.pid)
        before = cpu(wizard)
        while not any(isinstance(event, TrainingFinished) for event in events[-10:]):
            terminal.watch(1)
            events += reader.read()
        return cpu(wizard) - before, events


def seconds(events: list[AnyEvent]) -> tuple[list[float], list[float]]:
    """The seconds of each step after the first, and of each probe with the checkpoint after it."""
    told = [event for event in events if isinstance(event, StepLogged | Probed | CheckpointSaved)]
    steps = [later.ts - sooner.ts for sooner, later in pairwise(told) if isinstance(later, StepLogged)]
    ends = [event.ts for event in told if isinstance(event, CheckpointSaved)]
    begins = [sooner.ts for sooner, later in pairwise(told) if isinstance(later, Probed)]
    return steps, [end - begin for begin, end in zip(begins, ends, strict=True)]


if __name__ == "__main__":
    main()
