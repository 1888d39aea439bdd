"""Merging the adapter into its base, and scoring what will be served. Only the worker imports this."""

from __future__ import annotations

from tuneproof.engine.core.disk_space import require_room
from tuneproof.engine.methods.disk import merged_bytes
from tuneproof.engine.methods.model_shape import known_shape
from tuneproof.engine.models.files import tokenizer_bytes
from tuneproof.engine.models.weight_files import base_parameters
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.variants import MERGED
from tuneproof.engine.run.work import Work
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext
from tuneproof.engine.stages.train_variant import log_scored, score_variant


def measure_merged_model(run: RunContext, model: ModelContext) -> bool:
    """Merges and scores, and returns whether both were done before."""
    merged = _merge(run, model)
    reused = score_variant(run, model, MERGED) and merged
    log_scored(run, model, MERGED, reused=reused)
    return reused


def _merge(run: RunContext, model: ModelContext) -> bool:
    store = run.store
    weights = artifacts.trained_weights(store.manifest.steps[StepId(StepKind.TRAIN)].files)
    inputs = store.inputs(weights, {"base": model.base.sha256})
    if store.is_done(MERGED.weights_step, inputs):
        return True
    # Imports PEFT, which takes seconds, and a resumed run may have nothing to merge.
    from tuneproof.engine.training.merge import merge

    store.check_there()
    size = merged_bytes(base_parameters(model.base.folder), known_shape(model.base.folder), tokenizer_bytes(model.base.folder))
    require_room(store.path, size, "the merged model")
    with working(run.log, Work.MERGING):
        files = merge(model.base, store.path / artifacts.TRAINED, store.path / MERGED.model)
        store.record_step(MERGED.weights_step, inputs, [f"{MERGED.model}/{name}" for name in files])
    return False
