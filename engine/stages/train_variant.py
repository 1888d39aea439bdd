"""Training and scoring the models besides the tuned one. Only the worker imports this."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from tuneproof.engine.arms import TUNED_ARMS
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Part
from tuneproof.engine.data.subsets import rows_digest
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.begun_training import CHECKPOINTS, begin
from tuneproof.engine.run.events import VariantScored
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.store import RunStore, part_file
from tuneproof.engine.run.training_sink import TrainingSink
from tuneproof.engine.run.variants import ModelVariant
from tuneproof.engine.run.work import Unit, Work
from tuneproof.engine.scoring.predictions import prompts_digest, to_jsonl
from tuneproof.engine.scoring.scores import Scores, score_predictions
from tuneproof.engine.stages.fit import fit
from tuneproof.engine.stages.local_backend import LocalBackend
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext


def train_variant(run: RunContext, model: ModelContext, variant: ModelVariant, rows: Sequence[Example], plan: Plan) -> bool:
    """Trains the plan on the rows, and returns whether that was done before."""
    store = run.store
    settings = {"base": model.base.sha256, "plan": plan.digest, "rows": rows_digest(rows)}
    inputs = store.inputs([part_file(Part.TRAIN), part_file(Part.VALIDATION)], settings)
    if store.is_done(variant.weights_step, inputs):
        return True
    log, folder = TrainingSink(run.log, variant.name, variant.folder), store.path / variant.folder
    trained = fit(run, model, rows, plan, folder, log, anew=begin(folder, plan.step_settings, log))
    store.write(variant.summary, trained.facts(len(rows)).as_text())
    store.record_step(variant.weights_step, inputs, [variant.summary, *(f"{variant.model}/{name}" for name in trained.files)])
    # The weights stay, so that their answers can be decoded again. The checkpoints are larger, and nothing resumes from them.
    shutil.rmtree(folder / CHECKPOINTS)
    return False


def score_variant(run: RunContext, model: ModelContext, variant: ModelVariant) -> bool:
    """Scores the variant's answers to the tuned arm's prompts, and returns whether that was done before."""
    store, base = run.store, model.base
    weights = artifacts.trained_weights(store.manifest.steps[variant.weights_step].files, variant.model)
    measured_by = {"task": model.task.sha256, **store.grading_settings, **model.scorer.outside_inputs}
    settings = {"base": base.sha256, **measured_by, **model.room.settings}
    inputs = store.inputs([*weights, part_file(Part.EVAL), part_file(Part.TRAIN)], settings)
    if store.is_done(variant.scores_step, inputs):
        return True
    arm, cases, scorer = TUNED_ARMS[ArmName.TUNED](model.setting), store.part(Part.EVAL), model.scorer
    kept, digests = store.path / variant.kept, {name: store.digest(name) for name in weights}
    backend = LocalBackend(base, lambda: scorer.load(store.path / variant.model), arm, model.room.tuned, run.stop, kept, digests)
    with working(run.log, Work.ANSWERING, variant.name, of=len(cases), unit=Unit.ANSWERS) as report:
        predictions, seconds = scorer.answer(arm, backend, cases, scorer.progress(report))
    scores = score_predictions(variant.name, predictions, model.task.metrics, model.setting.grader, round(seconds, 3))
    files = {variant.predictions: to_jsonl(predictions), variant.scores: scores.model_dump_json(indent=1) + "\n"}
    store.write_step(variant.scores_step, inputs, files, {"prompts": prompts_digest(predictions)})
    kept.unlink(missing_ok=True)
    return False


def variant_scores(store: RunStore, variant: ModelVariant) -> Scores:
    """The scores of a variant that was scored."""
    return Scores.model_validate_json(store.read(variant.scores))


def log_scored(run: RunContext, model: ModelContext, variant: ModelVariant, *, reused: bool) -> None:
    """Reports that a variant has been scored."""
    scores = variant_scores(run.store, variant)
    score = model.measure.score_beside_correct(scores)
    metric = None if score is None else model.measure.metric
    event = VariantScored(model=variant.name, n=scores.n, correct=scores.correct, reused=reused, metric=metric, score=score)
    run.log.emit(event, sync=True)
