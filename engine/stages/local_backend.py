"""The answers of a model on this machine, each kept on disk as it comes: a run that was stopped asks only for those that are missing.

Only the worker imports this.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import torch

from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.example import Message
from tuneproof.engine.decoding.completion import Completion
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.decoding.watch import Watch
from tuneproof.engine.endpoint.reply_cache import CachedReply, ReplyCache
from tuneproof.engine.models.base_model import BaseCheckpoint, best_device
from tuneproof.engine.run.stop import StopRequest

ROUND = 256
"""Prompts that a model in 16 bits answers together."""


class AnswerForm(Protocol):
    """What constrains answers: an arm says so, and so does a judge."""

    @property
    def grammar(self) -> str | None:
        """A grammar that every answer satisfies."""

    @property
    def labels(self) -> Sequence[str]:
        """The labels of which the likeliest is the answer; empty if the answer is decoded."""

    @property
    def ends_with_document(self) -> bool:
        """Whether an answer ends where its JSON document closes."""


@dataclass(frozen=True)
class LocalBackend:
    """Answers for an arm with a model on this machine; its weights are loaded when the first prompts are decoded."""

    base: BaseCheckpoint
    decoder: Callable[[], Decoder]
    arm: AnswerForm | None
    """Says what constrains the answers; None if nothing does."""
    max_new_tokens: int
    """The tokens that an answer may take."""
    stop: StopRequest
    kept: Path
    """The file that the answers are kept in, until the arm is scored and it is removed."""
    weights: Mapping[str, str]
    """The digest of each file that was trained; none for the base alone."""

    def prompt(self, messages: Sequence[Message]) -> str:
        """The exact text of a chat for the model."""
        return self.base.prompt(messages)

    def complete(self, prompts: Sequence[str], on_progress: Callable[[int, int], None]) -> tuple[list[Completion], float]:
        """The completion of each prompt, or the likeliest label if the arm has labels, and the seconds that took, also in a process before.

        Raises Interrupted, between two passes of the model, if a stop is requested.
        """
        with ReplyCache(self.kept, self.decoded_by) as cache:
            replies = {at: reply for at, prompt in enumerate(prompts) if (reply := cache.find(prompt)) is not None}
            answers = _Answers(prompts, cache, {at: reply.completion for at, reply in replies.items()}, on_progress)
            if answers.found:
                on_progress(len(answers.found), len(prompts))
            seconds = sum(reply.seconds for reply in replies.values())
            for part in self._parts(len(prompts)):
                if any(at not in answers.found for at in part):
                    seconds += self._decode(part, answers)
        return [answers.found[at] for at in range(len(prompts))], seconds

    @property
    def decoded_by(self) -> str:
        """A digest of all that an answer follows from besides its prompt: answers under another digest are not used."""
        device, dtype = best_device()
        arm = [] if self.arm is None else [self.arm.grammar, list(self.arm.labels), self.arm.ends_with_document]
        made_by = {name: version(name) for name in ("tuneproof", "torch", "transformers")}
        return sha256_data([self.base.sha256, dict(self.weights), self.max_new_tokens, arm, device.type, str(dtype), made_by])

    @property
    def _in_16_bits(self) -> bool:
        return bool(best_device()[1].itemsize < torch.float32.itemsize)

    def _parts(self, count: int) -> Iterator[range]:
        """The positions of prompts that are answered together.

        The other prompts of a batch change the last bits of a number. In 32 bits that changes no answer. In 16 bits it can change one
        whose two likeliest tokens are close, so there a round of prompts is answered whole: the same ones together, whether or not the run
        was stopped in between.
        """
        step = ROUND if self._in_16_bits else max(1, count)
        return (range(at, min(at + step, count)) for at in range(0, count, step))

    def _decode(self, part: range, answers: _Answers) -> float:
        """Decodes what is missing of a part, and returns the seconds that took."""
        prompts = [answers.prompts[at] for at in part]
        whole = self._in_16_bits
        watch = Watch(
            on_progress=lambda done, of: answers.report(done if whole else 0),
            on_answer=lambda at, completion: None if whole else answers.keep(part[at], completion),
            on_pass=self.stop.check,
        )
        known = {} if whole else {at - part.start: answers.found[at] for at in part if at in answers.found}
        decoder = self.decoder()
        answers.start_clock()
        if self.arm is not None and self.arm.labels:
            completions, seconds = decoder.choose_labels(prompts, self.arm.labels, watch=watch, answered=known)
        else:
            completions, seconds = decoder.complete(
                prompts,
                self.max_new_tokens,
                grammar=self.arm.grammar if self.arm is not None else None,
                ends_with_document=self.arm is not None and self.arm.ends_with_document,
                watch=watch,
                answered=known,
            )
        for at, completion in zip(part, completions, strict=True):
            answers.keep(at, completion)
        answers.report()
        return seconds


class _Answers:
    """The answers to some prompts, found or still missing, and the file that they are kept in."""

    def __init__(
        self, prompts: Sequence[str], cache: ReplyCache, found: dict[int, Completion], on_progress: Callable[[int, int], None]
    ) -> None:
        self.prompts, self.found = prompts, found
        self._cache, self._on_progress = cache, on_progress
        self._last = time.monotonic()

    def start_clock(self) -> None:
        """Answers take time from now on."""
        self._last = time.monotonic()

    def keep(self, at: int, completion: Completion) -> None:
        """Keeps an answer, with the seconds since the last one."""
        if at in self.found:
            return
        self.found[at], now = completion, time.monotonic()
        self._cache.add(CachedReply.of(self._cache.key(self.prompts[at]), completion, round(now - self._last, 6)))
        self._last = now

    def report(self, more: int = 0) -> None:
        """Reports how many there are, with those that are not kept yet."""
        self._on_progress(min(len(self.found) + more, len(self.prompts)), len(self.prompts))
