"""Whether the weights of a run are those that its summaries describe, by the headers of their files."""

from __future__ import annotations

from collections.abc import Sequence, Set

from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.weight_files import stored_parameters
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import MANIFEST
from tuneproof.engine.run.variants import ModelVariant, compared_variant, seed_variant


def check_training(run: RunSnapshot, left_out: Set[str]) -> None:
    """The weights have as many parameters as their summaries say, where they are not `left_out` of the copy. Raises VerifyFailed."""
    steps = run.manifest.steps
    train = StepId(StepKind.TRAIN)
    if train in steps:
        _check_parameters(run, train, artifacts.TRAINED, artifacts.METHOD, artifacts.TRAINING, left_out)
    for variant in map(compared_variant, run.manifest.names(StepKind.COMPARED_TRAIN)):
        _check_parameters(run, variant.weights_step, variant.model, variant.plan, variant.summary, left_out)
    seeds = [seed_variant(int(name)) for name in run.manifest.names(StepKind.SEED_TRAIN)]
    for variant in seeds:
        _check_parameters(run, variant.weights_step, variant.model, artifacts.METHOD, variant.summary, left_out)
    _check_that_seeds_differ(run, seeds)


def _check_that_seeds_differ(run: RunSnapshot, seeds: Sequence[ModelVariant]) -> None:
    """Trainings with different seeds have different weights: one training counted several times would hide the luck of training."""
    steps = run.manifest.steps
    digests = [artifacts.weights_digest(steps[variant.weights_step].files, variant.model) for variant in seeds]
    if seeds and len({artifacts.weights_digest(steps[StepId(StepKind.TRAIN)].files), *digests}) <= len(seeds):
        raise VerifyFailed("two trainings with different seeds have the same weights", where=MANIFEST)


def _check_parameters(run: RunSnapshot, step: StepId, folder: str, plan: str, summary: str, left_out: Set[str]) -> None:
    """The number of trained parameters is that in the headers of the weight files."""
    method = METHODS[artifacts.MethodFacts.model_validate_json(run.read(plan)).name]
    files = artifacts.trained_weights(run.manifest.steps[step].files, folder)
    if not left_out.isdisjoint(files):
        return
    trained = sum(stored_parameters(run.path / name, method.frozen) for name in files)
    if trained != artifacts.TrainingFacts.model_validate_json(run.read(summary)).trained_parameters:
        raise VerifyFailed(f"the weights have {trained} trained parameters, which is not the recorded number", where=summary)
