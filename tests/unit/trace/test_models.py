"""Other kinds of models: windows of attention, states in its place, adapters, and prompts of virtual tokens."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.unit.decoding.prompts_and_models import ADAPTERS, random_model, with_adapter
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.models.soft_prompt import with_soft_prompt
from tuneproof.engine.trace.attention import attention_of
from tuneproof.engine.trace.likeliest import likeliest_tokens
from tuneproof.engine.training.tokenize import IGNORE_INDEX, EncodedRow

IDS = [3, *range(40, 70), 1, 4, 90, 91, 92, 1]
ROW = EncodedRow(IDS, [IGNORE_INDEX] * 33 + IDS[33:])
POSITIONS = range(34, 38)
CLOSE = 1e-3

WINDOWED = {"num_key_value_heads": 2, "head_dim": 16, "sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("gpt2", {"n_embd": 64, "n_layer": 2, "n_head": 4}),
    "window": ("gemma3_text", WINDOWED),
    "only window": ("gemma3_text", WINDOWED | {"layer_types": ["sliding_attention"] * 2}),
    "state": ("mamba", {"attention": "eager"}),
}


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_likely_is_what_the_model_says_and_attention_is_shown_where_there_is_some(base: BaseCheckpoint, kind: str) -> None:
    name, settings = KINDS[kind]
    model = random_model(name, **settings)
    with torch.no_grad():
        chances = model(torch.tensor([IDS])).logits[0].softmax(-1)
    for position, found in zip(POSITIONS, likeliest_tokens(base, model, ROW), strict=True):
        assert found.expected == pytest.approx(float(chances[position - 2, IDS[position - 1]]), abs=CLOSE)
        assert [each.probability for each in found.likeliest] == sorted((each.probability for each in found.likeliest), reverse=True)
    attention = attention_of(model, kind, IDS, POSITIONS)
    if kind in ("only window", "state"):
        assert attention.tokens == []
        assert attention.why_none
    else:
        assert [each.position for each in attention.tokens] == list(POSITIONS)
        assert all(0 < sum(attended.last_layer for attended in each.attended) <= 1 + CLOSE for each in attention.tokens)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_is_part_of_what_is_traced(base: BaseCheckpoint, adapter: str) -> None:
    model = with_soft_prompt(with_adapter(random_model("llama"), adapter))
    alone = likeliest_tokens(base, random_model("llama"), ROW)
    assert likeliest_tokens(base, model, ROW) != alone
    attention = attention_of(model, adapter, IDS, POSITIONS)
    assert bool(attention.tokens) is (adapter == "lora")
    assert bool(attention.why_none) is (adapter == "prompt tuning")
