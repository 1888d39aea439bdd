"""transformers' continuous batching, run as tuneproof would have to run it, for `tests.bench.decoding`.

`generate_batch` ignores a `logits_processor` argument, and a processor that is added to the manager gets the rows of a batch without
knowing whose they are. A grammar needs one state a request, so `GrammarProcessor` takes the requests from an internal method.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig
from transformers.generation.continuous_batching.cb_logits_processors import ContinuousBatchingLogitsProcessor

from tuneproof.engine.decoding.grammar import Grammar, GrammarState
from tuneproof.engine.models.base_model import BaseCheckpoint

PAGE_SIZE = 32
"""Tokens of a cache page. Only full pages are shared between prompts; with the default of 256, few-shot prompts took a third longer."""

MAX_BATCH_TOKENS = 2_048
"""Tokens of a forward pass. Without this and `num_blocks`, most of the free memory is allocated first."""


class GrammarProcessor(ContinuousBatchingLogitsProcessor):
    """Masks the logits of each request with its own grammar state."""

    supported_kwargs: ClassVar[dict[str, type]] = {}
    ignored_kwargs: tuple[str, ...] = ()

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._states: dict[str, GrammarState] = {}
        self._consumed: dict[str, int] = {}
        self._rows: list[GrammarState] = []

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        """Called before each forward pass with the requests in the order of the logits."""
        self._rows = []
        for request in (future.state for future in requests_with_new_token):
            state = self._states.setdefault(request.request_id, self._grammar.new_state())
            for token_id in request.generated_tokens[self._consumed.get(request.request_id, 0) :]:
                state.advance(token_id)
            self._consumed[request.request_id] = len(request.generated_tokens)
            self._rows.append(state)
        return torch.zeros(len(self._rows), dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        """Masks `scores`, (rows, vocab_size); rows behind the requests are padding."""
        masked = self._grammar.mask_logits(scores[: len(self._rows)].float(), self._rows)
        return torch.cat([masked.to(scores.dtype), scores[len(self._rows) :]])


def continuous_batching(
    base: BaseCheckpoint, model: Any, prompts: Sequence[str], max_new_tokens: int, batch_size: int, grammar: Grammar | None = None
) -> list[tuple[int, ...]]:
    """The token ids of each answer, up to and including its end-of-sequence token."""
    prompt_ids = [base.token_ids(prompt) for prompt in prompts]
    longest = max(len(ids) for ids in prompt_ids) + max_new_tokens
    generation_config = GenerationConfig(
        do_sample=False, max_new_tokens=max_new_tokens, eos_token_id=base.eos_token_ids, pad_token_id=base.tokenizer.pad_token_id
    )
    config = ContinuousBatchingConfig(
        page_size=PAGE_SIZE,
        num_blocks=batch_size * (longest // PAGE_SIZE + 2),
        max_batch_tokens=MAX_BATCH_TOKENS,
        max_requests_per_batch=batch_size,
    )
    if grammar is None:
        results = model.generate_batch(prompt_ids, generation_config=generation_config, continuous_batching_config=config)
        outputs = {request_id: result.generated_tokens for request_id, result in results.items()}
    else:
        outputs = _with_processor(model, prompt_ids, generation_config, config, GrammarProcessor(grammar))
    return [_until_end(outputs[f"req_{at}"], base.eos_token_ids) for at in range(len(prompts))]


def _with_processor(
    model: Any, prompt_ids: list[list[int]], generation_config: Any, config: Any, processor: GrammarProcessor
) -> dict[str, list[int]]:
    """What `generate_batch` does, with a processor put into the manager's list."""
    manager = model.init_continuous_batching(generation_config, config)
    manager.logit_processor.logits_processor.append(processor)
    manager.logit_processor.tensors_required += 1
    manager.logit_processor.do_processing = True
    manager.start()
    try:
        manager.add_requests(prompt_ids, max_new_tokens=generation_config.max_new_tokens)
        outputs: dict[str, list[int]] = {}
        while len(outputs) < len(prompt_ids):
            result = manager.get_result(timeout=1)
            if result is not None and result.is_finished():
                outputs[result.request_id] = result.generated_tokens
            elif result is None and not manager.is_running():
                raise RuntimeError("the generation thread ended early")
        return outputs
    finally:
        manager.stop(block=True)


def _until_end(output_ids: list[int], eos_token_ids: Sequence[int]) -> tuple[int, ...]:
    end = next((at for at, token_id in enumerate(output_ids) if token_id in eos_token_ids), len(output_ids))
    return tuple(output_ids[: end + 1])
