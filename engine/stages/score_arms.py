"""Running arms on the frozen cases: choosing a prompt variant on validation, decoding, scoring, storing. Only the worker imports this."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch

from tuneproof.engine.arms import Arm, ArmContext
from tuneproof.engine.arms.optimised_prompt import OptimisedPrompt
from tuneproof.engine.case.arm_names import with_repair
from tuneproof.engine.case.task import Task
from tuneproof.engine.core.disk_space import require_room
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Part, shuffled
from tuneproof.engine.decoding.completion import Backend
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.endpoint.client import EndpointClient
from tuneproof.engine.models.base_model import BaseCheckpoint, load_weights
from tuneproof.engine.models.chat_format import refused_at
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import ArmScored
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.predecessor import take_over
from tuneproof.engine.run.reporting import WorkReport, working
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import RunStore, part_file
from tuneproof.engine.run.work import Unit, Work
from tuneproof.engine.scoring.measure import Measure
from tuneproof.engine.scoring.predictions import (
    Prediction,
    failure_log,
    grade_output,
    prediction_bytes,
    prompts_digest,
    read_predictions,
    repair_predictions,
    to_jsonl,
    unanswered_prediction,
)
from tuneproof.engine.scoring.repair import Repair
from tuneproof.engine.scoring.scores import Scores, score_predictions
from tuneproof.engine.scoring.script_scorer import OutsideScorer
from tuneproof.engine.scoring.variant_selection import VariantPrediction, best_variant, score_variants
from tuneproof.engine.stages.local_backend import LocalBackend
from tuneproof.engine.stages.search_summary import search_summary

TRIED_ON = 32
"""Validation cases that choose between the prompt variants of an arm: each variant answers them all, so they are few."""

Cases = Sequence[tuple[str, Example]]


@dataclass(frozen=True)
class AnswerRoom:
    """The tokens that an answer may take, of an untuned arm and of a tuned one (`arms/token_lengths.py` says why they differ)."""

    untuned: int
    tuned: int
    wanted: int | None = None
    """The number that the case names for all arms; None if it names none."""

    @property
    def settings(self) -> dict[str, str]:
        """What an answer depends on besides rows, base and task: room that the case names. Other room follows from the rows."""
        return {} if self.wanted is None else {"max_new_tokens": str(self.wanted)}


@dataclass(frozen=True)
class Selection:
    """The prompt of an arm as it was chosen before the frozen cases."""

    arm: Arm
    variant: str | None = None
    """The name of the variant that was chosen; None for an arm with one prompt."""
    tried: Sequence[VariantPrediction] = ()
    search: artifacts.SearchFacts | None = None
    """How the prompt was searched, where it was."""


@dataclass
class ArmScorer:
    """Runs and scores the arms of one run; an arm that was scored from the same inputs is not run again."""

    store: RunStore
    log: EventLog
    stop: StopRequest
    task: Task
    base: BaseCheckpoint
    setting: ArmContext
    room: AnswerRoom
    repair: Repair
    measure: Measure
    outside: OutsideScorer | None = None
    """Scores answers in a metric that no grader can compute; None for other metrics."""

    def score(self, make: Callable[[ArmContext], Arm], adapter: Path | None = None) -> bool:
        """Runs and scores one arm, and returns whether that was done before. A tuned arm is given the folder of its adapter."""
        arm = make(replace(self.setting, chosen=self._chosen_variants()))
        inputs = self._inputs(arm, adapter)
        step = StepId.arm(arm.name)
        done = self.store.is_done(step, inputs) or take_over(self.store, step, inputs)
        if not done:
            self._run(arm, adapter, inputs)
        self._log_scores(arm.name, reused=done)
        if adapter is None:
            self._repair(arm.name)
        return done

    def _repair(self, arm: str) -> None:
        """Scores the answers of an arm after repair, under a name of its own; not if there is nothing to repair."""
        given, row = self._predictions(arm), with_repair(arm)
        repaired = repair_predictions(given, self.repair, self.setting.grader)
        if repaired == given:
            return
        step = StepId(StepKind.REPAIRED_SCORES, arm)
        inputs = self.store.inputs([artifacts.predictions_file(arm), part_file(Part.TRAIN)])
        done = self.store.is_done(step, inputs)
        if not done:
            changed = [at for at, each in enumerate(repaired) if each.repaired is not None]
            cases = dict(self.store.part(Part.EVAL))
            asked = [repaired[at] for at in changed]
            for at, each in zip(changed, self._scored_outside(row, asked, [(each.id, cases[each.id]) for each in asked]), strict=True):
                repaired[at] = each
            seconds = Scores.model_validate_json(self.store.read(artifacts.scores_file(arm))).seconds
            scores = score_predictions(row, repaired, self.task.metrics, self.setting.grader, seconds)
            files = {
                artifacts.predictions_file(row): to_jsonl(repaired),
                artifacts.scores_file(row): scores.model_dump_json(indent=1) + "\n",
            }
            self.store.write_step(step, inputs, files, {"prompts": prompts_digest(repaired)})
        self._log_scores(row, reused=done)

    def _chosen_variants(self) -> dict[str, str]:
        facts = [
            artifacts.ArmFacts.model_validate_json(self.store.read(artifacts.arm_file(arm)))
            for arm in self.store.manifest.names(StepKind.ARM)
        ]
        return {each.arm: each.variant for each in facts if each.variant is not None}

    @property
    def outside_inputs(self) -> Mapping[str, str]:
        """Digests of what a score that no grader can compute depends on besides the task."""
        return {} if self.outside is None else self.outside.inputs

    def release(self) -> None:
        """Frees the weights in memory for a training; an arm that is scored later loads them again."""
        self.__dict__.pop("_untuned", None)
        if self.outside is not None:
            self.outside.release()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def write_failures(self) -> None:
        """Writes the failure log of all arms so far, from their predictions."""
        arms = self.store.manifest.names(StepKind.ARM)
        if not arms:
            return
        inputs = self.store.inputs(map(artifacts.predictions_file, arms))
        rows = [row for arm in arms for row in failure_log(arm, self._predictions(arm))]
        self.store.write_step(StepId(StepKind.FAILURES), inputs, {artifacts.FAILURES: to_jsonl(rows)})

    def _inputs(self, arm: Arm, adapter: Path | None) -> Inputs:
        parts = [Part.EVAL, Part.TRAIN, *([Part.VALIDATION] if arm.variants() else [])]
        weights = artifacts.trained_weights(self.store.manifest.steps[StepId(StepKind.TRAIN)].files) if adapter else []
        measured_by = {"task": self.task.sha256, **self.store.grading_settings, **self.outside_inputs}
        settings = {"base": self.base.sha256, **measured_by, **self.room.settings, **arm.inputs}
        return self.store.inputs([*map(part_file, parts), *weights], settings)

    def _run(self, arm: Arm, adapter: Path | None, inputs: Inputs) -> None:
        self.store.check_there()
        cases, probing = self.store.part(Part.EVAL), self._variant_cases()
        choice = self._choose(arm, adapter, probing)
        selected, tried = choice.arm, score_variants(choice.tried, self.measure)
        backend = self._backend(selected, adapter)
        with working(self.log, Work.ANSWERING, arm.name, of=len(cases), unit=Unit.ANSWERS) as report:
            predictions, seconds = self.answer(selected, backend, cases, self.progress(report))
        with working(self.log, Work.SCORING, arm.name):
            scores = score_predictions(arm.name, predictions, self.task.metrics, self.setting.grader, round(seconds, 3))
        about = artifacts.ArmFacts(
            arm=arm.name,
            summary=_summary(choice, tried),
            max_new_tokens=self._max_new_tokens(adapter),
            ends_with_document=selected.ends_with_document and not selected.is_external,
            variant=choice.variant,
            tried=tried,
        )
        files = {
            artifacts.predictions_file(arm.name): to_jsonl(predictions),
            artifacts.scores_file(arm.name): scores.model_dump_json(indent=1) + "\n",
            artifacts.arm_file(arm.name): about.as_text(),
            artifacts.prompt_file(arm.name): backend.prompt(selected.template()),
        }
        if tried:
            files[artifacts.tried_file(arm.name)] = to_jsonl(choice.tried)
        if choice.search is not None:
            files[artifacts.search_file(arm.name)] = choice.search.as_text()
        if selected.grammar is not None:
            files[artifacts.grammar_file(arm.name)] = selected.grammar + "\n"
        self.store.write_step(StepId.arm(arm.name), inputs, files, {"prompts": prompts_digest(predictions)})
        (self.store.path / artifacts.kept_file(arm.name)).unlink(missing_ok=True)

    def _choose(self, arm: Arm, adapter: Path | None, probing: Cases) -> Selection:
        if isinstance(arm, OptimisedPrompt) and probing:
            return self._search(arm, probing)
        return self._try_variants(arm, adapter, probing)

    def _try_variants(self, arm: Arm, adapter: Path | None, probing: Cases) -> Selection:
        """The variant of an arm that answers the validation cases best; the arm itself if it has one prompt."""
        variants = arm.variants()
        if not variants:
            return Selection(arm)
        tried: list[VariantPrediction] = []
        with working(self.log, Work.CHOOSING_PROMPT, arm.name, of=len(variants) * len(probing), unit=Unit.ANSWERS) as report:
            for name, variant in variants.items():
                on_progress = self.progress(report, len(tried))
                predictions, _ = self.answer(variant, self._backend(variant, adapter), probing, on_progress)
                tried += [VariantPrediction(variant=name, **prediction.model_dump()) for prediction in predictions]
        chosen = best_variant(score_variants(tried, self.measure))
        return Selection(arm if chosen is None else variants[chosen], chosen, tried)

    def _search(self, arm: OptimisedPrompt, probing: Cases) -> Selection:
        """The prompt that a search on train and validation found. Imports gepa."""
        of = self.setting.prompt_search.metric_calls
        with working(self.log, Work.CHOOSING_PROMPT, arm.name, of=of, unit=Unit.ANSWERS) as report:
            return self._searched(arm, probing, report)

    def _searched(self, arm: OptimisedPrompt, probing: Cases, report: WorkReport) -> Selection:
        from tuneproof.engine.stages.prompt_search import PROPOSAL_TOKENS, SERVER_PROPOSAL_TOKENS, PromptSearch

        file = self.store.path / artifacts.kept_file(arm.name)

        def answer(tried: OptimisedPrompt, cases: Cases, before: int) -> tuple[list[Prediction], float]:
            return self.answer(tried, self._local(tried, self.room.untuned, file), cases, self.progress(report, before))

        server = arm.proposer
        proposer: Backend = (
            self._local(None, PROPOSAL_TOKENS + self.base.reasoning_tokens, file)
            if server is None
            else EndpointClient(server, SERVER_PROPOSAL_TOKENS, file, self.stop)
        )
        found = PromptSearch(
            arm=arm,
            measure=self.measure,
            train=self._shuffled(Part.TRAIN),
            validation=probing,
            answer=answer,
            proposer=proposer,
            proposer_name="the base itself" if server is None else f"{server.settings.model} at {server.url}",
            stop=self.stop,
        ).run()
        return Selection(found.arm, found.variant, found.tried, found.facts)

    def answer(self, arm: Arm, backend: Backend, cases: Cases, on_progress: Callable[[int, int], None]) -> tuple[list[Prediction], float]:
        """The prediction for each case with the prompts of the arm, in the order of the cases, and the seconds that decoding took.

        Raises DiskFull, before anything is decoded, if the disk has no room for them.
        """
        requests = arm.requests([case for _, case in cases])
        prompts = []
        for (_, case), request in zip(cases, requests, strict=True):
            with refused_at(f"{case.source}, asked by {arm.name}"):
                prompts.append(backend.prompt(request.messages))
        expected = [prediction_bytes(prompt, case.output) for prompt, (_, case) in zip(prompts, cases, strict=True)]
        require_room(self.store.path, sum(expected), f"the predictions of {arm.name}")
        # What a server has begun to answer is paid for.
        with self.stop.until_saved() if arm.server is not None else nullcontext():
            completions, seconds = backend.complete(prompts, on_progress)
        predictions = [
            unanswered_prediction(name, prompt, case.output, completion.error, completion.error_detail, completion.attempts)
            if completion.error
            else grade_output(
                name,
                prompt,
                completion.text,
                case.output,
                self.setting.grader,
                truncated=completion.truncated,
                prompt_tokens=completion.prompt_tokens,
                output_tokens=completion.completion_tokens,
                shown=request.shown,
                needed=request.needed,
                left_out=request.left_out,
                usage_known=completion.usage_known,
                attempts=completion.attempts,
            )
            for (name, case), request, prompt, completion in zip(cases, requests, prompts, completions, strict=True)
        ]
        return self._scored_outside(arm.name, predictions, cases), seconds

    def _scored_outside(self, about: str, predictions: list[Prediction], cases: Cases) -> list[Prediction]:
        """The predictions with the scores that no grader can compute, if the metric of the case is such a one."""
        if self.outside is None:
            return predictions
        with working(self.log, Work.SCORING, about, of=len(predictions), unit=Unit.ANSWERS) as report:
            return self.outside.scored(predictions, cases, self.progress(report))

    def _variant_cases(self) -> Cases:
        """The validation cases that choose a prompt variant: the first in a shuffle by content."""
        return self._shuffled(Part.VALIDATION)[:TRIED_ON]

    def _shuffled(self, part: Part) -> Cases:
        """The rows of a part, each content once, in a shuffle by content."""
        by_hash = {example.content_hash: (name, example) for name, example in self.store.part(part)}
        return [by_hash[e.content_hash] for e in shuffled((e for _, e in by_hash.values()), self.setting.seed)]

    def _backend(self, arm: Arm, adapter: Path | None) -> Backend:
        """What answers the arm; weights are loaded only if the arm is decoded on this machine."""
        if arm.server is not None:
            return EndpointClient(arm.server, self.room.untuned, self.store.path / artifacts.kept_file(arm.name), self.stop)
        file = self.store.path / artifacts.kept_file(arm.name)
        return self._local(arm, self._max_new_tokens(adapter), file, adapter)

    def _local(self, arm: Arm | None, room: int, file: Path, adapter: Path | None = None) -> LocalBackend:
        weights = artifacts.trained_weights(self.store.manifest.steps[StepId(StepKind.TRAIN)].files) if adapter else []
        digests = {name: self.store.digest(name) for name in weights}
        return LocalBackend(self.base, lambda: self._decoder(adapter), arm, room, self.stop, file, digests)

    def _max_new_tokens(self, adapter: Path | None) -> int:
        return self.room.untuned if adapter is None else self.room.tuned

    def _decoder(self, adapter: Path | None) -> Decoder:
        return self._untuned if adapter is None else self.load(adapter)

    @cached_property
    def _untuned(self) -> Decoder:
        return self.load()

    def load(self, trained: Path | None = None) -> Decoder:
        """A decoder with the weights of the base, or those of a folder that was trained."""
        with working(self.log, Work.WEIGHTS):
            return Decoder(self.base, load_weights(self.base, trained))

    def progress(self, report: WorkReport, before: int = 0) -> Callable[[int, int], None]:
        """What a backend calls as answers come in: reports them, and raises Interrupted if a stop is requested."""

        def take(done: int, _: int) -> None:
            report.advance(before + done)
            self.stop.check()

        return take

    def _log_scores(self, arm: str, *, reused: bool) -> None:
        scores = Scores.model_validate_json(self.store.read(artifacts.scores_file(arm)))
        score = self.measure.score_beside_correct(scores)
        self.log.emit(
            ArmScored(
                arm=arm,
                n=scores.n,
                format_valid=scores.format_valid,
                correct=scores.correct,
                tokens_per_case=scores.tokens_per_case,
                seconds_per_case=scores.seconds_per_case,
                unanswered=sum(scores.unanswered.values()),
                reused=reused,
                metric=None if score is None else self.measure.metric,
                score=score,
            ),
            sync=True,
        )

    def _predictions(self, arm: str) -> list[Prediction]:
        return read_predictions(self.store.read(artifacts.predictions_file(arm)))


def _summary(choice: Selection, tried: Sequence[artifacts.VariantScore]) -> str:
    """How the prompt was chosen before the frozen cases, in a sentence for the card."""
    if choice.variant is None:
        return choice.arm.summary
    by_name = {each.variant: each for each in tried}
    way = by_name[choice.variant]
    if choice.search is not None:
        return search_summary(choice.arm.summary, way, by_name[choice.search.start], choice.search)
    if len(tried) == 1:
        return f"{choice.arm.summary}, with {way.correct} of {way.cases} validation cases correct"
    return f"{choice.arm.summary}, the best of {len(tried)} prompt variants on {way.cases} validation cases ({way.correct} correct)"
