"""A sharded model trains as one process does, each rank stores no more than its shard, and what is saved is not sharded."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor
from transformers import LlamaConfig, LlamaForCausalLM

from tests.conftest import ROOT
from tests.unit.training.recorded_training import ROUNDING, Recorder, assert_same_curve, assert_same_weights, trained
from tests.unit.training.tiny_training import SMALL, training_of
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.errors import GateClosed, Interrupted
from tuneproof.engine.methods.method import Ability
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base, load_weights
from tuneproof.engine.training.distributed.fsdp import full_state_dict, load_optimizer_state, save_optimizer_state, shard

SHARDABLE = [name for name, method in METHODS.items() if method.supports(Ability.SHARDING)]


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


@pytest.mark.long
@pytest.mark.parametrize("name", SHARDABLE)
def test_each_method_has_the_losses_of_one_process_at_every_step_even_the_incomplete_last_one(
    base: BaseCheckpoint, tmp_path: Path, name: str
) -> None:
    assert_same_curve(base, tmp_path, sharding="full", method=name)


@pytest.mark.long
@pytest.mark.parametrize(
    "settings",
    [
        {"packing": True, "repeats": 6, "batch_size": 20, "epochs": 2},
        {"packing": True, "repeats": 6, "batch_size": 20, "epochs": 2, "method": "full", "learning_rate": 1e-4},
        {"repeats": 2, "batch_size": 8, "accumulation": 2, "epochs": 3, "checkpointing": True},
        {"group_by_length": True, "repeats": 3, "batch_size": 5, "epochs": 2},
    ],
    ids=["packed", "full and packed", "accumulated with gradient checkpointing", "grouped by length"],
)
def test_a_sharded_model_has_the_losses_of_one_process_however_it_is_trained(
    base: BaseCheckpoint, tmp_path: Path, settings: dict[str, Any]
) -> None:
    assert_same_curve(base, tmp_path, sharding="full", **settings)


@pytest.mark.long
def test_gradients_are_clipped_by_their_norm_over_all_shards(base: BaseCheckpoint, tmp_path: Path) -> None:
    plan = make_plan(MethodChoice(name="full"), Training())
    alone = assert_same_curve(base, tmp_path, sharding="full", method="full", learning_rate=1e-4, epochs=2)
    assert max(event.grad_norm for event in alone.steps) > 2 * plan.clip


@pytest.mark.long
@pytest.mark.parametrize("name", ["lora", "full"])
def test_weights_and_optimizer_state_are_saved_as_one_process_saves_them(base: BaseCheckpoint, tmp_path: Path, name: str) -> None:
    settings: dict[str, Any] = {"method": name, "learning_rate": 1e-4, "epochs": 2}
    trained(base, tmp_path / "one", 1, **settings)
    two = trained(base, tmp_path / "two", 2, sharding="full", **settings)
    probe = training_of(base)[1]
    assert probe.run(load_weights(base, two.adapter))[0].loss == pytest.approx(two.best_probe.loss, rel=ROUNDING)
    newest = f"checkpoints/checkpoint-{two.steps}/optimizer.pt"
    one_state, two_state = (torch.load(tmp_path / each / newest, weights_only=True) for each in ("one", "two"))
    assert two_state["param_groups"] == one_state["param_groups"] and two_state["state"].keys() == one_state["state"].keys()
    for at, state in one_state["state"].items():
        for key, value in state.items():
            torch.testing.assert_close(two_state["state"][at][key], value, rtol=1e-3, atol=1e-7)


@pytest.mark.long
@pytest.mark.parametrize(("name", "stop_at"), [("lora", 2), ("full", 6)])
def test_a_sharded_training_that_was_stopped_resumes_to_the_same_weights(
    base: BaseCheckpoint, tmp_path: Path, name: str, stop_at: int
) -> None:
    settings: dict[str, Any] = {
        "method": name, "learning_rate": 1e-4, "batch_size": 2, "epochs": 3, "probe_every": 12, "sharding": "full"
    }  # fmt: skip
    uninterrupted, first, second = Recorder(), Recorder(stop_at=stop_at), Recorder()
    whole = trained(base, tmp_path / "whole", 2, recorder=uninterrupted, **settings)
    with pytest.raises(Interrupted):
        trained(base, tmp_path / "broken", 2, recorder=first, **settings)
    resumed = trained(base, tmp_path / "broken", 2, recorder=second, **settings)
    assert 2 * stop_at < len(first.curve) + len(second.curve) and first.curve + second.curve == uninterrupted.curve
    assert_same_weights(whole, resumed)


@pytest.mark.long
def test_one_process_resumes_a_sharded_training(base: BaseCheckpoint, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"batch_size": 2, "epochs": 3, "probe_every": 12}
    alone, first, second = Recorder(), Recorder(stop_at=5), Recorder()
    trained(base, tmp_path / "whole", 1, recorder=alone, **settings)
    with pytest.raises(Interrupted):
        trained(base, tmp_path / "broken", 2, recorder=first, sharding="full", **settings)
    trained(base, tmp_path / "broken", 1, recorder=second, **settings)
    assert first.curve + second.curve == pytest.approx(alone.curve, rel=ROUNDING)


def shard_sizes(processes: int, method: str, precision: str, folder: Path) -> list[dict[str, Any]]:
    """What each rank of a training has written."""
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    program = [sys.executable, "-m", "tests.unit.training.distributed.shard_sizes"]
    ranks = [
        subprocess.Popen([*program, str(rank), str(processes), str(port), method, precision, str(folder)], cwd=ROOT)
        for rank in range(processes)
    ]
    assert [rank.wait() for rank in ranks] == [0] * processes
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(processes)]


@pytest.mark.long
@pytest.mark.parametrize("precision", ["float32", "half"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_each_rank_stores_half_of_the_weights_and_of_the_optimizer_state(tmp_path: Path, method: str, precision: str) -> None:
    [alone] = shard_sizes(1, method, precision, tmp_path / "one")
    is_half = precision == "half"
    for rank in shard_sizes(2, method, precision, tmp_path / "two"):
        assert rank["dtypes"] == alone["dtypes"] and ("torch.bfloat16" in alone["dtypes"]) == (is_half and method == "lora")
        assert rank["losses"] == pytest.approx(alone["losses"], rel=5e-3 if is_half else ROUNDING) and len(alone["losses"]) == 3
        for part, whole in zip(rank["steps"], alone["steps"], strict=True):
            assert part["all weights"] == whole["weights"] and part["all state"] == whole["state"] > 0
            assert part["weights"] == pytest.approx(whole["weights"] / 2, rel=0.01)
            assert part["state"] == pytest.approx(whole["state"] / 2, rel=0.01)


@pytest.fixture
def alone() -> Iterator[None]:
    """A process group of this process alone, which then stores all shards."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def sharded_model(*, tied: bool = True) -> tuple[Any, torch.optim.Optimizer]:
    """A sharded model, and an optimizer that has taken a step."""
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**SMALL, tie_word_embeddings=tied))
    shard(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, fused=True)
    take_step(model, optimizer)
    return model, optimizer


def take_step(model: Any, optimizer: torch.optim.Optimizer) -> None:
    ids = torch.arange(20)[None]
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    optimizer.zero_grad()


@pytest.mark.parametrize("tied", [True, False])
def test_a_sharded_model_is_saved_as_plain_tensors_and_tied_weights_stay_tied(alone: None, tied: bool) -> None:
    model, _ = sharded_model(tied=tied)
    full = full_state_dict(model)
    assert full.keys() == model.state_dict().keys() and not any(isinstance(weight, DTensor) for weight in full.values())
    assert (full["lm_head.weight"] is full["model.embed_tokens.weight"]) == tied
    plain = LlamaForCausalLM(model.config)
    plain.load_state_dict(full)
    ids = torch.arange(20)[None]
    torch.testing.assert_close(plain(input_ids=ids).logits, model(input_ids=ids).logits)


def test_an_optimizer_resumes_from_the_saved_state_of_a_sharded_one(alone: None, tmp_path: Path) -> None:
    (model, optimizer), (other, fresh) = sharded_model(), sharded_model()
    take_step(model, optimizer)
    save_optimizer_state(optimizer, tmp_path / "optimizer.pt")
    other.load_state_dict(model.state_dict())
    load_optimizer_state(fresh, tmp_path / "optimizer.pt")
    for each in ((model, optimizer), (other, fresh)):
        take_step(*each)
    for expected, resumed in zip(model.parameters(), other.parameters(), strict=True):
        assert isinstance(resumed, DTensor) and torch.equal(expected.to_local(), resumed.to_local())
    saved = torch.load(tmp_path / "optimizer.pt", weights_only=True)
    assert not any(isinstance(value, DTensor) for state in saved["state"].values() for value in state.values())


def test_a_model_that_does_not_name_its_layers_is_refused(alone: None) -> None:
    model = LlamaForCausalLM(LlamaConfig(**SMALL))
    model._no_split_modules = None
    with pytest.raises(GateClosed, match=r"llama\) does not name its layers") as refused:
        shard(model)
    assert refused.value.where == "training.sharding"


def test_a_torch_that_is_too_old_is_refused(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(FSDPModule, "reset_iter_state")
    with pytest.raises(GateClosed, match="cannot generate with a sharded model during training"):
        sharded_model()
