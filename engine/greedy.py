"""The greedy loop: rows that have ended leave the batch at once, and those that wait take their places.

Says the same as transformers' generate, token for token, and does less between two tokens. Imports torch, so only the worker imports
this module.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import torch

from tuneproof.engine.grammar_mask import Grammar, Held
from tuneproof.engine.kv_cache import Prefix, Slots, keeps_every_token

READ_AT_ONCE = 16_384
"""Tokens of prompts that one pass reads, padding included: more are no faster, and take memory."""

REFILLED = 4
"""New rows are taken in once one in so many places is free: reading a few prompts at once costs little more than reading one."""

LEAVES_SCORES_ALONE = frozenset(
    "do_sample temperature top_k top_p min_p max_length max_new_tokens use_cache bos_token_id eos_token_id pad_token_id "
    "cache_implementation output_attentions output_hidden_states transformers_version _from_model_config".split()
)
"""Settings of a model's generation config that do not say which token is likeliest, or that we give ourselves."""


@dataclass
class Row:
    """A prompt on its way to its answer, and the beginning of it that has been read already."""

    prompt: list[int]
    room: int
    held: Held | None = None
    prefix: Prefix | None = None
    answer: list[int] = field(default_factory=list)

    @property
    def shared(self) -> int:
        """How many tokens have been read already."""
        return self.prefix.length if self.prefix else 0

    @property
    def place(self) -> int:
        """The position of the token that is read next."""
        return len(self.prompt) + len(self.answer) - 1

    @property
    def next(self) -> int:
        """The token that is read next."""
        return self.answer[-1] if self.answer else self.prompt[-1]

    @property
    def width(self) -> int:
        """Tokens of the prompt and of the longest answer."""
        return len(self.prompt) + self.room


def follows_generate(model: Any) -> bool:
    """Whether the loop is known to say what generate says: plain keys and values, masks as they are given, and no scores changed.

    Not where the model's own settings change scores, as a penalty on repetition does; and flash attention takes no masks.
    """
    plain = getattr(model, "get_base_model", lambda: model)()
    config = model.config.get_text_config()
    return (
        keeps_every_token(model)
        and getattr(plain, "_supports_attention_backend", False)
        and config._attn_implementation in ("sdpa", "eager")
        and "position_ids" in inspect.signature(plain.forward).parameters
        and model.generation_config.to_diff_dict().keys() <= LEAVES_SCORES_ALONE
    )


@dataclass
class Greedy:
    """A batch that is decoded greedily: at most `slots` rows at a time, none longer than `width` tokens with its answer."""

    model: Any
    ends: Sequence[int]
    slots: int
    width: int
    grammar: Grammar | None = None

    def __post_init__(self) -> None:
        self._cache = Slots(self.model, self.slots, self.width)
        self._columns = torch.arange(self.width, device=self.model.device)
        self._live: list[Row] = []
        self._held_by: list[Prefix | None] = [None] * self.slots
        self._eager = self.model.config.get_text_config()._attn_implementation == "eager"

    @torch.inference_mode()
    def run(self, rows: Sequence[Row], on_progress: Callable[[int], None]) -> None:
        """Writes the answers of all rows, taken in their order; `on_progress` is told how many are done whenever others begin."""
        waiting = deque(rows)
        while waiting or self._live:
            free = self.slots - len(self._live)
            if waiting and free * REFILLED >= self.slots:
                if done := len(rows) - len(waiting) - len(self._live):
                    on_progress(done)
                self._take_in([waiting.popleft() for _ in range(min(len(waiting), free))])
            self._step()
            self._let_go()
        on_progress(len(rows))

    def _take_in(self, rows: list[Row]) -> None:
        """Reads all but the last token of each prompt, which is read along with the last tokens of the other rows."""
        first = len(self._live)
        self._live += rows
        for slot, row in enumerate(rows, start=first):
            if row.prefix is not None and self._held_by[slot] is not row.prefix:
                self._cache.put(slot, row.prefix)
            self._held_by[slot] = row.prefix
        for slots in self._passes(first):
            self._read(slots)

    def _passes(self, first: int) -> Iterator[slice]:
        """The rows from the first on in as few passes as can be; what the rows of one pass share has one length."""
        for _, group in groupby(range(first, len(self._live)), key=lambda slot: self._live[slot].shared):
            slots = list(group)
            count = max(1, READ_AT_ONCE // max(len(self._live[slot].prompt) - self._live[slot].shared for slot in slots))
            yield from (slice(slots[at], slots[at : at + count][-1] + 1) for at in range(0, len(slots), count))

    def _read(self, slots: slice) -> None:
        rows = self._live[slots]
        shared, end = rows[0].shared, max(len(row.prompt) for row in rows) - 1
        if end > shared:
            # Padded behind: what is there is written over before any token looks at it.
            ids = [row.prompt[shared:-1] + [0] * (end + 1 - len(row.prompt)) for row in rows]
            places = self._columns[shared:end]
            self._cache.read(slots, end)
            self._pass(torch.tensor(ids, device=self.model.device), places.expand(len(rows), -1), places[None, None, :, None])

    def _step(self) -> None:
        """The next token of every row."""
        places = torch.tensor([row.place for row in self._live], device=self.model.device)
        ids = torch.tensor([row.next for row in self._live], device=self.model.device)
        self._cache.step(places, max(row.place for row in self._live) + 1)
        scores = self._pass(ids[:, None], places[:, None], places[:, None, None, None])
        if self.grammar is not None:
            scores = self.grammar.mask(scores.float(), [row.held for row in self._live if row.held is not None])
        for row, token in zip(self._live, scores.argmax(-1).tolist(), strict=True):
            row.answer.append(token)
            if row.held is not None:
                row.held.take(token)

    def _pass(self, ids: torch.Tensor, places: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        """One pass of the model; gives the scores after the last token of each row. Each token looks at what stands up to its `last`."""
        seen = self._columns[: self._cache.end] <= last
        if self._eager:
            seen = torch.zeros(seen.shape, dtype=self.model.dtype, device=seen.device).masked_fill(~seen, torch.finfo(self.model.dtype).min)
        out = self.model(
            input_ids=ids, position_ids=places, attention_mask=seen, past_key_values=self._cache, use_cache=True, logits_to_keep=1
        )
        scores: torch.Tensor = out.logits[:, -1]
        return scores

    def _let_go(self) -> None:
        """Takes out the rows that have ended; those that stand last move into their slots."""
        for slot in reversed(range(len(self._live))):
            row = self._live[slot]
            if row.answer[-1] not in self.ends and len(row.answer) < row.room:
                continue
            last = len(self._live) - 1
            if slot < last:
                moved = self._live[last]
                start = moved.shared if self._held_by[slot] is moved.prefix else 0
                self._cache.move(last, slot, start, moved.place)
                self._live[slot], self._held_by[slot] = moved, moved.prefix
            self._live.pop()
