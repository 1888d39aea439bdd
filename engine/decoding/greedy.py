"""Greedy decoding with continuous batching: a finished sequence leaves at once, and a waiting one takes its slot.

Gives the same tokens as transformers' `generate(do_sample=False)` (generation/utils.py, `_sample`) with less work between two tokens.
Imports torch, so only the worker imports this module.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tuneproof.engine.decoding.continuous_batch import ContinuousBatch, DecodeState, OnFinished
from tuneproof.engine.decoding.grammar import Grammar
from tuneproof.engine.decoding.stopping import StopTexts
from tuneproof.engine.decoding.watch import OnPass

REFILL_AT = 4
"""Waiting sequences are admitted when one slot in this many is free: a prefill of a few prompts costs little more than one of a single."""


@dataclass(frozen=True)
class GreedyLoop:
    """Appends the most likely token to each sequence, of those that its grammar allows, until it ends."""

    batch: ContinuousBatch
    eos_token_ids: Sequence[int]
    grammar: Grammar | None = None
    """If given, every sequence has a `grammar_state` of this grammar."""
    stops: StopTexts | None = None

    @torch.inference_mode()
    def run(self, states: Sequence[DecodeState], on_finished: OnFinished, on_pass: OnPass) -> None:
        """Fills `output_ids` of all sequences, started in the given order.

        `on_finished` is called with the sequences that have ended, as they end; `on_pass` between two passes of the model.
        """
        waiting, active = deque(states), self.batch.active
        while waiting or active:
            free = self.batch.free_slots
            if waiting and free * REFILL_AT >= self.batch.cache.num_slots:
                self.batch.admit([waiting.popleft() for _ in range(min(len(waiting), free))], on_pass)
            on_pass()
            self._decode_step()
            finished = [slot for slot in reversed(range(len(active))) if self._is_finished(active[slot])]
            ended = [active[slot] for slot in finished]
            for slot in finished:
                self.batch.evict(slot)
            if ended:
                on_finished(ended)

    def _is_finished(self, state: DecodeState) -> bool:
        if state.document_closed or state.output_ids[-1] in self.eos_token_ids or len(state.output_ids) >= state.max_new_tokens:
            return True
        return self.stops is not None and self.stops.reached(state.output_ids)

    def _decode_step(self) -> None:
        """Appends one token to every active sequence."""
        active, cache, columns = self.batch.active, self.batch.cache, self.batch.columns
        input_ids = torch.tensor([[state.next_input_id] for state in active], device=columns.device)
        position_ids = torch.tensor([[state.position] for state in active], device=columns.device)
        cache.prepare_decode(position_ids, max(state.position for state in active) + 1)
        causal = columns[: cache.kv_length] <= position_ids[:, None, :, None]
        logits = self.batch.forward(input_ids, position_ids, causal)[:, -1]
        if self.grammar is not None:
            grammar_states = [state.grammar_state for state in active if state.grammar_state is not None]
            logits = self.grammar.mask_logits(logits.float(), grammar_states)
        for state, token_id in zip(active, logits.argmax(-1).tolist(), strict=True):
            state.output_ids.append(token_id)
            if state.grammar_state is not None:
                state.grammar_state.advance(token_id)
            if state.document_stop is not None:
                state.document_stop.advance(token_id)
