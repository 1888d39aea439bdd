"""Stage 3: the rows that the audit left in are divided into train, validation and eval, once and for good, and the parts are audited.

Needs the audit and the data files. Writes the files under `splits/`.
"""

from __future__ import annotations

from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.split_audit import SplitAudit, audit_split, findings_in_parts
from tuneproof.engine.audit.split_leaks import without_near_leaks
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.example import Source
from tuneproof.engine.data.split import Part, SplitParts, split
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.events import SplitFrozen, Warned
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import part_file
from tuneproof.engine.run.work import Work
from tuneproof.engine.scoring.graders import make_grader
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
    for finding in findings_in_parts(run.store):
        if finding.severity is not Severity.INFO and finding.accepted is None:
            run.log.emit(Warned(message=f"{finding.check}: {finding.message}: {finding.action}."))
    return done


def _split(run: RunContext, readings: DataReadings, inputs: Inputs) -> None:
    left_out = {Source(place.file, place.line) for place in stored_report(run.store).left_out}
    rows = [example for example in readings.examples.examples if example.source not in left_out]
    has_eval_file = readings.eval is not None
    eval_rows = [example for example in readings.eval_rows if example.source not in left_out] if has_eval_file else None
    parts = without_near_leaks(split(rows, readings.data.split, eval_rows, readings.validation_rows), cut_from_one_file=not has_eval_file)
    found = None if has_eval_file else _audited(run, readings, parts)
    run.store.write_parts(inputs, parts, found.model_dump_json(indent=1) + "\n" if found and found.findings else None)


def _audited(run: RunContext, readings: DataReadings, parts: SplitParts) -> SplitAudit:
    """The audit of the parts as they are. That of a separate eval file was made before the freeze."""
    task = run.case.task
    grader = make_grader(task, [example.output for example in readings.examples.examples]) if task else None
    return audit_split(parts.train, parts.eval, grader, readings.data.accept)
