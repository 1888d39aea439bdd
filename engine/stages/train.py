"""Stage 6: the adapter, unless the method stage found that no training is needed.

Needs the plan, a scored prompt baseline, a validation set, the failure log and the base model. Writes the files under `training/`.
"""

from __future__ import annotations

from tuneproof.engine.arms import requested_arms
from tuneproof.engine.audit.leaks import leaked_rows
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.data.split import Part
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.begun_training import begin
from tuneproof.engine.run.events import TUNED_MODEL, TrainingSkipped
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import EVENTS, part_file
from tuneproof.engine.run.training_history import TRAINING_HISTORY, history_of
from tuneproof.engine.run.training_sink import TrainingSink
from tuneproof.engine.stages.fit import fit
from tuneproof.engine.stages.method import settled_plan, stored_method
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.oom_fallback import PARTS
from tuneproof.engine.stages.run_context import RunContext
from tuneproof.engine.stages.trained_elsewhere import take_trained
from tuneproof.engine.stages.training_rows import TrainingRows

STEP = StepId(StepKind.TRAIN)


def train_adapter(run: RunContext, model: ModelContext) -> bool:
    """Trains the planned adapter, and returns whether that was done before. Raises GateClosed if the training gate is closed."""
    skipped = stored_method(run.store).skipped
    if skipped is not None:
        run.log.emit(TrainingSkipped(reason=skipped), sync=True)
        return False
    _check_gate(run, model.rows)
    if run.case.method.trained is not None:
        return take_trained(run, model, run.case.method.trained)
    plan = settled_plan(run)
    parts = [part_file(Part.TRAIN), part_file(Part.VALIDATION)]
    inputs = run.store.inputs(parts, {"base": model.base.sha256, "plan": plan.digest})
    if run.store.is_done(STEP, inputs):
        return True
    examples = model.rows.within_limit
    log, folder = TrainingSink(run.log, TUNED_MODEL, "training"), run.store.path / "training"
    anew = begin(folder, plan.step_settings, log)
    if anew:
        # Smaller parts of a batch were for the earlier settings.
        (run.store.path / PARTS).unlink(missing_ok=True)
        plan = settled_plan(run)
    trained = fit(run, model, examples, plan, folder, log, anew=anew)
    run.store.write(artifacts.TRAINING, trained.facts(len(examples)).as_text())
    run.store.write(TRAINING_HISTORY, history_of(run.store.path / EVENTS, TUNED_MODEL).as_text())
    files = [artifacts.TRAINING, TRAINING_HISTORY, *(f"{artifacts.TRAINED}/{name}" for name in trained.files)]
    run.store.record_step(STEP, inputs, files)
    return False


def _check_gate(run: RunContext, rows: TrainingRows) -> None:
    """No training without the three things that give its result a meaning. Raises GateClosed with those that are missing."""
    missing = []
    scored = run.store.manifest.names(StepKind.ARM)
    if not any(name in scored and arm.is_prompt_baseline for name, arm in requested_arms(run.case).items()):
        missing.append("prompt baseline")
    validation = Rows(example for _, example in rows.validation)
    if not validation:
        missing.append("validation set")
    elif leaked_rows(Rows(example for _, example in rows.train), validation):
        missing.append("validation set (a train row leaks into it)")
    if not run.store.has(artifacts.FAILURES):
        missing.append("failure log")
    if missing:
        raise GateClosed(
            f"no training without these: {', '.join(missing)}",
            where=str(run.store.path),
            fix=f"give the case `baselines: [{ArmName.ZERO_SHOT}]` and a share for `data.split.validation`",
        )
