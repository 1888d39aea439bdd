"""The memory that the wizard forecasts for a method is the one that the planner uses, and follows the current settings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tuneproof.engine.case.schema import Budget, ModelChoice
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.methods.forecast import Forecast, forecast_memory
from tuneproof.engine.methods.model_shape import read_shape
from tuneproof.engine.methods.padding import SequenceLengths
from tuneproof.engine.methods.parameters import count_planned_parameters
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.models.files import config_folder
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.session.case_session import CaseSession
from tuneproof.engine.session.forecasts import method_forecasts

LORA_PARAMETERS = 233_472
ROWS = [60] * 63 + [89]


def lora_forecast(budget_gb: float | None = None, **training: object) -> Forecast:
    folder = config_folder(ModelChoice().base)
    assert folder is not None
    planned = make_plan(MethodChoice(name="lora"), Training.model_validate(training))
    return forecast_memory(
        [(planned, LORA_PARAMETERS)], read_shape(folder), SequenceLengths(ROWS, 2048), Budget(gpu_memory_gb=budget_gb), on_gpu=False
    )["lora"]


def test_a_forecast_is_what_the_planner_predicts(finished: tuple[Path, object]) -> None:
    bench = CaseSession.of_run(finished[0])
    stored = artifacts.MethodFacts.model_validate_json(RunStore(finished[0]).read(artifacts.METHOD))
    assert stored.planned is not None and method_forecasts(bench)[stored.name].memory == stored.planned.memory


def test_a_larger_batch_needs_more_memory_and_less_memory_means_more_micro_batches() -> None:
    assert lora_forecast(batch_size=32).memory.total > lora_forecast(batch_size=16).memory.total
    assert lora_forecast().fits and lora_forecast().option.accumulation == 1
    smaller = lora_forecast(0.45)
    assert smaller.fits and smaller.option.accumulation > 1 and smaller.memory.total < lora_forecast().memory.total
    assert smaller.available.source == "budget.gpu_memory_gb"


def test_packed_rows_are_counted_by_their_sequences() -> None:
    packed = lora_forecast(packing=True)
    # 16 rows of 60 tokens on average fill 3 sequences of 356 tokens, 4 times the longest row.
    assert packed.memory.activations == pytest.approx(lora_forecast().memory.activations * 3 * 356 / (16 * 89), rel=0.25)
    assert lora_forecast(packing=True, batch_size=64).memory.total > packed.memory.total


def test_if_no_option_fits_the_forecast_is_of_the_lightest() -> None:
    found = lora_forecast(0.1)
    assert not found.fits and found.option.checkpointing


def test_there_is_no_config_of_a_model_that_is_not_on_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert config_folder("some/model-that-was-never-fetched") is None
    assert config_folder("no folder, and no name that the hub would take") is None


def test_a_forecast_follows_a_rank_that_is_chosen_after_the_catalogue_was_written(finished: tuple[Path, object], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished[0], run)
    bench = CaseSession.of_run(run)
    bench.draft.choose(training={"rank": 64})
    folder = config_folder(ModelChoice().base)
    assert folder is not None
    for name in ("lora", "full"):
        trained = count_planned_parameters(folder, make_plan(MethodChoice(name=name), bench.draft.content.training)).trained
        assert method_forecasts(bench)[name].memory.adapters == (4 * trained if name == "lora" else 0)
