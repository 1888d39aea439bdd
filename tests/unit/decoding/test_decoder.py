"""However prompts are batched, and whatever model decodes them, each gets the tokens that `generate` gives it alone."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
import torch

from tests.unit.decoding.prompts_and_models import ADAPTERS, ARMS, TRAIN, arm_prompts, random_model, varied_prompts, with_adapter
from tuneproof.engine.decoding.continuous_batch import matches_hf_greedy
from tuneproof.engine.decoding.decoder import GPU_MEMORY_SHARE, MAX_BATCH_SIZE, Decoder, fitting_batch_size
from tuneproof.engine.decoding.watch import Watch
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.models.soft_prompt import with_soft_prompt


def generate_alone(base: BaseCheckpoint, model: Any, prompt: str, max_new_tokens: int) -> tuple[int, ...]:
    """The token ids that `generate` writes after one prompt: no batch, no padding, no shared prefix."""
    input_ids = torch.tensor([base.token_ids(prompt)])
    output = model.generate(
        input_ids=input_ids,
        attention_mask=torch.ones_like(input_ids),
        max_new_tokens=max_new_tokens,
        do_sample=False,
        pad_token_id=0,
        eos_token_id=base.eos_token_ids,
    )
    return tuple(output[0, input_ids.shape[1] :].tolist())


def assert_equals_generate(base: BaseCheckpoint, model: Any, prompts: Sequence[str], max_new_tokens: int, batch_size: int) -> None:
    completions, _ = Decoder(base, model, batch_size).complete(prompts, max_new_tokens)
    assert [c.output_ids for c in completions] == [generate_alone(base, model, prompt, max_new_tokens) for prompt in prompts]


@pytest.mark.parametrize("arm", ARMS)
def test_prompts_of_arms_in_a_batch_are_decoded_as_by_generate(base: BaseCheckpoint, model: Any, arm: str) -> None:
    assert matches_hf_greedy(model)
    assert_equals_generate(base, model, arm_prompts(base, arm, 14), 60, batch_size=4)


@pytest.mark.parametrize("arm", ["zero-shot", "8 fixed"])
def test_texts_of_a_batch_of_any_size_are_those_of_generate(base: BaseCheckpoint, model: Any, arm: str) -> None:
    cases = random.Random(0).sample(TRAIN, 12)
    prompts = [base.prompt(request.messages) for request in ARMS[arm].requests(cases)]
    completions, seconds = Decoder(base, model).complete(prompts, 60)
    alone = [base.tokenizer.decode(generate_alone(base, model, prompt, 60)) for prompt in prompts]
    assert [c.text for c in completions] == [text.removesuffix("<|end|>") for text in alone]
    assert seconds > 0


def test_progress_grows_up_to_the_number_of_prompts(base: BaseCheckpoint, model: Any) -> None:
    reported: list[int] = []
    prompts = arm_prompts(base, "zero-shot", 14)
    Decoder(base, model, 4).complete(prompts, 60, watch=Watch(lambda done, _: reported.append(done)))
    assert reported[-1] == len(prompts) and all(a < b for a, b in pairwise(reported))


def test_progress_of_a_model_that_generate_decodes_grows_too(base: BaseCheckpoint) -> None:
    reported: list[int] = []
    prompts = varied_prompts(base)
    model = random_model("bloom", attention="eager")
    Decoder(base, model, 3).complete(prompts, 12, watch=Watch(lambda done, _: reported.append(done)))
    assert reported[-1] == len(prompts) and all(a < b for a, b in pairwise(reported))


@pytest.mark.parametrize(
    ("kind", "settings", "continuous"),
    [
        ("qwen2", {"num_key_value_heads": 2}, True),
        ("qwen2", {"num_key_value_heads": 2, "attention": "eager"}, True),
        ("qwen3", {"num_key_value_heads": 2, "head_dim": 32}, True),
        ("gpt2", {"n_positions": 2048}, True),
        ("bloom", {"attention": "eager"}, False),
        ("gemma2", {"num_key_value_heads": 2, "head_dim": 16, "sliding_window": 32, "attention": "eager"}, False),
        ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}}, False),
    ],
)
def test_other_architectures_are_decoded_as_by_generate(
    base: BaseCheckpoint, kind: str, settings: dict[str, Any], continuous: bool
) -> None:
    model = random_model(kind, **settings)
    assert matches_hf_greedy(model) == continuous
    assert_equals_generate(base, model, varied_prompts(base), 12, batch_size=3)


def test_a_repetition_penalty_of_the_model_is_applied(base: BaseCheckpoint, model: Any) -> None:
    penalised = copy.deepcopy(model)
    penalised.generation_config.repetition_penalty = 1.3
    prompts = varied_prompts(base)[:4]
    assert not matches_hf_greedy(penalised)
    assert [generate_alone(base, penalised, p, 20) for p in prompts] != [generate_alone(base, model, p, 20) for p in prompts]
    assert_equals_generate(base, penalised, prompts, 20, batch_size=1)


@pytest.mark.parametrize("kind", ADAPTERS)
def test_a_model_with_an_adapter_is_decoded_as_by_generate(base: BaseCheckpoint, model: Any, kind: str) -> None:
    torch.manual_seed(0)
    tuned = with_soft_prompt(with_adapter(copy.deepcopy(model), kind))
    assert matches_hf_greedy(tuned) == (kind == "lora")
    assert_equals_generate(base, tuned, varied_prompts(base), 16, batch_size=3)


def test_an_answer_that_reaches_the_limit_is_truncated(base: BaseCheckpoint, model: Any) -> None:
    (short,), _ = Decoder(base, model).complete(arm_prompts(base, "zero-shot", 1), 3)
    assert short.truncated and short.completion_tokens == 3


def test_a_prompt_that_fills_the_context_is_truncated_without_text(base: BaseCheckpoint, model: Any) -> None:
    (empty,), _ = Decoder(base, model).complete(["x " * base.context_length], 3)
    assert empty.truncated and empty.text == ""


def test_the_batch_size_follows_from_free_memory() -> None:
    assert fitting_batch_size(10**9, 10**7) == int(100 * GPU_MEMORY_SHARE)
    assert fitting_batch_size(10**6, 10**7) == 1
    assert fitting_batch_size(10**12, 10**7) == MAX_BATCH_SIZE
