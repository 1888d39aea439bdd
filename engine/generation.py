"""Batched greedy decoding, free or under a grammar, shared by the arms and the live probes.

Imports torch, so only the worker imports this module.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from llguidance import LLTokenizer

from tuneproof.engine.completion import Completion
from tuneproof.engine.grammar_mask import GrammarMask, grammar_tokenizer
from tuneproof.engine.kv_cache import Prefix, encode_prefix, keeps_every_token, new_cache
from tuneproof.engine.model import BaseModel

BATCH_TOKENS = 16_384
"""Prompt and answer tokens held at once; on a CPU larger batches are no faster, and memory stays small."""

SHARED_PREFIX_WORTH = 64
"""Shortest common beginning, in tokens, that is worth encoding once for all rows."""


@dataclass(frozen=True)
class Decoder:
    """A loaded model that decodes greedily."""

    base: BaseModel
    model: Any

    def complete(
        self,
        prompts: Sequence[str],
        room: int,
        *,
        grammar: str | None = None,
        on_progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> tuple[list[Completion], float]:
        """The completions in the order of the prompts, and the seconds they took together.

        Rows are decoded in batches of like length, longest first; a prompt that leaves no room for an answer in the model's context is
        not run and counts as truncated. Under a grammar every completion that is not truncated satisfies it.
        """
        started = time.monotonic()
        ids = [self.base.tokens(prompt) for prompt in prompts]
        fitting = [row for row, tokens in enumerate(ids) if len(tokens) < self.base.context]
        done: dict[int, Completion] = {row: Completion("", len(ids[row]), 0, truncated=True) for row in set(range(len(ids))) - set(fitting)}
        shared = _shared_prefix([ids[row] for row in fitting]) if keeps_every_token(self.model) else 0
        prefix = encode_prefix(self.model, ids[fitting[0]][:shared]) if shared else None
        shared = shared if prefix else 0
        for batch in _batches(fitting, [len(tokens) for tokens in ids], room):
            for row, completion in zip(batch, self._batch([ids[r] for r in batch], room, shared, prefix, grammar), strict=True):
                done[row] = completion
            on_progress(len(done), len(ids))
        return [done[row] for row in range(len(ids))], time.monotonic() - started

    @torch.inference_mode()
    def _batch(self, rows: list[list[int]], room: int, shared: int, prefix: Prefix | None, grammar: str | None) -> list[Completion]:
        """One batch: the shared beginning from its cache, then padding, then what differs, so that every row ends at the same place."""
        longest = max(len(row) for row in rows)
        room = min(room, self.base.context - longest)
        pad = self.base.tokenizer.pad_token_id
        padded = [row[:shared] + [pad] * (longest - len(row)) + row[shared:] for row in rows]
        mask = [[1] * shared + [0] * (longest - len(row)) + [1] * (len(row) - shared) for row in rows]
        held = GrammarMask(self._grammar_tokenizer, grammar, len(rows), longest) if grammar is not None else None
        output = self.model.generate(
            input_ids=torch.tensor(padded, device=self.model.device),
            attention_mask=torch.tensor(mask, device=self.model.device),
            past_key_values=new_cache(self.model, len(rows), longest + room, prefix),
            max_new_tokens=room,
            do_sample=False,
            eos_token_id=self.base.end_tokens,
            pad_token_id=pad,
            logits_processor=[held] if held else None,
        )
        answers = output[:, longest:].tolist()
        broken = held.broken if held else set()
        return [self._completion(len(row), answer, at in broken) for at, (row, answer) in enumerate(zip(rows, answers, strict=True))]

    @cached_property
    def _grammar_tokenizer(self) -> LLTokenizer:
        return grammar_tokenizer(self.base, self.model.config.get_text_config().vocab_size)

    def _completion(self, prompt_tokens: int, tokens: list[int], broken: bool) -> Completion:
        end = next((at for at, token in enumerate(tokens) if token in self.base.end_tokens), None)
        kept = tokens if end is None else tokens[:end]
        text = self.base.tokenizer.decode(kept, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return Completion(text, prompt_tokens, len(kept) + (end is not None), truncated=end is None or broken)


def _shared_prefix(rows: list[list[int]]) -> int:
    """How many leading tokens all rows share, or 0 where it is not worth a cache; every row keeps at least one token of its own."""
    if len(rows) < 2:
        return 0
    low, high = min(rows), max(rows)
    shared = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    shared = min(shared, min(map(len, rows)) - 1)
    return shared if shared >= SHARED_PREFIX_WORTH else 0


def _batches(rows: list[int], lengths: list[int], room: int) -> Iterator[list[int]]:
    """Rows of like length together, longest first, so that memory is known at once."""
    batch: list[int] = []
    for row in sorted(rows, key=lambda r: (-lengths[r], r)):
        widest = lengths[batch[0]] if batch else lengths[row]
        if batch and (len(batch) + 1) * (widest + room) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
