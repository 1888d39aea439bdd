"""The disk space that is predicted for a run is what its files take, and never less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Result
from tuneproof.engine.case.training import Training
from tuneproof.engine.core.disk_space import folder_bytes
from tuneproof.engine.methods.disk import TrainingFiles, checkpoint_bytes, predict_disk
from tuneproof.engine.methods.model_shape import ModelShape
from tuneproof.engine.methods.plan import make_plans
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.artifacts import Optimizer
from tuneproof.engine.run.store import RunStore

LLAMA_8B = ModelShape(4096, 32, 32, 4096, 1024, 14336, 128256, tied=False)


def test_what_a_run_has_written_is_what_its_plan_said(finished: tuple[Path, Result]) -> None:
    run = finished[0]
    planned = artifacts.MethodFacts.model_validate_json(RunStore(run).read(artifacts.METHOD)).planned
    assert planned is not None and planned.disk is not None
    training = run / "training"
    checkpoints = [folder_bytes(path) for path in training.glob("checkpoints/checkpoint-*")]
    scored = [*run.glob("arms/tuned*/predictions.jsonl"), *training.glob("merged/predictions.jsonl")]
    written = {
        planned.disk.checkpoint: max(checkpoints),
        planned.disk.models: folder_bytes(training / "adapter"),
        planned.disk.merged: folder_bytes(training / "merged/model"),
    }
    for predicted, real in written.items():
        assert real <= predicted <= 1.01 * real + 200_000
    predictions = sum(path.stat().st_size for path in scored)
    assert predictions <= planned.disk.predictions <= 2 * predictions
    assert folder_bytes(training) <= planned.disk.total


def test_a_checkpoint_of_a_whole_model_has_its_weights_and_both_moments_and_less_in_8_bits() -> None:
    full = next(plan for plan in make_plans(Training()) if plan.method == "full")
    weights, most = LLAMA_8B.parameters, 1.01 * 12 * LLAMA_8B.parameters

    def checkpoint(optimizer: Optimizer) -> int:
        return checkpoint_bytes(replace(full, optimizer=optimizer), weights, LLAMA_8B, 17_000_000, 1000)

    assert 12 * weights < checkpoint(Optimizer.ADAMW) < most
    assert checkpoint(Optimizer.PAGED_8BIT) == checkpoint(Optimizer.ADAMW_8BIT) < 0.6 * checkpoint(Optimizer.ADAMW)


def test_the_peak_counts_the_checkpoint_that_is_written_beside_the_best_and_the_newest() -> None:
    alone = predict_disk(TrainingFiles(checkpoint=100, model=30, saves=6), [], 0, 0)
    assert (alone.checkpoints, alone.models, alone.total) == (300, 0, 300)
    assert predict_disk(TrainingFiles(checkpoint=100, model=30, saves=1), [], 0, 0).total == 130


@pytest.mark.parametrize(("others", "total"), [(0, 250), (1, 340), (2, 360)])
def test_checkpoints_of_models_besides_the_tuned_one_go_when_they_are_trained_and_their_weights_stay(others: int, total: int) -> None:
    tuned, other = TrainingFiles(checkpoint=60, model=20, saves=6), TrainingFiles(checkpoint=30, model=20, saves=6)
    # Two checkpoints and the weights of the tuned model, the merged model and the predictions, and three checkpoints of the last training.
    assert predict_disk(tuned, [other] * others, 100, 10).total == total
