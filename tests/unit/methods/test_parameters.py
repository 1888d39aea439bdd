"""The catalogue counts the parameters that training then trains."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from peft import get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from tests.conftest import Result, sample_case, tuneproof
from tests.manifests import forget_steps
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.training import Training
from tuneproof.engine.methods.adapters import adapter_config
from tuneproof.engine.methods.forecast import planned_parameters
from tuneproof.engine.methods.parameters import ParameterCount, build_catalogue, count_parameters, count_planned_parameters
from tuneproof.engine.methods.plan import make_plans, with_other_size
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.base_model import load_base
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore


def catalogue_of(run: Path) -> artifacts.Catalogue:
    return artifacts.Catalogue.model_validate_json((run / artifacts.CATALOGUE).read_text())


def test_the_catalogue_has_every_method_and_its_counts_are_those_that_training_reports(finished: tuple[Path, Result]) -> None:
    run = finished[0]
    entries = {entry.name: entry for entry in catalogue_of(run).methods}
    assert list(entries) == list(METHODS) and all(entry.good_for and entry.trains for entry in entries.values())
    method = artifacts.MethodFacts.model_validate_json((run / artifacts.METHOD).read_text())
    trained = artifacts.TrainingFacts.model_validate_json((run / artifacts.TRAINING).read_text())
    chosen = entries[method.name]
    assert (chosen.trained_parameters, chosen.all_parameters) == (trained.trained_parameters, trained.all_parameters)
    assert chosen.settings == method.settings and chosen.settings["epochs"] == 8


@pytest.mark.parametrize("tied", [True, False])
def test_a_count_from_shapes_equals_the_count_of_the_model(tmp_path: Path, tied: bool) -> None:
    config = AutoConfig.from_pretrained(load_base(ModelChoice(base="sample")).folder, tie_word_embeddings=tied)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    before = torch.get_rng_state()
    for plan in make_plans(Training(rank=5)):
        planned = count_planned_parameters(tmp_path, plan)
        # Counting must not change the initialisation of a training that follows.
        assert torch.equal(torch.get_rng_state(), before)
        model, config = AutoModelForCausalLM.from_pretrained(tmp_path), adapter_config(plan)
        model = model if config is None else get_peft_model(model, config)
        parameters = list(model.parameters())
        trained = sum(p.numel() for p in parameters if p.requires_grad)
        assert count_parameters(model) == planned == ParameterCount(trained, sum(p.numel() for p in parameters))
        assert 0 < planned.trained < planned.all or (plan.method == "full" and planned.trained == planned.all)
        torch.set_rng_state(before)


@pytest.mark.long
def test_the_catalogue_is_written_again_only_if_the_training_settings_changed(finished: tuple[Path, Result], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished[0], run, ignore=shutil.ignore_patterns("training"))
    # A rewritten file is a new file with the same name.
    inode = (run / artifacts.CATALOGUE).stat().st_ino
    store = RunStore.open(run)
    forget_steps(store, StepId(StepKind.TRAIN), StepId.arm("tuned"), StepId(StepKind.CARD))
    arguments = ["--replay", sample_case(), "--run-dir", run, "--resume", "--until", "baselines"]
    assert tuneproof(*arguments).code == 0
    assert (run / artifacts.CATALOGUE).stat().st_ino == inode
    rank = catalogue_of(run).methods[0].settings["rank"]
    store.amend(load_case(sample_case(), ["training.rank=4"]))
    result = tuneproof(*arguments, "--set", "training.rank=4")
    assert result.code == 0, result.err
    entry = catalogue_of(run).methods[0]
    trained = artifacts.TrainingFacts.model_validate_json((finished[0] / artifacts.TRAINING).read_text())
    assert entry.settings["rank"] == 4 and rank == 16
    assert entry.trained_parameters is not None and entry.trained_parameters * 4 == trained.trained_parameters
    store.check(artifacts.CATALOGUE)


def test_the_numbers_of_every_method_follow_its_rank_or_its_virtual_tokens() -> None:
    base = load_base(ModelChoice(base="sample"))
    found = build_catalogue(base, make_plans(Training()), Training())
    entries = {entry.name: entry for entry in found.methods}
    for plan in make_plans(Training()):
        smaller = with_other_size(plan)
        quarter = with_other_size(smaller) if smaller else None
        if quarter is not None and entries[plan.method].trained_parameters is not None:
            assert planned_parameters(quarter, entries[plan.method]) == count_planned_parameters(base.folder, quarter).trained, plan.method
