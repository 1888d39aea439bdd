"""Batched greedy decoding, free or under a grammar, and scoring of labels, for the arms and the probes during training.

Imports torch, so only the worker imports this module.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import groupby
from typing import Any

import torch
from llguidance import LLTokenizer

from tuneproof.engine.data.json_document import document_end
from tuneproof.engine.data.reasoning import Thinking, opened_by
from tuneproof.engine.decoding.completion import Completion
from tuneproof.engine.decoding.continuous_batch import ContinuousBatch, DecodeState, OnFinished, matches_hf_greedy, supports_custom_mask
from tuneproof.engine.decoding.document_stop import DocumentStop
from tuneproof.engine.decoding.grammar import Grammar, after_text, grammar_tokenizer
from tuneproof.engine.decoding.greedy import GreedyLoop
from tuneproof.engine.decoding.hf_generate import generate_outputs
from tuneproof.engine.decoding.kv_cache import has_plain_kv_cache, kv_bytes_per_token, prefill_prefix
from tuneproof.engine.decoding.label_scoring import MAX_LOGITS_PER_PASS, LabelScorer, build_label_trie, score_labels_one_by_one
from tuneproof.engine.decoding.prefix_sharing import group_by_prefix
from tuneproof.engine.decoding.stopping import StopTexts
from tuneproof.engine.decoding.watch import OnPass, Watch
from tuneproof.engine.models.base_model import BaseCheckpoint

CPU_BATCH_TOKENS = 16_384
"""Tokens of a batch on a CPU, prompts and answers: larger batches are not faster there, and this keeps memory small."""

GPU_MEMORY_SHARE = 0.6
"""Share of a GPU's free memory for keys and values; the rest is for the activations of a forward pass."""

MAX_BATCH_SIZE = 256
"""Most sequences in a batch; a GPU is busy from there on."""

UNWATCHED = Watch()

NOTHING_ANSWERED: Mapping[int, Completion] = {}


@dataclass(frozen=True)
class Decoder:
    """A loaded model that decodes greedily."""

    base: BaseCheckpoint
    model: Any
    """A transformers or PEFT model, or a `SoftPromptModel`, in eval mode."""
    batch_size: int | None = None
    """Most sequences decoded at once; None for as many as memory allows."""

    def complete(
        self,
        prompts: Sequence[str],
        max_new_tokens: int,
        *,
        grammar: str | None = None,
        ends_with_document: bool = False,
        watch: Watch = UNWATCHED,
        answered: Mapping[int, Completion] = NOTHING_ANSWERED,
    ) -> tuple[list[Completion], float]:
        """The completions in the order of the prompts, and the seconds they took in total.

        Prefixes that prompts share are prefilled once. A prompt that fills the model's context is not decoded and counts as truncated.
        With `ends_with_document`, an answer is that of `generate`, cut where its JSON document closes (see `DocumentWatch`).
        With a grammar, in the format of llguidance, every completion that is not truncated satisfies it, after what the chat template
        writes before an answer. Raises CaseError if llguidance does not support the tokenizer or the grammar. A text includes the opening
        mark of reasoning that its prompt ends with, and neither the template's space before it nor the stop text that ended it.
        `answered` has the completions that are known already, by the position of their prompt: only the others are decoded.
        """
        started = time.monotonic()
        compiled = Grammar(self._grammar_tokenizer, after_text(self.base.chat.answer_prefix, grammar)) if grammar is not None else None
        # A bracket in the reasoning is not the answer's document.
        reasons = self.base.chat.thinking in (Thinking.ON, Thinking.ALWAYS)
        prompt_ids = [self.base.token_ids(prompt) for prompt in prompts]
        states = {
            at: DecodeState(
                ids,
                min(max_new_tokens, self.base.context_length - len(ids)),
                compiled.new_state() if compiled else None,
                DocumentStop(self._text_of_token) if ends_with_document and not reasons else None,
                is_answered=at in answered,
            )
            for at, ids in enumerate(prompt_ids)
            if len(ids) < self.base.context_length
        }

        def completion(at: int, state: DecodeState | None) -> Completion:
            return self._completion(opened_by(prompts[at]), len(prompt_ids[at]), state)

        answers = _Answers(prompts, states, answered, completion, watch)
        decode = self._decode_in_slots if matches_hf_greedy(self.model) else self._decode_with_generate
        decode(self._in_decoding_order(states, watch.on_pass), compiled, answers.take, watch.on_pass)
        return answers.all, time.monotonic() - started

    def choose_labels(
        self,
        prompts: Sequence[str],
        labels: Sequence[str],
        *,
        watch: Watch = UNWATCHED,
        answered: Mapping[int, Completion] = NOTHING_ANSWERED,
    ) -> tuple[list[Completion], float]:
        """For each prompt the label that is most likely as the whole answer, and the seconds that all of them took.

        The first of several equally likely labels. A prompt that leaves no space for the longest label counts as truncated. `answered` is
        as in `complete`.
        """
        started = time.monotonic()
        prompt_ids = [self.base.token_ids(prompt) for prompt in prompts]
        states = self._label_states(prompt_ids, labels, answered)

        def completion(at: int, state: DecodeState | None) -> Completion:
            if state is None:
                return Completion("", len(prompt_ids[at]), 0, truncated=True)
            label = labels[state.label_log_likelihoods.index(max(state.label_log_likelihoods))]
            output_ids = (*self._label_ids(label), self.base.eos_token_ids[0])
            return Completion(label, len(prompt_ids[at]), len(output_ids), truncated=False, output_ids=output_ids)

        answers = _Answers(prompts, states, answered, completion, watch)
        self._score_labels(states, labels, answers.take, watch.on_pass)
        return answers.all, time.monotonic() - started

    def score_labels(self, prompts: Sequence[str], labels: Sequence[str]) -> list[list[float] | None]:
        """The log-likelihood, in nats, of every label as the whole answer to each prompt.

        None for a prompt that leaves no space for the longest label in the model's context.
        """
        states = self._label_states([self.base.token_ids(prompt) for prompt in prompts], labels, NOTHING_ANSWERED)
        self._score_labels(states, labels, lambda scored: None, lambda: None)
        return [states[at].label_log_likelihoods if at in states else None for at in range(len(prompts))]

    def _label_states(
        self, prompt_ids: Sequence[list[int]], labels: Sequence[str], answered: Mapping[int, Completion]
    ) -> dict[int, DecodeState]:
        """A state for each prompt that leaves room for every label, by its position."""
        label_ids = [self._label_ids(label) for label in labels]
        nodes, longest = build_label_trie(label_ids).size, max(len(ids) for ids in label_ids) + 1
        return {
            at: DecodeState(ids, nodes, is_answered=at in answered)
            for at, ids in enumerate(prompt_ids)
            if len(ids) + longest <= self.base.context_length
        }

    def _score_labels(self, states: Mapping[int, DecodeState], labels: Sequence[str], on_finished: OnFinished, on_pass: OnPass) -> None:
        score = self._score_in_slots if supports_custom_mask(self.model) else self._score_one_by_one
        score(self._in_decoding_order(states, on_pass), [self._label_ids(label) for label in labels], on_finished, on_pass)

    def _label_ids(self, label: str) -> list[int]:
        """The token ids of a label as the whole answer, after what the chat template writes before one."""
        return self.base.continuation_ids(self.base.chat.answer_prefix + self.base.chat.literal(label))

    def _in_decoding_order(self, states_at: Mapping[int, DecodeState], on_pass: OnPass) -> list[DecodeState]:
        """Groups that share a prefix, which is prefilled here; in each group the longest first, so that peak memory comes first."""
        states = list(states_at.values())
        if not has_plain_kv_cache(self.model):
            return sorted(states, key=lambda state: -state.max_length)
        ordered = []
        for group in group_by_prefix([state.prompt_ids for state in states]):
            members = sorted((states[at] for at in group.indices), key=lambda state: -state.max_length)
            on_pass()
            prefix = prefill_prefix(self.model, members[0].prompt_ids[: group.prefix_length]) if group.prefix_length else None
            for state in members:
                state.prefix = prefix
            ordered += members
        return ordered

    def _decode_in_slots(self, states: list[DecodeState], grammar: Grammar | None, on_finished: OnFinished, on_pass: OnPass) -> None:
        """Continuous batching: waiting sequences take the slots of finished ones."""
        for wave in _waves(states):
            if not (waiting := _unanswered(wave)):
                continue
            max_length = max(state.max_length for state in wave)
            num_slots = min(len(wave), self._max_batch_size(max_length))
            # Only this name refers to the cache, so `del` frees its memory before the next one is allocated.
            loop = GreedyLoop(ContinuousBatch(self.model, num_slots, max_length), self.base.eos_token_ids, grammar, self._stops(grammar))
            loop.run(waiting, on_finished, on_pass)
            del loop

    def _decode_with_generate(self, states: list[DecodeState], grammar: Grammar | None, on_finished: OnFinished, on_pass: OnPass) -> None:
        """transformers' `generate`, one batch after the other: for models that the continuous batch does not support."""
        for batch in self._static_batches(states):
            if waiting := _unanswered(batch):
                on_pass()
                generate_outputs(self.base, self.model, waiting, grammar, self._stops(grammar), on_pass)
                on_finished(waiting)

    def _static_batches(self, states: list[DecodeState]) -> Iterator[list[DecodeState]]:
        """Sequences of similar length that share their prefix and their `max_new_tokens`."""
        for _, group in groupby(states, key=lambda state: (id(state.prefix), state.max_new_tokens)):
            waiting = list(group)
            while waiting:
                count = self._max_batch_size(waiting[0].max_length)
                yield waiting[:count]
                waiting = waiting[count:]

    def _score_in_slots(self, states: list[DecodeState], label_ids: list[list[int]], on_finished: OnFinished, on_pass: OnPass) -> None:
        """All labels in one pass."""
        trie = build_label_trie(label_ids)
        for wave in _waves(states):
            if not (waiting := _unanswered(wave)):
                continue
            max_length = max(state.max_length for state in wave)
            num_slots = min(len(wave), self._max_batch_size(max_length), MAX_LOGITS_PER_PASS // (trie.size * self._vocab_size))
            scorer = LabelScorer(ContinuousBatch(self.model, max(1, num_slots), max_length), trie, self.base.eos_token_ids)
            scorer.run(waiting, on_finished, on_pass)
            del scorer

    def _score_one_by_one(self, states: list[DecodeState], label_ids: list[list[int]], on_finished: OnFinished, on_pass: OnPass) -> None:
        """One pass a label and prompt: for models that do not support a custom mask."""
        for state in _unanswered(states):
            on_pass()
            state.label_log_likelihoods = score_labels_one_by_one(self.model, state.prompt_ids, label_ids, self.base.eos_token_ids)
            on_finished([state])

    def _max_batch_size(self, max_length: int) -> int:
        """How many sequences of `max_length` tokens are decoded at once."""
        if self.batch_size is not None:
            return self.batch_size
        device = self.model.device
        if device.type != "cuda":
            return max(1, CPU_BATCH_TOKENS // max_length)
        # Memory that torch has cached counts as used on the device, but is free for us.
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return fitting_batch_size(torch.cuda.mem_get_info(device)[0] + cached, max_length * kv_bytes_per_token(self.model))

    @cached_property
    def _text_of_token(self) -> Callable[[int], str]:
        """The text of one token, read once for each."""
        return cache(lambda token_id: self._text([token_id]))

    def _text(self, token_ids: Sequence[int]) -> str:
        text: str = self.base.tokenizer.decode(token_ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text

    @cached_property
    def _grammar_tokenizer(self) -> LLTokenizer:
        return grammar_tokenizer(self.base, self._vocab_size)

    @property
    def _vocab_size(self) -> int:
        """Logits of the model for one token; may be more than the tokenizer has tokens."""
        return int(self.model.config.get_text_config().vocab_size)

    def _stops(self, grammar: Grammar | None) -> StopTexts | None:
        """The texts that end a free answer; a grammar says itself where an answer may end."""
        return StopTexts(self.base.tokenizer, self.base.chat.stops) if self.base.chat.stops and grammar is None else None

    def _completion(self, opened: str, prompt_tokens: int, state: DecodeState | None) -> Completion:
        """The decoded text, after a mark that the prompt opened; None stands for a prompt that was not decoded."""
        if state is None:
            return Completion("", prompt_tokens, 0, truncated=True)
        ended = state.output_ids[-1] in self.base.eos_token_ids
        text_ids = state.output_ids[:-1] if ended else state.output_ids
        text, stopped = self._text(text_ids), False
        if state.document_closed:
            # The last token may have more than the bracket that closes the document.
            text = text[: document_end(text)]
        elif not ended and state.grammar_state is None:
            text, stopped = StopTexts(self.base.tokenizer, self.base.chat.stops).before_first(text)
        prefix = self.base.chat.answer_prefix
        text = opened + text.removeprefix(prefix if prefix.isspace() else "")
        finished = ended or stopped or state.document_closed
        cut_off = not finished or (state.grammar_state is not None and state.grammar_state.limit_exceeded)
        return Completion(text, prompt_tokens, len(state.output_ids), truncated=cut_off, output_ids=tuple(state.output_ids))


def fitting_batch_size(free_bytes: int, bytes_per_sequence: int) -> int:
    """How many sequences to decode at once with this much free GPU memory: at least 1, at most `MAX_BATCH_SIZE`."""
    return max(1, min(MAX_BATCH_SIZE, int(free_bytes * GPU_MEMORY_SHARE) // bytes_per_sequence))


def _waves(states: list[DecodeState]) -> Iterator[list[DecodeState]]:
    """Sequences whose slots have one size, longest first; no sequence gets a slot of more than twice its length."""
    longest = max((state.max_length for state in states), default=0)

    def halvings(state: DecodeState) -> int:
        return int(math.log2(longest / state.max_length))

    for _, wave in groupby(sorted(states, key=halvings), key=halvings):
        yield list(wave)


def _unanswered(states: Sequence[DecodeState]) -> list[DecodeState]:
    return [state for state in states if not state.is_answered]


class _Answers:
    """The answers to some prompts as they come in."""

    def __init__(
        self,
        prompts: Sequence[str],
        states: Mapping[int, DecodeState],
        answered: Mapping[int, Completion],
        completion: Callable[[int, DecodeState | None], Completion],
        watch: Watch,
    ) -> None:
        self._of, self._completion, self._watch = len(prompts), completion, watch
        self._place = {id(state): at for at, state in states.items()}
        # A prompt that is too long is answered without the model.
        too_long = {at: completion(at, None) for at in range(len(prompts)) if at not in states}
        self._found = {**too_long, **answered}
        if self._found:
            watch.on_progress(len(self._found), self._of)

    def take(self, finished: Sequence[DecodeState]) -> None:
        """Takes in sequences that have ended."""
        for state in finished:
            at = self._place[id(state)]
            self._found[at] = self._completion(at, state)
            self._watch.on_answer(at, self._found[at])
        self._watch.on_progress(len(self._found), self._of)

    @property
    def all(self) -> list[Completion]:
        """The completions in the order of the prompts, once all are there."""
        return [self._found[at] for at in range(self._of)]
