"""An answer that ends with its JSON document is the answer of `generate`, cut there."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.unit.decoding.prompts_and_models import arm_prompts
from tests.unit.decoding.test_decoder import generate_alone
from tuneproof.engine.data.json_document import document_end
from tuneproof.engine.decoding.continuous_batch import matches_hf_greedy
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import BaseCheckpoint

ROOM = 300


@pytest.mark.parametrize("continuous", [True, False])
def test_an_answer_is_that_of_generate_cut_where_its_document_closes(base: BaseCheckpoint, model: Any, continuous: bool) -> None:
    model = copy.deepcopy(model)
    if not continuous:
        model.generation_config.repetition_penalty = 1.02
    assert matches_hf_greedy(model) is continuous
    prompts = arm_prompts(base, "zero-shot", 10)
    completions, _ = Decoder(base, model, 4).complete(prompts, ROOM, ends_with_document=True)
    closed = 0
    for prompt, completion in zip(prompts, completions, strict=True):
        whole = generate_alone(base, model, prompt, ROOM)
        text = base.tokenizer.decode(whole).removesuffix("<|end|>")
        end = document_end(text)
        closed += end is not None
        assert completion.output_ids == whole[: len(completion.output_ids)]
        assert completion.text == text[:end]
        assert completion.truncated == (end is None and len(whole) == ROOM)
    assert closed >= 3


def test_room_costs_no_time_once_the_document_has_closed(base: BaseCheckpoint, model: Any) -> None:
    prompts = arm_prompts(base, "zero-shot", 10)
    free, _ = Decoder(base, model).complete(prompts, ROOM)
    ended, _ = Decoder(base, model).complete(prompts, ROOM, ends_with_document=True)
    shorter = [(a, b) for a, b in zip(free, ended, strict=True) if document_end(b.text) is not None]
    assert shorter and all(b.completion_tokens <= a.completion_tokens and not b.truncated for a, b in shorter)
