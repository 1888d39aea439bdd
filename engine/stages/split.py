"""Stage 3: the rows that the audit left in are divided into train, validation and eval, once and for good.

Needs the audit and the data files. Writes the files under `splits/`.
"""

from __future__ import annotations

from tuneproof.engine.audit.near.split_leaks import without_near_leaks
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.example import Source
from tuneproof.engine.data.split import Part, split
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.events import SplitFrozen
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import part_file
from tuneproof.engine.run.work import Work
from tuneproof.engine.scoring.statistics import minimum_detectable_effect
from tuneproof.engine.stages.audit import stored_report
from tuneproof.engine.stages.data_readings import DataReadings
from tuneproof.engine.stages.run_context import RunContext

STEP = StepId(StepKind.SPLIT)


def freeze_split(run: RunContext, readings: DataReadings) -> bool:
    """Divides and freezes the rows, and returns whether that was done before."""
    settings = sha256_data(readings.data.split.model_dump(mode="json"))
    inputs = run.store.inputs([artifacts.AUDIT], {"split": settings})
    done = run.is_done(STEP, inputs)
    if not done:
        with working(run.log, Work.SPLITTING):
            _split(run, readings, inputs)
    sizes = {part.value: len(run.store.part(part)) for part in Part}
    effect = round(minimum_detectable_effect(sizes[Part.EVAL]), 6)
    digest = run.store.digest(part_file(Part.EVAL))
    run.log.emit(SplitFrozen(**sizes, eval_sha256=digest, minimum_detectable_effect=effect), sync=True)
    return done


def _split(run: RunContext, readings: DataReadings, inputs: Inputs) -> None:
    left_out = {Source(place.file, place.line) for place in stored_report(run.store).left_out}
    rows = [example for example in readings.examples.examples if example.source not in left_out]
    has_eval_file = readings.eval is not None
    eval_rows = [example for example in readings.eval_rows if example.source not in left_out] if has_eval_file else None
    parts = without_near_leaks(split(rows, readings.data.split, eval_rows), cut_from_one_file=not has_eval_file)
    run.store.write_parts(inputs, parts)
