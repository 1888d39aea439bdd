"""Packed rows have the loss of rows trained one by one: none attends to another, none is lost, and no token is a target twice."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

from tests.conftest import ROOT
from tests.unit.training.tiny_training import SMALL
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.models.base_model import load_base
from tuneproof.engine.training.packing import TOKEN_COUNT, FlatCollator, PackedCollator, can_pack, pack_rows, trainer_data
from tuneproof.engine.training.tokenize import IGNORE_INDEX, EncodedRow

FAMILIES = {"llama": LlamaConfig, "mistral": MistralConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config}

LENGTHS = (5, 31, 12, 7, 20, 9, 16, 3, 28)

rows_of_any_length = st.lists(st.integers(2, 40), min_size=1, max_size=24).map(
    lambda lengths: [some_row(length, seed) for seed, length in enumerate(lengths)]
)


def some_row(length: int, seed: int) -> EncodedRow:
    ids = torch.randint(3, 64, (length,), generator=torch.Generator().manual_seed(seed)).tolist()
    prompt_length = length // 2
    return EncodedRow(ids, [IGNORE_INDEX] * prompt_length + ids[prompt_length:])


def loss_sum(model: torch.nn.Module, **inputs: torch.Tensor) -> torch.Tensor:
    """The summed loss of each label, at the position of the token before it."""
    labels = inputs.pop("labels")
    logits = model(**inputs, use_cache=False).logits[:, :-1]
    return torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels[:, 1:], ignore_index=IGNORE_INDEX, reduction="none")


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("family", [*FAMILIES, "sample"])
@torch.no_grad()
def test_a_packed_batch_gives_each_row_the_loss_it_has_alone(family: str, attention: str) -> None:
    torch.manual_seed(0)
    if family == "sample":
        model = AutoModelForCausalLM.from_pretrained(ROOT / "sample_cases" / "model", attn_implementation=attention)
    else:
        model = AutoModelForCausalLM.from_config(FAMILIES[family](**SMALL), attn_implementation=attention)
    model.eval()
    assert can_pack(model)
    rows = [some_row(length, seed) for seed, length in enumerate(LENGTHS)]
    alone = [loss_sum(model, input_ids=torch.tensor([r.input_ids]), labels=torch.tensor([r.labels])) for r in rows]
    batch = PackedCollator(pad_token_id=0)(pack_rows(rows, context_length=64).to_list())
    assert batch.pop(TOKEN_COUNT) == sum(len(row.input_ids) for row in rows)
    together = loss_sum(model, **batch)
    assert sum(losses.count_nonzero() for losses in alone) == together.count_nonzero() > 50
    assert torch.allclose(
        torch.cat([a.flatten() for a in alone]).sort().values.flip(0)[:50], together.flatten().sort().values.flip(0)[:50], atol=1e-5
    )
    assert together.sum().item() == pytest.approx(sum(losses.sum().item() for losses in alone), rel=1e-5)


@torch.no_grad()
def test_a_batch_in_one_long_sequence_learns_the_same() -> None:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(LlamaConfig(**SMALL), attn_implementation="sdpa").eval()
    sequences = pack_rows([some_row(length, seed) for seed, length in enumerate(LENGTHS)], context_length=64).to_list()
    assert len(sequences) > 1
    apart, flat = PackedCollator(pad_token_id=0)(sequences), FlatCollator()(sequences)
    assert apart.pop(TOKEN_COUNT) == flat.pop(TOKEN_COUNT) == flat["input_ids"].numel()
    assert flat["input_ids"].shape[0] == 1
    losses, flat_losses = loss_sum(model, **apart), loss_sum(model, **flat)
    assert losses.count_nonzero() == flat_losses.count_nonzero()
    assert torch.allclose(losses[losses != 0].sort().values, flat_losses[flat_losses != 0].sort().values, atol=1e-5)


def test_attention_that_keeps_rows_apart_only_in_one_sequence_is_given_one() -> None:
    base = load_base(ModelChoice())
    model = AutoModelForCausalLM.from_config(LlamaConfig(**SMALL))
    chosen = make_plan(MethodChoice(name="lora"), Training(packing=True))
    rows = [some_row(length, seed) for seed, length in enumerate((5, 31, 12))]
    assert isinstance(trainer_data(model, base, rows, chosen).collator, PackedCollator)
    model.config._attn_implementation_internal = "flash_attention_2"
    assert isinstance(trainer_data(model, base, rows, chosen).collator, FlatCollator)


@settings(max_examples=30)
@given(rows_of_any_length)
def test_every_row_is_packed_once_and_whole(rows: list[EncodedRow]) -> None:
    sequences = pack_rows(rows, context_length=96).to_list()
    found = []
    for each in sequences:
        at = 0
        for length in each["seq_lengths"]:
            found.append((tuple(each["input_ids"][at : at + length]), tuple(each["labels"][at : at + length])))
            at += length
        assert at == len(each["input_ids"]) <= 96
    assert sorted(found) == sorted((tuple(r.input_ids), tuple(r.labels)) for r in rows)


def test_a_model_whose_state_runs_through_is_not_packed() -> None:
    config = LlamaConfig(**SMALL, layer_types=["full_attention", "linear_attention"])
    model = AutoModelForCausalLM.from_config(LlamaConfig(**SMALL))
    model.config = config
    config._attn_implementation = "sdpa"
    assert not can_pack(model)
