"""Log-likelihoods of labels are those of one plain forward pass a label, and the most likely label wins."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from tests.unit.decoding.prompts_and_models import ADAPTERS, random_model, varied_prompts, with_adapter
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.models.soft_prompt import with_soft_prompt

LABELS = ["billing", "shipping", "ship", "a longer label than those", "ÿ☃"]
MODELS = ["sample", "lora", "prompt tuning", "qwen2", "eager", "gemma2"]


def make_model(kind: str, sample: Any) -> Any:
    """The sample model, or one with an adapter, or another architecture."""
    torch.manual_seed(0)
    if kind == "sample":
        return sample
    if kind in ADAPTERS:
        return with_adapter(copy.deepcopy(sample), kind)
    if kind == "gemma2":
        return random_model(kind, num_key_value_heads=2, head_dim=16, sliding_window=32, attention="eager")
    return random_model("qwen2", num_key_value_heads=2, attention="eager" if kind == "eager" else "sdpa")


def log_likelihood(base: BaseCheckpoint, model: Any, prompt: str, label: str) -> float:
    """The log-likelihood of one label as the whole answer, from one plain pass."""
    prompt_ids, label_ids = base.token_ids(prompt), base.token_ids(label)
    with torch.inference_mode():
        log_probs = model(torch.tensor([[*prompt_ids, *label_ids]])).logits[0].log_softmax(-1)
    # PEFT's soft prompts have logits for the virtual tokens too, so count from the end.
    after_prompt = log_probs[-len(label_ids) - 1 :]
    end = after_prompt[-1, base.eos_token_ids].logsumexp(-1)
    return float(sum(after_prompt[at, token_id] for at, token_id in enumerate(label_ids)) + end)


@pytest.mark.parametrize("kind", MODELS)
def test_labels_have_the_log_likelihoods_of_a_plain_pass(base: BaseCheckpoint, model: Any, kind: str) -> None:
    made, prompts = make_model(kind, model), varied_prompts(base)
    scores = Decoder(base, with_soft_prompt(made), 3).score_labels(prompts, LABELS)
    plain = [[log_likelihood(base, made, prompt, label) for label in LABELS] for prompt in prompts]
    torch.testing.assert_close(torch.tensor(scores), torch.tensor(plain), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kind", MODELS)
def test_the_chosen_label_is_the_most_likely_whole_answer(base: BaseCheckpoint, model: Any, kind: str) -> None:
    made, prompts = make_model(kind, model), varied_prompts(base)
    plain = [[log_likelihood(base, made, prompt, label) for label in LABELS] for prompt in prompts]
    completions, _ = Decoder(base, with_soft_prompt(made), 3).choose_labels(prompts, LABELS)
    assert [c.text for c in completions] == [LABELS[row.index(max(row))] for row in plain]
    assert not any(c.truncated for c in completions)


def test_a_prompt_that_leaves_no_space_for_a_label_is_truncated(base: BaseCheckpoint, model: Any) -> None:
    (too_long, fits), _ = Decoder(base, model).choose_labels(["x " * base.context_length, "x"], LABELS)
    assert too_long.truncated and too_long.text == "" and fits.text in LABELS
