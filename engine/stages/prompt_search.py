"""The search for a better prompt with GEPA: a model rewrites the instruction from its mistakes, and validation cases say what is better.

Examples are searched by drawing other train rows. Eval rows are not given to this module. Imports gepa, which is an extra.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from random import Random
from typing import Any

from gepa.api import optimize
from gepa.core.adapter import EvaluationBatch, GEPAAdapter
from gepa.core.result import GEPAResult
from gepa.core.state import GEPAState
from gepa.strategies.instruction_proposal import InstructionProposalSignature

from tuneproof.engine.arms.few_shot import SHOT_COUNTS
from tuneproof.engine.arms.optimised_prompt import LIBRARY, Examples, OptimisedPrompt, PromptCandidate
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Example, Message
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.decoding.completion import Backend
from tuneproof.engine.run.artifacts import SearchFacts, TriedPrompt
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.scoring.measure import Measure
from tuneproof.engine.scoring.metric_sums import score_of
from tuneproof.engine.scoring.predictions import Prediction
from tuneproof.engine.scoring.variant_selection import VariantPrediction, best_variant, score_variants

PROPOSAL_TOKENS = 1024
"""Tokens that a proposed instruction may take, besides the reasoning of the base."""

SERVER_PROPOSAL_TOKENS = 4096
"""The same for a server, whose model may reason first; `endpoint.body` overrides it."""

ROWS_PER_PROPOSAL = 3
"""Train rows whose answers a proposal is made from, as in the paper."""

UNABLE_AFTER = 3
"""Unusable proposals in a row after which the proposer is not asked again: it cannot write an instruction."""

SHOWN_CHARACTERS = 2000
"""Characters of an input or an answer that the proposer is shown."""

INSTRUCTION, EXAMPLES = "instruction", "examples"
"""The parts of a prompt that are searched."""

Case = tuple[str, Example]
Candidate = dict[str, str]

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What a search found: the best prompt, every answer to the validation cases, and how it was found."""

    arm: OptimisedPrompt
    variant: str
    tried: list[VariantPrediction]
    facts: SearchFacts


@dataclass
class PromptSearch(GEPAAdapter[Case, Prediction, Prediction]):
    """One search. It sees train and validation rows, and nothing else."""

    arm: OptimisedPrompt
    measure: Measure
    train: Sequence[Case]
    validation: Sequence[Case]
    answer: Callable[[OptimisedPrompt, Sequence[Case], int], tuple[list[Prediction], float]]
    """The answers of an arm to cases, and the seconds they took; also given the number of answers that came before."""
    proposer: Backend
    proposer_name: str
    stop: StopRequest
    metric_calls: int = 0
    seconds: float = 0.0
    tokens: int = 0
    tokens_untold: int = 0
    proposals: int = 0
    unusable: int = 0
    unusable_in_a_row: int = 0
    failure: Exception | None = None
    """What ended the search early: GEPA takes an exception of a proposer as a proposal that failed."""
    _answers: dict[tuple[PromptCandidate, str], Prediction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        limits = self.arm.context.prompt_search
        self._allowed, self._seed = limits.metric_calls, limits.seed
        self._random = Random(limits.seed)
        starts = self.arm.starts()
        # At most half of the answers are for the prompts that the search begins with.
        self._cases = list(self.validation)[: max(1, self._allowed // (2 * len(starts)))]
        self._rows = list(self.train)[: self._allowed]
        self._has_examples = len(self.arm.pool.rows) >= SHOT_COUNTS[0]

    def run(self) -> Found:
        """Searches until the metric calls are used up. Raises what the decoder, the server or a request to stop raises."""
        self.arm.pool.near([case for _, case in [*self._cases, *self._rows]])
        prompts = {name: arm.candidate for name, arm in self._starts().items()}
        for candidate in prompts.values():
            self._predictions(candidate, self._cases)
        start = self._best(prompts)
        parents: dict[str, str] = {}
        if self._rows:
            result: GEPAResult[Prediction, int] = optimize(
                seed_candidate=self._text(prompts[start]),
                trainset=self._rows,
                valset=self._cases,
                adapter=self,
                reflection_minibatch_size=min(ROWS_PER_PROPOSAL, len(self._rows)),
                stop_callbacks=_Stopper(self, self.metric_calls),
                logger=_Log(),
                track_best_outputs=False,
                seed=self._seed,
            )
            if self.failure is not None:
                raise self.failure
            names = [start, *(f"proposal {number}" for number in range(1, len(result.candidates)))]
            for name, text, earlier in list(zip(names, result.candidates, result.parents, strict=True))[1:]:
                prompts[name] = self._candidate(text)
                parents[name] = names[earlier[0] or 0]
        chosen = self._best(prompts)
        return Found(self.arm.with_candidate(prompts[chosen]), chosen, self._tried(prompts), self._facts(start, prompts, parents))

    def evaluate(self, batch: list[Case], candidate: Candidate, capture_traces: bool = False) -> EvaluationBatch[Prediction, Prediction]:
        """Scores a prompt on rows, in the metric that decides or, where that is no mean over rows, by the share of correct answers."""
        predictions = self._predictions(self._candidate(candidate), batch)
        return EvaluationBatch(outputs=predictions, scores=[self._score(each) for each in predictions], trajectories=predictions)

    def make_reflective_dataset(
        self, candidate: Candidate, eval_batch: EvaluationBatch[Prediction, Prediction], components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """What the proposer is shown of each row: the input, the answer, and what is wrong with it."""
        cases = dict(self._rows)
        shown = [_shown(cases[each.id], each) for each in eval_batch.outputs]
        return dict.fromkeys(components_to_update, shown)

    def propose_new_texts(
        self, candidate: Candidate, reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]], components_to_update: list[str]
    ) -> Candidate:
        """Another text for each part; none for an instruction that the proposer cannot give."""
        found: Candidate = {}
        for component in components_to_update:
            if component == EXAMPLES:
                found[EXAMPLES] = str(Examples.parse(candidate[EXAMPLES]).other(len(self.arm.pool.rows), self._random))
            elif self.unusable_in_a_row < UNABLE_AFTER:
                text = self._proposed(candidate[INSTRUCTION], reflective_dataset[component])
                found |= {INSTRUCTION: text} if text else {}
        return found

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing is left to try: the proposer cannot write an instruction, and there are no examples to draw."""
        return self.failure is not None or (self.unusable_in_a_row >= UNABLE_AFTER and not self._has_examples)

    @property
    def calls_of_a_round(self) -> int:
        """The most metric calls that one proposal can take: its rows before and after, and the validation cases."""
        return 2 * min(ROWS_PER_PROPOSAL, len(self._rows)) + len(self._cases)

    @property
    def allowed(self) -> int:
        """The most metric calls of the search."""
        return self._allowed

    def _proposed(self, instruction: str, rows: Sequence[Mapping[str, Any]]) -> str | None:
        """A new instruction; None for one that is of no use."""
        asked = InstructionProposalSignature.prompt_renderer(
            {"current_instruction_doc": instruction, "dataset_with_feedback": rows, "prompt_template": None}
        )
        self.proposals += 1
        text = None
        try:
            prompt = self.proposer.prompt([Message("user", str(asked))])
            (completion,), seconds = self.proposer.complete([prompt], lambda done, of: self.stop.check())
        except CaseError as error:
            # A first request that is rejected names a wrong model or address; a later one is too long or refused for its content.
            if self.proposals == self.unusable + 1:
                self.failure = error
            LOG.info("a request for an instruction was rejected: %s", error)
        except Exception as error:
            self.failure = error
        else:
            self.seconds += seconds
            self.tokens += completion.prompt_tokens + completion.completion_tokens
            self.tokens_untold += not completion.usage_known
            if not completion.truncated and not completion.error:
                text = InstructionProposalSignature.output_extractor(answer_of(completion.text).strip())["new_instruction"]
        usable = text if text and text != instruction else None
        self.unusable_in_a_row = 0 if usable else self.unusable_in_a_row + 1
        self.unusable += usable is None
        return usable

    def _predictions(self, candidate: PromptCandidate, cases: Sequence[Case]) -> list[Prediction]:
        """The answers of a prompt to cases, each asked for once."""
        new = [case for name, case in {name: (name, case) for name, case in cases}.items() if (candidate, name) not in self._answers]
        if new:
            predictions, seconds = self.answer(self.arm.with_candidate(candidate), new, self.metric_calls)
            self._answers |= {(candidate, each.id): each for each in predictions}
            self.metric_calls += len(new)
            self.seconds += seconds
            self.tokens += sum(each.tokens for each in predictions)
        return [self._answers[candidate, name] for name, _ in cases]

    def _score(self, prediction: Prediction) -> float:
        metric = self.measure.metric
        if self.measure.counts_correct_answers:
            return float(prediction.correct)
        return score_of(metric, prediction, self.measure.grader)

    def _starts(self) -> dict[str, OptimisedPrompt]:
        return {f"start {number}": start for number, start in enumerate(self.arm.starts(), 1)}

    def _tried(self, prompts: Mapping[str, PromptCandidate]) -> list[VariantPrediction]:
        return [
            VariantPrediction(variant=name, **self._answers[candidate, case].model_dump())
            for name, candidate in prompts.items()
            for case, _ in self._cases
        ]

    def _best(self, prompts: Mapping[str, PromptCandidate]) -> str:
        best = best_variant(score_variants(self._tried(prompts), self.measure))
        assert best is not None, "a search has at least one prompt and one validation case"
        return best

    def _text(self, candidate: PromptCandidate) -> Candidate:
        examples = {EXAMPLES: str(candidate.examples)} if self._has_examples else {}
        return {INSTRUCTION: candidate.instruction, **examples}

    def _candidate(self, text: Candidate) -> PromptCandidate:
        return PromptCandidate(text[INSTRUCTION], Examples.parse(text[EXAMPLES]) if EXAMPLES in text else Examples())

    def _facts(self, start: str, prompts: Mapping[str, PromptCandidate], parents: Mapping[str, str]) -> SearchFacts:
        return SearchFacts(
            library=LIBRARY,
            version=version(LIBRARY),
            proposer=self.proposer_name,
            seed=self._seed,
            allowed_metric_calls=self._allowed,
            metric_calls=self.metric_calls,
            proposals=self.proposals,
            unusable_proposals=self.unusable,
            tokens=self.tokens,
            tokens_untold=self.tokens_untold,
            seconds=round(self.seconds, 3),
            start=start,
            prompts=[
                TriedPrompt(variant=name, instruction=each.instruction, examples=str(each.examples), parent=parents.get(name))
                for name, each in prompts.items()
            ],
        )


@dataclass
class _Stopper:
    """Ends a search before a round that could take more metric calls than are left, counting as GEPA counts, so that every search ends."""

    search: PromptSearch
    before: int
    """Metric calls for the prompts that the search began with, whose answers GEPA counts once more."""

    def __call__(self, gepa_state: GEPAState[Any, Any]) -> bool:
        used = self.before + gepa_state.total_num_evals - len(gepa_state.prog_candidate_val_subscores[0])
        return self.search.is_exhausted or used + self.search.calls_of_a_round > self.search.allowed


class _Log:
    """GEPA's own words, which are no part of the worker's log unless it is verbose: they have whole prompts in them."""

    def log(self, message: str) -> None:
        LOG.debug("%s", message)


def _shown(case: Example, prediction: Prediction) -> dict[str, str]:
    if prediction.correct:
        feedback = "The answer is right."
    else:
        why = f"{prediction.failure_class}" + (f": {', '.join(prediction.fields)}" if prediction.fields else "")
        feedback = f"The answer is wrong ({why}). The right answer is:\n{_shortened(prediction.expected)}"
    before, after = ([f"{turn.role}: {turn.text}" for turn in turns] for turns in (case.history, case.turns_after_input))
    return {
        "Inputs": _shortened("\n".join([*before, case.input, *after])),
        "Generated Outputs": _shortened(prediction.output),
        "Feedback": feedback,
    }


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} …"
