"""What the probes of a training cost, at their defaults: `python -m tests.bench.probes`.

SNIPS whole, on the sample model: steps are trained with eight probes in between, and both are timed from the run's events. The probes are
then held against the steps of the training that the defaults would do, which is not done here. Early probes take longest, as a model
that has not learned where an answer ends writes on until its room is full; so both the mean and the last are told.
"""

from __future__ import annotations

import statistics
import tempfile
from itertools import pairwise
from pathlib import Path

from tests.conftest import REAL_DATA, ROOT, set_to, tuneproof
from tuneproof.engine.data.split import Part
from tuneproof.engine.methods.defaults import BATCH_SIZE, EPOCHS
from tuneproof.engine.run.events import AnyEvent, CheckpointSaved, EventReader, Probed, StepLogged
from tuneproof.engine.run.store import EVENTS, RunStore, part_file
from tuneproof.engine.training.sft import PROBES

STEPS, EVERY = 160, 20
SETTINGS = [
    f"training.max_steps={STEPS}",
    f"training.probe_every={EVERY}",
    f"training.batch_size={BATCH_SIZE.value}",
    "baselines=[zero_shot]",
]


def main() -> None:
    rows = REAL_DATA / "snips"
    if not rows.is_dir():
        print(f"REAL DATA MISSING: {rows}")
        return
    with tempfile.TemporaryDirectory() as place:
        run = Path(place) / "run"
        (Path(place) / "eval.jsonl").write_text("".join((rows / "test.jsonl").read_text().splitlines(keepends=True)[:20]))
        words = set_to(*SETTINGS, f"data.examples={rows / 'train.jsonl'}", f"data.eval={place}/eval.jsonl")
        done = tuneproof("--replay", ROOT / "tests" / "real" / "snips.yaml", "--run-dir", run, "--until", "train", *words)
        assert done.code == 0, done.err
        steps, probes = seconds(list(EventReader(run / EVENTS).read()))
        learned = RunStore(run).read(part_file(Part.TRAIN)).count("\n")
    whole = -(-learned // int(BATCH_SIZE.value)) * int(EPOCHS.value)
    step = statistics.median(steps)
    print(f"{learned:,} rows, {EPOCHS.value:g} epochs: {whole:,} steps of {step:.3f} s (median of {len(steps)}) and {PROBES} probes")
    for told, probe in (("the mean of all", statistics.mean(probes)), ("the last", probes[-1])):
        share = PROBES * probe / (PROBES * probe + whole * step)
        print(f"a probe with its checkpoint {probe:.2f} s ({told}): {100 * share:.1f} % of the time")


def seconds(events: list[AnyEvent]) -> tuple[list[float], list[float]]:
    """The seconds of each step, and of each probe with the checkpoint after it."""
    told = [event for event in events if isinstance(event, StepLogged | Probed | CheckpointSaved)]
    steps = [later.ts - sooner.ts for sooner, later in pairwise(told) if isinstance(later, StepLogged)]
    ends = [event.ts for event in told if isinstance(event, CheckpointSaved)]
    begins = [sooner.ts for sooner, later in pairwise(told) if isinstance(later, Probed)]
    return steps, [end - begin for begin, end in zip(begins, ends, strict=True)]


if __name__ == "__main__":
    main()
