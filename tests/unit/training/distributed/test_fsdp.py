"""Processes that divide a model among them learn what one process learns of each step, hold no more than their share, and save it whole."""

from __future__ import annotations

import json
import os
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
from transformers import LlamaConfig, LlamaForCausalLM, TrainerCallback
from trl import SFTConfig

from tests.conftest import ROOT
from tests.unit.training.distributed.test_launch import ROUNDING, Heard, trained
from tests.unit.training.tiny_training import training_of
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.training import MethodChoice, Sharding, Training
from tuneproof.engine.core import hardware
from tuneproof.engine.core.errors import CaseError, GateClosed, Interrupted
from tuneproof.engine.methods.method import Ability
from tuneproof.engine.methods.plan import check_trainable, make_plan
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models import base_model as models
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base, load_weights
from tuneproof.engine.run.events import StepLogged
from tuneproof.engine.training import run as sft
from tuneproof.engine.training.distributed import collectives as together
from tuneproof.engine.training.distributed import fsdp as sharding
from tuneproof.engine.training.distributed.fsdp import full_state_dict, load_optimizer_state, save_optimizer_state, shard
from tuneproof.engine.training.distributed.torchrun import LOOPBACK

DIVIDED = {"processes": 2, "sharding": "full"}
DIVISIBLE = [name for name, method in METHODS.items() if method.supports(Ability.SHARDING)]


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


def assert_one_curve(base: BaseCheckpoint, folder: Path, **settings: Any) -> Heard:
    alone, shared = Heard(), Heard()
    one = trained(base, folder / "one", heard=alone, **{"processes": 1, **settings})
    two = trained(base, folder / "two", heard=shared, **{**DIVIDED, **settings})
    assert shared.curve == pytest.approx(alone.curve, rel=ROUNDING) and len(alone.curve) >= 6
    assert (two.steps, two.best_step, two.files, two.trained_parameters) == (one.steps, one.best_step, one.files, one.trained_parameters)
    return alone


@pytest.mark.long
@pytest.mark.parametrize("name", DIVISIBLE)
def test_each_method_has_the_losses_of_one_process_at_every_step_the_incomplete_last_one_too(
    base: BaseCheckpoint, tmp_path: Path, name: str
) -> None:
    assert_one_curve(base, tmp_path, method=name)


@pytest.mark.long
@pytest.mark.parametrize(
    "settings",
    [
        {"packing": True, "times": 6, "batch_size": 20, "epochs": 2},
        {"packing": True, "times": 6, "batch_size": 20, "epochs": 2, "method": "full", "learning_rate": 1e-4},
        {"times": 2, "batch_size": 8, "parts": 2, "epochs": 3, "checkpointing": True},
        {"group_by_length": True, "times": 3, "batch_size": 5, "epochs": 2},
    ],
    ids=["packed", "full and packed", "in parts and computed twice", "grouped"],
)
def test_a_divided_model_has_the_losses_of_one_process_however_it_is_run(base: BaseCheckpoint, tmp_path: Path, settings: Any) -> None:
    assert_one_curve(base, tmp_path, **settings)


@pytest.mark.long
def test_gradients_are_clipped_by_the_norm_of_all_shares_together(base: BaseCheckpoint, tmp_path: Path) -> None:
    settled = make_plan(MethodChoice(name="full"), Training())
    alone = assert_one_curve(base, tmp_path, method="full", learning_rate=1e-4, epochs=2)
    assert max(event.grad_norm for event in alone.events if isinstance(event, StepLogged)) > 2 * settled.clip


@pytest.mark.long
@pytest.mark.parametrize("name", ["lora", "full"])
def test_what_a_divided_training_leaves_is_what_one_process_leaves(base: BaseCheckpoint, tmp_path: Path, name: str) -> None:
    settings = {"method": name, "learning_rate": 1e-4, "epochs": 2}
    trained(base, tmp_path / "one", 1, **settings)
    two = trained(base, tmp_path / "two", **DIVIDED, **settings)
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
def test_a_divided_training_that_was_stopped_goes_on_to_the_same_weights(
    base: BaseCheckpoint, tmp_path: Path, name: str, stop_at: int
) -> None:
    settings = {"method": name, "learning_rate": 1e-4, "batch_size": 2, "epochs": 3, "probe_every": 12}
    whole_run, first, again = Heard(), Heard(stop_at=stop_at), Heard()
    whole = trained(base, tmp_path / "whole", heard=whole_run, **DIVIDED, **settings)
    with pytest.raises(Interrupted):
        trained(base, tmp_path / "broken", heard=first, **DIVIDED, **settings)
    resumed = trained(base, tmp_path / "broken", heard=again, **DIVIDED, **settings)
    assert 2 * stop_at < len(first.curve) + len(again.curve) and first.curve + again.curve == whole_run.curve
    for file in (file for file in whole.files if file.endswith(".safetensors")):
        assert (resumed.adapter / file).read_bytes() == (whole.adapter / file).read_bytes()


@pytest.mark.long
def test_one_process_goes_on_where_two_that_had_shares_were_stopped(base: BaseCheckpoint, tmp_path: Path) -> None:
    settings = {"batch_size": 2, "epochs": 3, "probe_every": 12}
    alone, first, again = Heard(), Heard(stop_at=5), Heard()
    trained(base, tmp_path / "whole", 1, heard=alone, **settings)
    with pytest.raises(Interrupted):
        trained(base, tmp_path / "broken", heard=first, **DIVIDED, **settings)
    trained(base, tmp_path / "broken", 1, heard=again, **settings)
    assert first.curve + again.curve == pytest.approx(alone.curve, rel=ROUNDING)


def held(rank: int, processes: int, port: int, method: str, half: bool, folder: str) -> None:
    """Trains as one of some processes, and writes down what this one holds after each step, in bytes, and the losses.

    With `half`, types are those of a GPU: a base in bfloat16 beside adapters in float32, or float32 under autocast.
    """
    if half:
        for module in (models, sft, sharding, together):
            module.best_device = lambda: (torch.device("cpu"), torch.bfloat16)
        # transformers takes bfloat16 on a CPU only where it is told that the CPU is meant.
        sft.SFTConfig = lambda **named: SFTConfig(**{**named, "use_cpu": True})
    if processes > 1:
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes), "GLOO_SOCKET_IFNAME": LOOPBACK}
        os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
        together.init_process_group()
    found: list[dict[str, int]] = []

    class Looking(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            parameters = list(trainer.model.parameters())
            state = [value for each in trainer.optimizer.state.values() for value in each.values() if value.dim()]
            found.append(
                {
                    "weights": sum(stored(each) for each in parameters),
                    "all weights": sum(each.numel() * each.element_size() for each in parameters),
                    "state": sum(stored(each) for each in state),
                    "all state": sum(each.numel() * each.element_size() for each in state),
                }
            )

    asked = {"batch_size": 4, "max_steps": 3, "processes": processes, "sharding": "full" if processes > 1 else "none"}
    settled = make_plan(MethodChoice(name=method), Training.model_validate(asked))
    base = load_base(ModelChoice(base="sample"))
    trainer = sft.make_trainer(base, training_of(base)[0], settled, Path(folder, str(rank)))
    trainer.add_callback(Looking())
    trainer.train()
    losses = [told["loss"] for told in trainer.state.log_history if "loss" in told]
    types = sorted({str(parameter.dtype) for parameter in trainer.model.parameters()})
    Path(folder, f"{rank}.json").write_text(json.dumps({"steps": found, "losses": losses, "types": types}))


def stored(tensor: torch.Tensor) -> int:
    """Bytes that a tensor keeps in this process, whatever it shows of them."""
    return (tensor.to_local() if isinstance(tensor, DTensor) else tensor).untyped_storage().nbytes()


def all_held(processes: int, method: str, half: bool, folder: Path) -> list[dict[str, Any]]:
    """What each of the processes has written down."""
    folder.mkdir()
    with socket.socket() as door:
        door.bind(("localhost", 0))
        port = door.getsockname()[1]
    words = [f"{rank}, {processes}, {port}, {method!r}, {half}, {str(folder)!r}" for rank in range(processes)]
    programs = [f"from tests.unit.training.distributed.test_fsdp import held; held({each})" for each in words]
    started = [subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) for program in programs]
    assert [process.wait() for process in started] == [0] * processes
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(processes)]


@pytest.mark.long
@pytest.mark.parametrize("half", [False, True], ids=["float32", "half precision"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_each_process_holds_its_half_of_the_weights_and_of_the_optimizer(tmp_path: Path, method: str, half: bool) -> None:
    [alone] = all_held(1, method, half, tmp_path / "one")
    shares = all_held(2, method, half, tmp_path / "two")
    for share in shares:
        assert share["types"] == alone["types"] and ("torch.bfloat16" in alone["types"]) == (half and method == "lora")
        assert share["losses"] == pytest.approx(alone["losses"], rel=5e-3 if half else ROUNDING) and len(alone["losses"]) == 3
        for part, whole in zip(share["steps"], alone["steps"], strict=True):
            assert part["all weights"] == whole["weights"] and part["all state"] == whole["state"] > 0
            assert part["weights"] == pytest.approx(whole["weights"] / 2, rel=0.01)
            assert part["state"] == pytest.approx(whole["state"] / 2, rel=0.01)


@pytest.fixture
def alone() -> Iterator[None]:
    """A group of this one process, which then holds all shares."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def small(*, tied: bool = True) -> tuple[Any, torch.optim.Optimizer]:
    """A divided model, and an optimizer that has taken a step."""
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(**shape, vocab_size=50, tie_word_embeddings=tied))
    shard(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, fused=True)
    learn(model, optimizer)
    return model, optimizer


def learn(model: Any, optimizer: torch.optim.Optimizer) -> None:
    ids = torch.arange(20)[None]
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    optimizer.zero_grad()


@pytest.mark.parametrize("tied", [True, False])
def test_what_is_saved_of_a_divided_model_is_plain_and_what_is_one_stays_one(alone: None, tied: bool) -> None:
    model, _ = small(tied=tied)
    whole = full_state_dict(model)
    assert whole.keys() == model.state_dict().keys() and not any(isinstance(weight, DTensor) for weight in whole.values())
    assert (whole["lm_head.weight"] is whole["model.embed_tokens.weight"]) == tied
    plain = LlamaForCausalLM(model.config)
    plain.load_state_dict(whole)
    ids = torch.arange(20)[None]
    torch.testing.assert_close(plain(input_ids=ids).logits, model(input_ids=ids).logits)


def test_an_optimizer_goes_on_from_what_was_saved_of_a_divided_one(alone: None, tmp_path: Path) -> None:
    (model, optimizer), (other, fresh) = small(), small()
    learn(model, optimizer)
    save_optimizer_state(optimizer, tmp_path / "optimizer.pt")
    other.load_state_dict(model.state_dict())
    load_optimizer_state(fresh, tmp_path / "optimizer.pt")
    for each in ((model, optimizer), (other, fresh)):
        learn(*each)
    for was, now in zip(model.parameters(), other.parameters(), strict=True):
        assert isinstance(now, DTensor) and torch.equal(was.to_local(), now.to_local())
    saved = torch.load(tmp_path / "optimizer.pt", weights_only=True)
    assert not any(isinstance(value, DTensor) for state in saved["state"].values() for value in state.values())


def test_a_model_that_does_not_say_what_its_layers_are_is_not_divided(alone: None) -> None:
    model = LlamaForCausalLM(LlamaConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, vocab_size=50))
    model._no_split_modules = None
    with pytest.raises(GateClosed, match=r"llama\) does not name its layers") as told:
        shard(model)
    assert told.value.where == "training.sharding"


def test_a_torch_that_is_too_old_divides_nothing(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(FSDPModule, "reset_iter_state")
    with pytest.raises(GateClosed, match="cannot run a sharded model on one rank"):
        small()


def test_what_cannot_be_divided_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "gpu_count", lambda: 0)
    with pytest.raises(CaseError, match="a single process cannot shard the model") as told:
        check_trainable(MethodChoice(name="lora"), Training(sharding=Sharding.FULL))
    assert told.value.where == "training.sharding: full" and "training.processes" in told.value.fix
    for name, why in (("int8_lora", "loses its scales"), ("qlora", "could not be tried")):
        with pytest.raises(GateClosed, match=why):
            check_trainable(MethodChoice(name=name), Training(processes=2, sharding=Sharding.FULL))
    for name in DIVISIBLE:
        check_trainable(MethodChoice(name=name), Training(processes=2, sharding=Sharding.FULL))
    for whether in (Sharding.AUTO, Sharding.NONE):
        check_trainable(MethodChoice(name="lora"), Training(sharding=whether))


def test_who_holds_which_weights_is_nothing_that_is_learned() -> None:
    none, full = (
        make_plan(MethodChoice(name="lora"), Training(processes=2, sharding=sharding)) for sharding in (Sharding.NONE, Sharding.FULL)
    )
    assert full.sharded and not none.sharded and full.digest == none.digest and full.settings == none.settings
