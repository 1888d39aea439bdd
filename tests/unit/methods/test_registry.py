"""Every method of the registry trains, reloads and merges as it says; what it does not support is refused with the reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors import safe_open
from transformers import AutoModelForCausalLM, LlamaConfig

from tests.unit.training.tiny_training import training_of
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core import hardware
from tuneproof.engine.core.disk_space import folder_bytes
from tuneproof.engine.core.errors import CaseError, GateClosed, Interrupted
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.methods.adapters import adapter_config
from tuneproof.engine.methods.candidates import make_candidate
from tuneproof.engine.methods.disk import checkpoint_bytes, model_bytes
from tuneproof.engine.methods.method import Ability, Quantisation
from tuneproof.engine.methods.model_shape import known_shape, shape_of
from tuneproof.engine.methods.padding import SequenceLengths
from tuneproof.engine.methods.parameters import count_planned_parameters
from tuneproof.engine.methods.plan import check_trainable, make_plan, setting_sources
from tuneproof.engine.methods.refusals import EXCLUDED_METHODS, FOUR_BIT_ON_CPU, unavailable_reason
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base, load_weights
from tuneproof.engine.models.files import tokenizer_bytes
from tuneproof.engine.run.artifacts import Optimizer
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.training.merge import merge
from tuneproof.engine.training.result import TrainingResult
from tuneproof.engine.training.run import make_trainer, train
from tuneproof.engine.training.validation_probe import ValidationProbe

SHAPES = {
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
}
"""The config of Llama-3.1-8B."""
COUNTED = ["lora", "qlora", "full", "prefix_tuning", "prompt_tuning"]
TRAINABLE_HERE = [name for name, method in METHODS.items() if method.quantisation is not Quantisation.NF4]
"""Every method except those on a 4-bit base, which a CPU does not train correctly."""


@pytest.mark.parametrize("name", METHODS)
def test_the_registry_names_the_peft_class_that_trains_the_method(name: str) -> None:
    config = adapter_config(make_plan(MethodChoice(name=name), Training()))
    assert METHODS[name].peft_class == (None if config is None else type(config).__name__)
    assert (METHODS[name].paper is None) is (config is None)


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


def trained(
    base: BaseCheckpoint, name: str, folder: Path, stop: StopRequest | None = None, **more: object
) -> tuple[TrainingResult, ValidationProbe]:
    settings = Training.model_validate({"max_steps": 3, "probe_every": 3, "batch_size": 4, **more})
    rows, probe = training_of(base)
    folder.mkdir(exist_ok=True)
    log = EventLog(folder / "events.jsonl")
    return train(base, rows, probe, make_plan(MethodChoice(name=name), settings), folder / "training", log, stop or StopRequest()), probe


@pytest.mark.parametrize("name", TRAINABLE_HERE)
def test_a_method_trains_the_counted_parameters_and_reloads_to_the_same_model(base: BaseCheckpoint, name: str, tmp_path: Path) -> None:
    method = METHODS[name]
    # Virtual tokens start as random words, which make the model worse at first.
    longer: dict[str, Any] = {"max_steps": 20, "probe_every": 20, "learning_rate": 0.1} if method.virtual_tokens else {}
    done, probe = trained(base, name, tmp_path, **longer)
    planned = count_planned_parameters(base.folder, make_plan(MethodChoice(name=name), Training()))
    assert (done.trained_parameters, done.all_parameters) == (planned.trained, planned.all)
    assert stored_parameters(done.adapter, method.frozen) == planned.trained
    before, _ = probe.run(load_weights(base))
    again, _ = probe.run(load_weights(base, done.adapter))
    assert again == done.best_probe and again.loss < before.loss
    assert_disk_as_predicted(base, name, done, tmp_path / "training/checkpoints")
    if method.supports(Ability.MERGE):
        assert_merges(base, done.adapter, tmp_path / "merged", probe)


def assert_disk_as_predicted(base: BaseCheckpoint, name: str, done: TrainingResult, checkpoints: Path) -> None:
    """What a checkpoint and the kept weights take is what was predicted for them, or up to 1 % and 200 kB less."""
    plan, shape, trained = make_plan(MethodChoice(name=name), Training()), known_shape(base.folder), done.trained_parameters
    checkpoint, *_ = checkpoints.glob("checkpoint-*")
    written = {
        checkpoint_bytes(plan, trained, shape, tokenizer_bytes(base.folder), done.steps): folder_bytes(checkpoint),
        model_bytes(plan, trained, shape): sum((done.adapter / file).stat().st_size for file in done.files),
    }
    for predicted, real in written.items():
        assert real <= predicted <= 1.01 * real + 200_000


def stored_parameters(folder: Path, frozen: tuple[str, ...]) -> int:
    total = 0
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            names = [name for name in file.keys() if not any(part in name for part in frozen)]  # noqa: SIM118 - it is no dict
            total += sum(file.get_tensor(name).numel() for name in names)
    return total


def assert_merges(base: BaseCheckpoint, adapter: Path, folder: Path, probe: ValidationProbe) -> None:
    """The merged model's logits equal those of base and adapter, up to twice the error of rounding the base alone to bfloat16."""
    files = merge(base, adapter, folder)
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= set(files)
    with safe_open(folder / "model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.bfloat16}  # noqa: SIM118 - it is no dict
    plain = AutoModelForCausalLM.from_pretrained(base.folder)
    rounded = AutoModelForCausalLM.from_pretrained(base.folder, dtype=torch.bfloat16).float()
    rounding = rms_distance(logits(plain, probe), logits(rounded, probe))
    adapted = PeftModel.from_pretrained(plain, adapter).eval()
    assert rms_distance(logits(adapted, probe), logits(load_weights(base, folder), probe)) < 2 * rounding


def logits(model: Any, probe: ValidationProbe) -> torch.Tensor:
    with torch.no_grad():
        output: torch.Tensor = model(input_ids=torch.tensor([probe.encoded[0].input_ids])).logits
    return output


def rms_distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).square().mean().sqrt())


@pytest.mark.parametrize("name", ["full", "int8_lora", "pissa", "shira", "prefix_tuning"])
def test_a_stopped_training_resumes_to_the_same_weights(base: BaseCheckpoint, name: str, tmp_path: Path) -> None:
    whole, _ = trained(base, name, tmp_path / "whole")
    stop = StopRequest()
    stop.request()
    with pytest.raises(Interrupted):
        trained(base, name, tmp_path / "broken", stop)
    again, _ = trained(base, name, tmp_path / "broken")
    for file in (file for file in whole.files if file.endswith(".safetensors")):
        assert (again.adapter / file).read_bytes() == (whole.adapter / file).read_bytes()


def test_the_initial_adapter_depends_on_the_seed_alone(base: BaseCheckpoint, tmp_path: Path) -> None:
    one, other = (initial_adapter(base, seed, drawn_before, tmp_path) for seed, drawn_before in ((1, 0), (1, 7)))
    assert torch.equal(one, other) and not torch.equal(one, initial_adapter(base, 2, 0, tmp_path))


def initial_adapter(base: BaseCheckpoint, seed: int, drawn_before: int, folder: Path) -> torch.Tensor:
    """The A matrices of an untrained LoRA adapter, in a process that has drawn `drawn_before` random numbers."""
    torch.manual_seed(0)
    torch.rand(drawn_before)
    rows, _ = training_of(base)
    trainer = make_trainer(base, rows, make_plan(MethodChoice(name="lora"), Training(seed=seed)), folder)
    return torch.cat([value.detach().flatten() for name, value in trainer.model.named_parameters() if "lora_A" in name])


@pytest.mark.long
@pytest.mark.parametrize("name", ["lora", "full"])
def test_packed_rows_train_the_same_as_padded_rows(base: BaseCheckpoint, name: str, tmp_path: Path) -> None:
    # One batch with all rows: packed sequences are shuffled whole, so smaller batches would hold different rows.
    padded, _ = trained(base, name, tmp_path / "padded", batch_size=64)
    packed, _ = trained(base, name, tmp_path / "packed", batch_size=64, packing=True)
    assert packed.best_probe.loss == pytest.approx(padded.best_probe.loss, abs=1e-3)


@pytest.mark.parametrize("name", ["prompt_tuning", "prefix_tuning"])
def test_the_output_of_a_soft_prompt_does_not_depend_on_the_other_rows_of_the_batch(
    base: BaseCheckpoint, name: str, tmp_path: Path
) -> None:
    done, probe = trained(base, name, tmp_path, max_steps=6, probe_every=6)
    model = load_weights(base, done.adapter)
    together, _ = Decoder(base, model).complete(probe.prompts, probe.max_new_tokens)
    alone = [Decoder(base, model).complete([prompt], probe.max_new_tokens)[0][0] for prompt in probe.prompts]
    assert together == alone and len({len(base.token_ids(p)) for p in probe.prompts}) > 1


def test_the_parameters_of_an_8b_model_are_counted_without_its_weights(tmp_path: Path) -> None:
    LlamaConfig(**SHAPES).save_pretrained(tmp_path)
    counted = {name: count_planned_parameters(tmp_path, make_plan(MethodChoice(name=name), Training())) for name in COUNTED}
    assert counted["lora"].trained == counted["qlora"].trained == 41_943_040
    assert counted["full"].trained == counted["full"].all == 8_030_261_248
    assert counted["prefix_tuning"].trained == 50 * 32 * 2 * 8 * 128 and counted["prompt_tuning"].trained == 20 * 4096


def test_a_4_bit_base_on_a_cpu_is_refused_before_the_run_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "first_gpu", lambda: None)
    with pytest.raises(GateClosed, match="repacks them in place"):
        check_trainable(MethodChoice(name="qlora"), Training())
    monkeypatch.setattr(hardware, "first_gpu", lambda: hardware.Gpu("some", 80.0, 80.0, 0))
    assert unavailable_reason(METHODS["qlora"]) is None
    monkeypatch.setattr(hardware, "is_installed", lambda _: False)
    assert "pip install 'tuneproof[quantised]'" in str(unavailable_reason(METHODS["int8_lora"]))
    assert FOUR_BIT_ON_CPU not in str(unavailable_reason(METHODS["qlora"])) and unavailable_reason(METHODS["lora"]) is None


def test_an_unsupported_setting_or_method_is_refused_with_the_reason() -> None:
    with pytest.raises(GateClosed, match="no error is raised"):
        check_trainable(MethodChoice(name="prompt_tuning"), Training(packing=True))
    check_trainable(MethodChoice(name="lora"), Training(packing=True))
    with pytest.raises(CaseError, match="full has no `rank`"):
        check_trainable(MethodChoice(name="full"), Training(rank=4))
    for name in ("c3a", "hra"):
        with pytest.raises(CaseError, match="merging it into an int8 base gives wrong outputs"):
            make_plan(MethodChoice(name=name), Training())
    assert not set(EXCLUDED_METHODS) & set(METHODS)
    assert {Ability.FOUR_BIT, Ability.EIGHT_BIT} <= set(METHODS["pissa"].unsupported)


def test_every_setting_with_a_default_has_a_source() -> None:
    free = {"max_steps", "probe_every", "seed", "packing", "group_by_length"}
    for name, method in METHODS.items():
        chosen = make_plan(MethodChoice(name=name), Training())
        found = setting_sources(MethodChoice(name=name), Training())
        assert set(found) == set(chosen.settings) - free and all(found.values())
        assert chosen.batch_size <= 32 and chosen.epochs <= 3
        assert (chosen.rank is None) is (method.rank is None)
    lora, full = (make_plan(MethodChoice(name=name), Training()) for name in ("lora", "full"))
    assert (lora.rank, lora.alpha, lora.warmup, lora.learning_rate) == (16, 32, 0.05, 10 * full.learning_rate)
    assert setting_sources(MethodChoice(), Training(rank=4))["rank"] == "the case"


def test_a_published_result_has_its_interval_and_says_what_it_is_based_on() -> None:
    lora = METHODS["lora"].published
    assert lora is not None and "47.8 % [45.1, 50.5] of 1,319 school maths questions (GSM8K)" in lora.summary and "one seed" in lora.summary
    assert METHODS["pissa"].published is None


@pytest.mark.parametrize("optimizer", [Optimizer.ADAMW_8BIT, Optimizer.PAGED_8BIT])
def test_full_training_can_keep_its_optimizer_in_8_bits(base: BaseCheckpoint, optimizer: Optimizer, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    rows, probe = training_of(base)
    settled = make_plan(MethodChoice(name="full"), Training(max_steps=3, probe_every=3, batch_size=4, learning_rate=1e-3))
    trainer = make_trainer(base, rows, replace(settled, optimizer=optimizer), tmp_path)
    before, _ = probe.run(load_weights(base))
    trainer.train()
    after, _ = probe.run(trainer.model)
    kept = trainer.optimizer.optimizer.state.values()
    assert after.loss < before.loss and any(state["state1"].dtype is torch.uint8 for state in kept)


def test_an_8_bit_optimizer_needs_less_memory_and_a_paged_one_least(base: BaseCheckpoint) -> None:
    pytest.importorskip("bitsandbytes")
    shape, settled = shape_of(SHAPES | {"model_type": "llama"}), make_plan(MethodChoice(name="full"), Training(batch_size=1))
    found = make_candidate(settled, shape.parameters, shape, SequenceLengths([1024], 8192), on_gpu=True)
    sizes = {option.optimizer: option.memory.total / 1e9 for option in found.options if option.memory is not None}
    assert sizes[Optimizer.ADAMW] > 120 > sizes[Optimizer.ADAMW_8BIT] > 80 > sizes[Optimizer.PAGED_8BIT]
