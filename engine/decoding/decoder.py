"""Batched greedy decoding, free or under a grammar, shared by the arms and the live probes.

Imports torch, so only the worker imports this module.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import torch
from llguidance import LLTokenizer

from tuneproof.engine.decoding.completion import Completion
from tuneproof.engine.decoding.continuous_batch import DecodeState, SlotBatch, matches_hf_greedy, supports_custom_mask
from tuneproof.engine.decoding.grammar import Grammar, GrammarLogitsProcessor, grammar_tokenizer
from tuneproof.engine.decoding.greedy import Greedy
from tuneproof.engine.decoding.kv_cache import encode_prefix, has_plain_kv_cache, kv_bytes_per_token, new_cache
from tuneproof.engine.decoding.label_scoring import SCORES_AT_ONCE, LabelScorer, LabelTree, label_tree, scores_one_by_one
from tuneproof.engine.decoding.prefix_sharing import group_by_prefix
from tuneproof.engine.models.base_model import BaseCheckpoint

CPU_TOKENS = 16_384
"""Prompt and answer tokens held at once on a CPU, where larger batches are no faster, and memory stays small."""

GPU_SHARE = 0.6
"""Of the GPU's free memory, what keys and values may take; the rest is for what a pass of the model needs besides."""

MOST_ROWS = 256
"""Rows decoded at once at most: from there on a GPU is busy."""


@dataclass(frozen=True)
class Decoder:
    """A loaded model that decodes greedily, at most `rows` prompts at a time; as many as memory holds where that is not given."""

    base: BaseCheckpoint
    model: Any
    rows: int | None = None

    def complete(
        self,
        prompts: Sequence[str],
        room: int,
        *,
        grammar: str | None = None,
        on_progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> tuple[list[Completion], float]:
        """The completions in the order of the prompts, and the seconds they took together.

        What prompts begin with in common is read once. A prompt that leaves no room for an answer in the model's context is not run and
        counts as truncated. Under a grammar every completion that is not truncated satisfies it.
        """
        started = time.monotonic()
        held_to = Grammar(self._grammar_tokenizer, grammar) if grammar is not None else None
        ids = [self.base.token_ids(prompt) for prompt in prompts]
        rows = {
            at: DecodeState(tokens, min(room, self.base.context_length - len(tokens)), held_to.hold() if held_to else None)
            for at, tokens in enumerate(ids)
            if len(tokens) < self.base.context_length
        }
        decode = self._in_turn if matches_hf_greedy(self.model) else self._by_generate
        decode(self._in_order(list(rows.values())), held_to, lambda done: on_progress(len(ids) - len(rows) + done, len(ids)))
        return [self._completion(len(tokens), rows.get(at)) for at, tokens in enumerate(ids)], time.monotonic() - started

    def choose_labels(
        self, prompts: Sequence[str], labels: Sequence[str], *, on_progress: Callable[[int, int], None] = lambda done, of: None
    ) -> tuple[list[Completion], float]:
        """For each prompt the label that the model holds likeliest to be the whole answer, and the seconds it took for all.

        The first of labels that are equally likely. A prompt that leaves no room for the longest label is not run and counts as truncated.
        """
        started = time.monotonic()
        written = [self.base.token_ids(label) for label in labels]
        tree, room = label_tree(written), max(len(label) for label in written) + 1
        ids = [self.base.token_ids(prompt) for prompt in prompts]
        rows = {at: DecodeState(tokens, tree.size) for at, tokens in enumerate(ids) if len(tokens) + room <= self.base.context_length}

        def tell(done: int) -> None:
            on_progress(len(ids) - len(rows) + done, len(ids))

        self._score(self._in_order(list(rows.values())), tree, written, tell)
        return [self._chosen(len(tokens), rows.get(at), labels, written) for at, tokens in enumerate(ids)], time.monotonic() - started

    def _score(self, rows: list[DecodeState], tree: LabelTree, labels: list[list[int]], on_progress: Callable[[int], None]) -> None:
        """How likely each label is after each prompt: in one pass where the model takes masks."""
        done = 0
        for wave in _waves(rows):
            if supports_custom_mask(self.model):
                width = max(row.width for row in wave)
                at_once = min(len(wave), self._at_once(width), SCORES_AT_ONCE // (tree.size * self._vocabulary))
                scorer = LabelScorer(SlotBatch(self.model, max(1, at_once), width), tree, self.base.eos_token_ids)
                scorer.run(wave, lambda now, before=done: on_progress(before + now))
                del scorer
            else:
                for number, row in enumerate(wave, start=done + 1):
                    row.likely = scores_one_by_one(self.model, row.prompt, labels, self.base.eos_token_ids)
                    on_progress(number)
            done += len(wave)

    def _chosen(self, prompt_tokens: int, row: DecodeState | None, labels: Sequence[str], written: list[list[int]]) -> Completion:
        if row is None:
            return Completion("", prompt_tokens, 0, truncated=True)
        best = row.likely.index(max(row.likely))
        answer = (*written[best], self.base.eos_token_ids[0])
        return Completion(labels[best], prompt_tokens, len(answer), truncated=False, ids=answer)

    def _in_order(self, rows: list[DecodeState]) -> list[DecodeState]:
        """The rows in sets that share a beginning, which is read here, and in each the longest first, so that memory is known at once."""
        if not has_plain_kv_cache(self.model):
            return sorted(rows, key=lambda row: -row.width)
        ordered = []
        for sharing in group_by_prefix([row.prompt for row in rows]):
            members = sorted((rows[at] for at in sharing.prompts), key=lambda row: -row.width)
            prefix = encode_prefix(self.model, members[0].prompt[: sharing.length]) if sharing.length else None
            for row in members:
                row.prefix = prefix
            ordered += members
        return ordered

    def _in_turn(self, rows: list[DecodeState], grammar: Grammar | None, on_progress: Callable[[int], None]) -> None:
        """Rows that wait take the places of those that have ended."""
        done = 0
        for wave in _waves(rows):
            width = max(row.width for row in wave)
            slots = min(len(wave), self._at_once(width))
            # Held by nothing else, so that its memory is free for the next.
            loop = Greedy(SlotBatch(self.model, slots, width), self.base.eos_token_ids, grammar)
            loop.run(wave, lambda now, before=done: on_progress(before + now))
            del loop
            done += len(wave)

    def _by_generate(self, rows: list[DecodeState], grammar: Grammar | None, on_progress: Callable[[int], None]) -> None:
        """For the models that the loop is not made for: batches by transformers' generate, each until its last row has ended."""
        done = 0
        for batch in self._batches(rows):
            self._generate(batch, grammar)
            done += len(batch)
            on_progress(done)

    def _batches(self, rows: list[DecodeState]) -> Iterator[list[DecodeState]]:
        """Rows of like length that share a beginning and have the same room for an answer."""
        for _, group in groupby(rows, key=lambda row: (id(row.prefix), row.room)):
            waiting = list(group)
            while waiting:
                count = self._at_once(waiting[0].width)
                yield waiting[:count]
                waiting = waiting[count:]

    @torch.inference_mode()
    def _generate(self, rows: list[DecodeState], grammar: Grammar | None) -> None:
        """One batch: the shared beginning from its cache, then padding, then what differs, so that every row ends at the same place."""
        shared, longest = rows[0].shared, max(len(row.prompt) for row in rows)
        room, pad = rows[0].room, self.base.tokenizer.pad_token_id
        padded = [row.prompt[:shared] + [pad] * (longest - len(row.prompt)) + row.prompt[shared:] for row in rows]
        mask = [[1] * shared + [0] * (longest - len(row.prompt)) + [1] * (len(row.prompt) - shared) for row in rows]
        held = [row.held for row in rows if row.held is not None]
        output = self.model.generate(
            input_ids=torch.tensor(padded, device=self.model.device),
            attention_mask=torch.tensor(mask, device=self.model.device),
            past_key_values=new_cache(self.model, len(rows), longest + room, rows[0].prefix),
            max_new_tokens=room,
            do_sample=False,
            eos_token_id=self.base.eos_token_ids,
            pad_token_id=pad,
            logits_processor=[GrammarLogitsProcessor(grammar, held, longest)] if grammar else None,
            # Whoever trains beside others answers alone.
            synced_gpus=False,
        )
        for row, answer in zip(rows, output[:, longest:].tolist(), strict=True):
            end = next((at for at, token in enumerate(answer) if token in self.base.eos_token_ids), len(answer))
            row.answer = answer[: end + 1]

    def _at_once(self, width: int) -> int:
        """How many rows of so many tokens are decoded at a time."""
        if self.rows is not None:
            return self.rows
        if self.model.device.type != "cuda":
            return max(1, CPU_TOKENS // width)
        device = self.model.device
        # What torch keeps for later counts as taken on the device, and is free to us.
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return rows_that_fit(torch.cuda.mem_get_info(device)[0] + kept, width * kv_bytes_per_token(self.model))

    @cached_property
    def _grammar_tokenizer(self) -> LLTokenizer:
        return grammar_tokenizer(self.base, self._vocabulary)

    @property
    def _vocabulary(self) -> int:
        """How many scores the model gives for a token."""
        return int(self.model.config.get_text_config().vocab_size)

    def _completion(self, prompt_tokens: int, row: DecodeState | None) -> Completion:
        if row is None:
            return Completion("", prompt_tokens, 0, truncated=True)
        ended = row.answer[-1] in self.base.eos_token_ids
        kept = row.answer[:-1] if ended else row.answer
        text = self.base.tokenizer.decode(kept, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        broken = row.held is not None and row.held.broken
        return Completion(text, prompt_tokens, len(row.answer), truncated=not ended or broken, ids=tuple(row.answer))


def rows_that_fit(free: int, bytes_a_row: int) -> int:
    """How many rows to decode at once in so many bytes of a GPU's memory."""
    return max(1, min(MOST_ROWS, int(free * GPU_SHARE) // bytes_a_row))


def _waves(rows: list[DecodeState]) -> Iterator[list[DecodeState]]:
    """Rows that get slots of one size, the longest first: no row gets more than twice the memory that it needs."""
    widest = max((row.width for row in rows), default=0)

    def halvings(row: DecodeState) -> int:
        return int(math.log2(widest / row.width))

    for _, wave in groupby(sorted(rows, key=halvings), key=halvings):
        yield list(wave)
