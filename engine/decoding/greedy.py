"""The greedy loop: rows that have ended leave the batch at once, and those that wait take their places.

Says the same as transformers' generate, token for token, and does less between two tokens. Imports torch, so only the worker imports
this module.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from tuneproof.engine.decoding.continuous_batch import DecodeState, SlotBatch
from tuneproof.engine.decoding.grammar import Grammar

REFILLED = 4
"""New rows are taken in once one in so many places is free: reading a few prompts at once costs little more than reading one."""


@dataclass(frozen=True)
class Greedy:
    """Writes the likeliest token, row by row, until one that ends an answer; under a grammar the likeliest that it allows."""

    batch: SlotBatch
    ends: Sequence[int]
    grammar: Grammar | None = None

    @torch.inference_mode()
    def run(self, rows: Sequence[DecodeState], on_progress: Callable[[int], None]) -> None:
        """Writes the answers of all rows, taken in their order; `on_progress` is told how many are done whenever others begin."""
        waiting, live = deque(rows), self.batch.live
        while waiting or live:
            free = self.batch.free
            if waiting and free * REFILLED >= self.batch.cache.slots:
                if done := len(rows) - len(waiting) - len(live):
                    on_progress(done)
                self.batch.take_in([waiting.popleft() for _ in range(min(len(waiting), free))])
            self._step()
            for slot in reversed(range(len(live))):
                if live[slot].answer[-1] in self.ends or len(live[slot].answer) >= live[slot].room:
                    self.batch.leave(slot)
        on_progress(len(rows))

    def _step(self) -> None:
        """The next token of every row."""
        live, cache, columns = self.batch.live, self.batch.cache, self.batch.columns
        places = torch.tensor([[row.place] for row in live], device=columns.device)
        ids = torch.tensor([[row.next] for row in live], device=columns.device)
        cache.step(places, max(row.place for row in live) + 1)
        scores = self.batch.look(ids, places, columns[: cache.end] <= places[:, None, :, None])[:, -1]
        if self.grammar is not None:
            scores = self.grammar.mask(scores.float(), [row.held for row in live if row.held is not None])
        for row, token in zip(live, scores.argmax(-1).tolist(), strict=True):
            row.answer.append(token)
            if row.held is not None:
                row.held.take(token)
