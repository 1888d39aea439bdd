"""How many processes a plan may have, and that they change nothing of what is trained."""

from __future__ import annotations

import pytest

from tuneproof.engine.case.slurm import Launcher, Slurm
from tuneproof.engine.case.training import MethodChoice, Sharding, Training
from tuneproof.engine.core import hardware
from tuneproof.engine.core.errors import CaseError, GateClosed
from tuneproof.engine.methods.method import Ability
from tuneproof.engine.methods.plan import check_trainable, make_plan
from tuneproof.engine.methods.registry import METHODS

LORA = MethodChoice(name="lora")
SHARDABLE = [name for name, method in METHODS.items() if method.supports(Ability.SHARDING)]


def test_more_processes_than_rows_of_a_batch_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "gpu_count", lambda: 0)
    check_trainable(LORA, Training(processes=16))
    with pytest.raises(GateClosed, match="17 processes cannot share a batch of 16"):
        check_trainable(LORA, Training(processes=17))


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "gpu_count", lambda: 2)
    with pytest.raises(GateClosed, match=r"need a GPU each, and there are 2; use at most 2 per machine"):
        check_trainable(LORA, Training(processes=4))


def test_a_job_is_checked_against_the_gpus_of_its_nodes_and_not_of_the_machine_that_submits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "gpu_count", lambda: 2)
    shared = Training(processes=4, launcher=Launcher.SLURM, slurm=Slurm(nodes=2))
    check_trainable(LORA, shared)
    check_trainable(LORA, shared.for_one_node)
    with pytest.raises(GateClosed, match="3 processes need a GPU each, and there are 2"):
        check_trainable(LORA, Training(processes=6, launcher=Launcher.SLURM, slurm=Slurm(nodes=2)).for_one_node)
    check_trainable(LORA, Training(processes=2, sharding=Sharding.FULL, launcher=Launcher.SLURM, slurm=Slurm(nodes=2)).for_one_node)


def test_a_plan_is_the_same_whatever_the_number_of_processes() -> None:
    alone, shared = (make_plan(LORA, Training(batch_size=10, processes=processes)) for processes in (1, 4))
    assert shared.digest == alone.digest and shared.settings == alone.settings and shared.rows_per_process == 3


def test_a_plan_is_the_same_whether_its_model_is_sharded() -> None:
    none, full = (make_plan(LORA, Training(processes=2, sharding=sharding)) for sharding in (Sharding.NONE, Sharding.FULL))
    assert full.sharded and not none.sharded and full.digest == none.digest and full.settings == none.settings


def test_a_single_process_cannot_shard_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "gpu_count", lambda: 0)
    with pytest.raises(CaseError, match="a single process cannot shard the model") as refused:
        check_trainable(LORA, Training(sharding=Sharding.FULL))
    assert refused.value.where == "training.sharding: full" and "training.processes" in refused.value.fix
    for sharding in (Sharding.AUTO, Sharding.NONE):
        check_trainable(LORA, Training(sharding=sharding))


@pytest.mark.parametrize(("name", "why"), [("int8_lora", "loses its scales"), ("qlora", "is untested")])
def test_a_method_that_cannot_be_sharded_is_refused(name: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "gpu_count", lambda: 0)
    with pytest.raises(GateClosed, match=why):
        check_trainable(MethodChoice(name=name), Training(processes=2, sharding=Sharding.FULL))


@pytest.mark.parametrize("name", SHARDABLE)
def test_a_method_that_can_be_sharded_is_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "gpu_count", lambda: 0)
    check_trainable(MethodChoice(name=name), Training(processes=2, sharding=Sharding.FULL))
