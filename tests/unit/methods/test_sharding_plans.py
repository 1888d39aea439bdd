"""A model is sharded only if no whole copy fits, and the predicted memory of a shard is what PyTorch allocates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from peft import LoraConfig, get_peft_model
from torch.distributed.tensor import DTensor
from torch.profiler import ProfilerActivity, profile
from torch.testing._internal.distributed.fake_pg import FakeStore
from transformers import LlamaConfig, LlamaForCausalLM

from tests.unit.run.event_samples import RememberedEvents
from tests.unit.stages.planned_disk import disk_of
from tuneproof.engine.card.plan_text import planned_lines
from tuneproof.engine.case.schema import Budget, ModelChoice
from tuneproof.engine.case.training import MethodChoice, Sharding, Training
from tuneproof.engine.core import hardware
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.methods.candidates import make_candidate
from tuneproof.engine.methods.forecast import forecast_memory
from tuneproof.engine.methods.memory import LogitStorage, TrainingShape, predict_memory
from tuneproof.engine.methods.model_shape import shape_of
from tuneproof.engine.methods.padding import SequenceLengths
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.methods.select import AvailableMemory, ExecutionOption, MethodCandidate, select_method
from tuneproof.engine.models.base_model import load_base
from tuneproof.engine.run.artifacts import Optimizer
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.stages.plan_training import Planner, TrainRowLengths
from tuneproof.engine.training.distributed.fsdp import shard
from tuneproof.engine.training.memory_probe import MemoryProbeResult, ProbeLengths, probe_memory

LLAMA_8B = shape_of(
    {
        "model_type": "llama",
        "hidden_size": 4096,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "intermediate_size": 14336,
        "vocab_size": 128256,
    }
)
ROWS = SequenceLengths([576, 1024], 8192)


def full_training(sharding: Sharding = Sharding.AUTO, processes: int = 8) -> MethodCandidate:
    settled = make_plan(MethodChoice(name="full"), Training(processes=processes, sharding=sharding))
    return make_candidate(settled, LLAMA_8B.parameters, LLAMA_8B, ROWS, on_gpu=True)


@pytest.mark.parametrize(("gb", "sharding"), [(80, Sharding.FULL), (320, Sharding.NONE)])
def test_a_model_is_sharded_only_if_no_whole_copy_fits(gb: float, sharding: Sharding) -> None:
    chosen = select_method([full_training()], AvailableMemory(gb * 1e9, "a GPU"), 10**9, {}, named=True)
    assert chosen.option.sharding is sharding and chosen.option.memory is not None and chosen.option.memory.total < 0.9 * gb * 1e9
    assert chosen.option.optimizer is Optimizer.ADAMW


def test_a_case_can_require_or_forbid_sharding() -> None:
    assert {option.sharding for option in full_training(Sharding.NONE).options} == {Sharding.NONE}
    assert {option.sharding for option in full_training(Sharding.FULL).options} == {Sharding.FULL}
    assert {option.sharding for option in full_training(Sharding.AUTO, processes=1).options} == {Sharding.NONE}
    order = [option.sharding for option in full_training().options]
    assert order == sorted(order, key=lambda sharding: sharding is Sharding.FULL) and len(set(order)) == 2
    quantised = make_plan(MethodChoice(name="int8_lora"), Training(processes=2))
    assert {option.sharding for option in make_candidate(quantised, 10**7, LLAMA_8B, ROWS, on_gpu=True).options} == {Sharding.NONE}
    wanted = replace(quantised, sharding=Sharding.FULL)
    assert make_candidate(wanted, 10**7, LLAMA_8B, ROWS, on_gpu=True).refusal


def test_more_processes_mean_less_memory_in_each() -> None:
    lightest = [full_training(Sharding.FULL, processes).options[-1].memory for processes in (2, 4, 8)]
    two, four, eight = (memory for memory in lightest if memory is not None)
    assert two.total > four.total > eight.total and two.optimizer == 2 * four.optimizer == 4 * eight.optimizer
    # Gathered weights are whole in every process.
    assert 2 * (two.weights - four.weights) == pytest.approx(4 * (four.weights - eight.weights))
    assert eight.weights > LLAMA_8B.parameters * 4 / 8 + LLAMA_8B.embedding_parameters * 4


def test_after_a_trial_step_that_does_not_fit_the_lightest_whole_copy_is_tried_and_then_the_lightest_shard() -> None:
    candidate, plenty = full_training(), AvailableMemory(1e12, "a GPU")
    lightest_whole = [option for option in candidate.options if option.sharding is Sharding.NONE][-1]
    out_of_memory: dict[tuple[str, ExecutionOption], str] = {}
    for expected in (candidate.options[0], lightest_whole, candidate.options[-1]):
        option = select_method([candidate], plenty, 10**9, out_of_memory, named=True).option
        assert option == expected
        out_of_memory[("full", option)] = "ran out of memory in a trial step"
    with pytest.raises(GateClosed, match="ran out of memory in a trial step"):
        select_method([candidate], plenty, 10**9, out_of_memory, named=True)


def test_a_forecast_is_sharded_if_it_does_not_fit_otherwise() -> None:
    settled = make_plan(MethodChoice(name="full"), Training(processes=8))
    forecast = forecast_memory([(settled, LLAMA_8B.parameters)], LLAMA_8B, ROWS, Budget(gpu_memory_gb=80), on_gpu=True)["full"]
    assert forecast.fits and forecast.option.sharding is Sharding.FULL


def test_a_plan_says_that_the_model_is_sharded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hardware, "gpu_count", lambda: 0)
    training = Training(epochs=6, processes=2, sharding=Sharding.FULL)
    rows = TrainRowLengths(whole=[60, 89] * 47, targets=[20] * 94)
    base, trained = load_base(ModelChoice()), {"lora": 233_472, "int8_lora": 233_472}
    planner = Planner(
        MethodChoice(), training, Budget(), base, rows, trained, StopRequest(), disk_of(base, tmp_path, trained), RememberedEvents()
    )
    settled, planned = planner.settle()
    assert settled.sharded and planned.sharding is Sharding.FULL and planned.memory is not None and settled.per_process.sharded
    assert make_plan(MethodChoice(name="lora"), training).with_execution(planned, 1).sharded
    assert (
        "each batch is divided among 2 processes, which shard weights, gradients and optimizer state (FSDP2); memory is per process"
        in planned_lines(planned)
    )
    assert any("int8_lora" in line and "loses its scales" in line for line in planned_lines(planned))


@pytest.fixture
def one_of_four() -> Iterator[None]:
    """A process group of four in which only this process exists."""
    dist.init_process_group(dist.Backend.FAKE, store=FakeStore(), rank=0, world_size=4)
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_the_predicted_memory_of_a_sharded_model_is_what_torch_allocates(one_of_four: None, full: bool, checkpointing: bool) -> None:
    config = LlamaConfig(
        hidden_size=256, intermediate_size=1024, num_hidden_layers=8, num_attention_heads=8, num_key_value_heads=8, vocab_size=2000
    )
    model = LlamaForCausalLM(config)
    if not full:
        model = get_peft_model(model, LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    if checkpointing:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    shard(model.train())
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained)
    ids = torch.zeros((2, 128), dtype=torch.long)

    def step() -> None:
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits
        logits.logsumexp(-1).mean().backward()
        optimizer.step()
        optimizer.zero_grad()

    step()
    kept = [*model.parameters(), *(value for state in optimizer.state.values() for value in state.values())]
    standing = sum((each.to_local() if isinstance(each, DTensor) else each).untyped_storage().nbytes() for each in kept)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as run:
        step()
    now = most = standing
    for event in run.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    shape = TrainingShape(
        length=128,
        batch=2,
        trained_parameters=sum(parameter.numel() for parameter in trained),
        full=full,
        element=4,
        checkpointing=checkpointing,
        processes=4,
        sharded=True,
        logits=LogitStorage.FULL,
    )
    # On a CPU FSDP2 does not prefetch layers, so the prediction is a little high.
    assert 1 < predict_memory(shape_of(config.to_dict()), shape).tensors / most < 1.15


@pytest.mark.long
def test_a_trial_step_of_a_sharded_model_takes_the_memory_of_a_shard(tmp_path: Path) -> None:
    base, lengths = load_base(ModelChoice()), ProbeLengths(worst=16, usual=16, answer=4)
    # The sample model is too small: the memory that torch itself takes in a first step would hide the shard.
    shape = {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 10, "num_attention_heads": 8, "num_key_value_heads": 8}
    LlamaForCausalLM(LlamaConfig(**shape, vocab_size=len(base.tokenizer))).save_pretrained(tmp_path)
    larger = replace(base, folder=tmp_path)
    whole, divided = (
        probe_memory(
            larger, make_plan(MethodChoice(name="full"), Training(batch_size=8, processes=8, sharding=sharding)), lengths, StopRequest()
        )
        for sharding in (Sharding.NONE, Sharding.FULL)
    )
    assert isinstance(whole, MemoryProbeResult) and isinstance(divided, MemoryProbeResult)
    assert divided.peak < 0.6 * whole.peak and divided.usual_seconds > 0
