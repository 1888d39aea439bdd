"""Greedy decoding with transformers' `generate`, for models that the continuous batch does not support.

Imports torch, so only the worker imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from tuneproof.engine.decoding.continuous_batch import DecodeState
from tuneproof.engine.decoding.document_stop import DocumentCriteria, DocumentStop
from tuneproof.engine.decoding.grammar import Grammar, GrammarLogitsProcessor
from tuneproof.engine.decoding.kv_cache import preallocated_cache
from tuneproof.engine.decoding.stopping import StopTexts, StopTextsReached
from tuneproof.engine.decoding.watch import OnPass
from tuneproof.engine.models.base_model import BaseCheckpoint


class BetweenPasses(StoppingCriteria):
    """Ends no row; calls a function after each token of transformers' `generate`."""

    def __init__(self, on_pass: OnPass) -> None:
        self._on_pass = on_pass

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: object) -> torch.BoolTensor:
        """False for each row of `input_ids`, (batch, tokens): shape (batch,)."""
        self._on_pass()
        return torch.BoolTensor([False] * len(input_ids)).to(input_ids.device)


@torch.inference_mode()
def generate_outputs(
    base: BaseCheckpoint,
    model: Any,
    states: list[DecodeState],
    grammar: Grammar | None,
    stop_texts: StopTexts | None,
    on_pass: OnPass = lambda: None,
) -> None:
    """Fills `output_ids` of one batch, whose sequences share their prefix and their `max_new_tokens`. `on_pass` is called between passes.

    The cached prefix comes first, then the padding, then the rest of each prompt, so that all prompts end in the same column.
    """
    prefix_length, longest = states[0].prefix_length, max(len(state.prompt_ids) for state in states)
    max_new_tokens, pad = states[0].max_new_tokens, base.tokenizer.pad_token_id
    input_ids, attention_mask = [], []
    for state in states:
        padding, length = longest - len(state.prompt_ids), len(state.prompt_ids)
        input_ids.append(state.prompt_ids[:prefix_length] + [pad] * padding + state.prompt_ids[prefix_length:])
        attention_mask.append([1] * prefix_length + [0] * padding + [1] * (length - prefix_length))
    grammar_states = [state.grammar_state for state in states if state.grammar_state is not None]
    stops = [state.document_stop for state in states if state.document_stop is not None]
    criteria: list[StoppingCriteria] = [BetweenPasses(on_pass), *([DocumentCriteria(stops)] if stops else [])]
    if stop_texts is not None:
        criteria.append(StopTextsReached(stop_texts, longest))
    output = model.generate(
        input_ids=torch.tensor(input_ids, device=model.device),
        attention_mask=torch.tensor(attention_mask, device=model.device),
        past_key_values=preallocated_cache(model, len(states), longest + max_new_tokens, states[0].prefix),
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=base.eos_token_ids,
        pad_token_id=pad,
        logits_processor=[GrammarLogitsProcessor(grammar, grammar_states, longest)] if grammar else None,
        stopping_criteria=StoppingCriteriaList(criteria),
        # In distributed training only rank 0 generates, so there is nothing to keep in step with.
        synced_gpus=False,
    )
    for state, output_ids in zip(states, output[:, longest:].tolist(), strict=True):
        ended = output_ids[: _length(output_ids, base.eos_token_ids, state.document_stop)]
        state.output_ids = stop_texts.up_to_first(ended) if stop_texts else ended


def _length(output_ids: Sequence[int], eos_token_ids: Sequence[int], stop: DocumentStop | None) -> int:
    """The tokens up to the end-of-sequence token or the closed document; what follows is padding."""
    again = DocumentStop(stop.text_of) if stop is not None else None
    for at, token_id in enumerate(output_ids):
        if token_id in eos_token_ids or (again is not None and again.advance(token_id)):
            return at + 1
    return len(output_ids)
