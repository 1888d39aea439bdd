"""The run that another one follows: what was measured there from the same inputs is taken over, and not measured again."""

from __future__ import annotations

import shutil
from pathlib import Path

from tuneproof.engine.core.atomic_write import PRIVATE_FOLDER
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.run.manifest import Inputs, StepRecord
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import FOLLOWS, RunStore


def predecessor_of(store: RunStore) -> RunStore | None:
    """The run that a run follows; None if it follows none, or if that one is gone or is no run any more."""
    record = store.manifest.steps.get(StepId(StepKind.CASE))
    name = record.inputs.settings.get(FOLLOWS) if record else None
    if name is None or Path(name).name != name:
        return None
    try:
        earlier = RunStore.open(store.path.parent / name)
        _ = earlier.manifest
    except TuneproofError:
        return None
    return earlier


def take_over(store: RunStore, step: StepId, inputs: Inputs) -> bool:
    """Copies what a step of the run before has written, if it was made from the same inputs and is still whole. Returns whether it was."""
    earlier = predecessor_of(store)
    record = earlier.manifest.steps.get(step) if earlier else None
    if earlier is None or not isinstance(record, StepRecord) or record.inputs != inputs:
        return False
    try:
        for file in record.files:
            earlier.check(file)
    except TuneproofError:
        return False
    for file in record.files:
        _copy(earlier.path / file, store.path / file)
    store.record_step(step, inputs, list(record.files), record.digests)
    return True


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    shutil.copy(source, target)
