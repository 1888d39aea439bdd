"""The judge of a case: asking it about pairs of answers, and scoring an arm by its verdicts. Only the worker imports this.

Every reply is kept in the run folder as it comes, so that a run that was stopped or killed does not ask, and pay, for it again.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version

import torch

from tuneproof.engine.case.judge import Judge
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import OutputKind
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.decoding.completion import Backend, Completion
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.endpoint.client import EndpointClient
from tuneproof.engine.endpoint.server import Server, resolve_server
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base, load_weights
from tuneproof.engine.run.judge_files import KEPT, JudgeFacts
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.work import Work
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.judge_prompt import PROMPT_VERSION, Pair, pairs_against_reference, prompt_template
from tuneproof.engine.scoring.judgement import LETTERS, Judgement, without_asking
from tuneproof.engine.scoring.outside_score import OutsideScore
from tuneproof.engine.scoring.predictions import Prediction, can_be_scored, with_outside_score
from tuneproof.engine.scoring.script_scorer import Cases
from tuneproof.engine.stages.local_backend import LocalBackend
from tuneproof.engine.stages.run_context import RunContext

REPLY_TOKENS = 2048
"""Tokens that a reply of a server may take: its model may reason first. `judge.endpoint.body` overrides it."""

LABEL_TOKENS = 8
"""Tokens that a verdict of a judge on this machine may take."""


@dataclass(frozen=True)
class VerdictForm:
    """A judge on this machine gives the likeliest of the three verdicts."""

    grammar: str | None = None
    labels: Sequence[str] = LETTERS
    ends_with_document: bool = False


class JudgeScorer:
    """The judge of one run. It scores an answer by its verdict on the answer and the reference."""

    def __init__(self, run: RunContext, judge: Judge, instruction: str, passes_at: float, grader: Grader) -> None:
        self._run, self._judge, self._instruction, self._passes_at, self._grader = run, judge, instruction, passes_at, grader

    @property
    def inputs(self) -> Mapping[str, str]:
        """The digest of everything that a verdict depends on."""
        return {"judge": self.facts.sha256}

    @cached_property
    def facts(self) -> JudgeFacts:
        """Who the judge is. Raises CaseError if there is no such model or server."""
        judge, server = self._judge, self._server
        if server is not None:
            name, place, made_by = server.settings.model, server.url, [server.url, server.settings.model, server.settings.body]
        else:
            name, place, made_by = self._base.name, "this machine", [self._base.sha256]
        return JudgeFacts(
            model=name,
            place=place,
            sha256=sha256_data([made_by, judge.rubric, PROMPT_VERSION]),
            rubric=judge.rubric,
            prompt=prompt_template(judge.rubric),
            versions={name: version(name) for name in (("tuneproof",) if server is not None else ("tuneproof", "torch", "transformers"))},
        )

    def judge(self, pairs: Sequence[Pair], on_progress: Callable[[int, int], None]) -> list[Judgement]:
        """The verdict on each pair, in both orders; pairs that need no judge are not asked about.

        `on_progress` is called with how many pairs of how many are done. Raises what the server or the model raises, and Interrupted.
        """
        decided = [without_asking(p.first, p.second, first_whole=p.first_whole, second_whole=p.second_whole) for p in pairs]
        asked = [at for at, how in enumerate(decided) if how is None]
        prompts = [self._backend.prompt(chat) for at in asked for chat in pairs[at].prompts(self._judge.rubric)]
        replies: list[Completion] = []
        if prompts:
            # What a server has begun to answer is paid for.
            with self._run.stop.until_saved() if self._server is not None else nullcontext():
                replies, _ = self._backend.complete(prompts, lambda done, of: on_progress(len(pairs) - (of - done + 1) // 2, len(pairs)))
        found = {at: _judgement(*replies[2 * number : 2 * number + 2]) for number, at in enumerate(asked)}
        return [found[at] if how is None else Judgement(not_asked=how) for at, how in enumerate(decided)]

    def scored(self, predictions: Sequence[Prediction], cases: Cases, on_progress: Callable[[int, int], None]) -> list[Prediction]:
        """The predictions with the verdict on each and the reference of its case."""
        answered = [at for at, prediction in enumerate(predictions) if not prediction.unanswered]
        answers = [(predictions[at].answer, can_be_scored(predictions[at], OutputKind.TEXT)) for at in answered]
        verdicts = self.judge(pairs_against_reference(answers, [cases[at][1] for at in answered], self._instruction), on_progress)
        found = list(predictions)
        for at, verdict in zip(answered, verdicts, strict=True):
            found[at] = with_outside_score(predictions[at], OutsideScore(passes_at=self._passes_at, judgement=verdict), self._grader)
        return found

    def release(self) -> None:
        """Frees the weights of a judge on this machine; they are loaded again when it is asked the next time."""
        self.__dict__.pop("_decoder", None)
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @cached_property
    def _server(self) -> Server | None:
        return None if self._judge.endpoint is None else resolve_server(self._judge.endpoint)

    @cached_property
    def _base(self) -> BaseCheckpoint:
        assert self._judge.model is not None
        with working(self._run.log, Work.BASE):
            return load_base(ModelChoice(base=self._judge.model))

    @cached_property
    def _decoder(self) -> Decoder:
        with working(self._run.log, Work.WEIGHTS):
            return Decoder(self._base, load_weights(self._base))

    @cached_property
    def _backend(self) -> Backend:
        kept, stop = self._run.store.path / KEPT, self._run.stop
        if self._server is not None:
            return EndpointClient(self._server, REPLY_TOKENS, kept, stop)
        return LocalBackend(self._base, lambda: self._decoder, VerdictForm(), LABEL_TOKENS, stop, kept, {})


def _judgement(first: Completion, second: Completion) -> Judgement:
    both = (first, second)
    return Judgement(
        replies=(first.text, second.text),
        errors=(first.error, second.error),
        prompt_tokens=sum(each.prompt_tokens for each in both),
        reply_tokens=sum(each.completion_tokens for each in both),
        uncounted=sum(not each.usage_known for each in both),
    )
