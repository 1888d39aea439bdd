"""Answers of a model with a soft prompt."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peft import PromptTuningConfig, get_peft_model

from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base, load_weights
from tuneproof.engine.models.soft_prompt import with_soft_prompt

PROMPTS = [f"<|user|>Triage the ticket.\n\n{text}<|end|><|assistant|>" for text in ("The lamp flickers.", "Order 12?", "Refund me!")]


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


@pytest.fixture(scope="module")
def tuned(base: BaseCheckpoint) -> Any:
    """The sample model with 200 random tokens of its vocabulary as soft prompt."""
    torch.manual_seed(0)
    model = get_peft_model(load_weights(base), PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=200)).eval()
    words = model.get_input_embeddings().weight[torch.randint(300, 1500, (200,))]
    with torch.no_grad():
        for parameter in model.prompt_encoder.parameters():
            parameter.copy_(words)
    return with_soft_prompt(model)


def test_the_soft_prompt_changes_the_answers(base: BaseCheckpoint, tuned: Any) -> None:
    with_prompt, _ = Decoder(base, tuned).complete(PROMPTS, 30)
    without, _ = Decoder(base, load_weights(base)).complete(PROMPTS, 30)
    assert [c.text for c in with_prompt] != [c.text for c in without]


def test_an_answer_does_not_depend_on_the_other_prompts_of_the_batch(base: BaseCheckpoint, tuned: Any) -> None:
    together, _ = Decoder(base, tuned, 3).complete([*PROMPTS, "A much longer prompt " * 20], 30)
    for prompt, completion in zip(PROMPTS, together, strict=False):
        assert Decoder(base, tuned, 1).complete([prompt], 30)[0] == [completion]


def test_a_model_without_a_soft_prompt_stays_as_it_is(base: BaseCheckpoint) -> None:
    model = load_weights(base)
    assert with_soft_prompt(model) is model
