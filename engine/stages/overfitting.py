"""Asking the tuned model about rows that it was trained on, and the base beside it, within the time budget. Only the worker imports this.

Needs the adapter, the frozen parts and the base model. Writes the files under `behaviour/overfitting`.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from tuneproof.engine.arms import TUNED_ARMS, UNTUNED_ARMS, Arm
from tuneproof.engine.behaviour.memorising import FEWEST_LEFT, GIVEN_TOKENS, MOST_LEFT, CompletedAnswer, CutAnswer, LeftOut, cut_answers
from tuneproof.engine.behaviour.overfitting import FACTS, AnswerSet, OverfittingFacts
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.task import Metric, OutputKind
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Part, shuffled
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.predecessor import take_over
from tuneproof.engine.run.reporting import WorkReport, working
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import part_file
from tuneproof.engine.run.work import Unit, Work
from tuneproof.engine.scoring.predictions import Prediction, to_jsonl
from tuneproof.engine.stages.local_backend import LocalBackend
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext
from tuneproof.engine.stages.timed import OutOfTime, TimedStop

STEP = StepId(StepKind.OVERFITTING)

CHUNK = 50
"""Rows that are answered together: what is not answered whole when the time is spent does not count."""

Rows = Sequence[tuple[str, Example]]


def measure_overfitting(run: RunContext, model: ModelContext, seconds: float) -> bool:
    """Measures it in at most so many seconds, and returns whether that was done before."""
    store, inputs = run.store, _inputs(run, model)
    if store.is_done(STEP, inputs) or take_over(store, STEP, inputs):
        return True
    _Measurement(run, model, inputs, seconds).run_all()
    return False


def _inputs(run: RunContext, model: ModelContext) -> Inputs:
    """What the answers and their number depend on."""
    risk, steps = run.case.risk, run.store.manifest.steps
    weights = artifacts.trained_weights(steps[StepId(StepKind.TRAIN)].files)
    measured_by = {"task": model.task.sha256, **run.store.grading_settings, **model.scorer.outside_inputs}
    settings = {"base": model.base.sha256, **measured_by, **model.room.settings, "cases": str(risk.cases), "minutes": str(risk.minutes)}
    return run.store.inputs([part_file(Part.TRAIN), part_file(Part.EVAL), *weights], settings)


@dataclass
class _Answers:
    """The lines of one file of answers, and what they took."""

    lines: list[Prediction] | list[CompletedAnswer]
    seconds: float = 0.0


class _Measurement:
    """The rows that are asked, and the seconds that are left."""

    def __init__(self, run: RunContext, model: ModelContext, inputs: Inputs, seconds: float) -> None:
        self._run, self._model, self._inputs, self._left = run, model, inputs, seconds
        self._found: dict[AnswerSet, _Answers] = {}
        self._loaded: dict[bool, Decoder] = {}

    def run_all(self) -> None:
        """Asks the tuned model first, then the base; each kind of answers may take an equal share of the time that is left."""
        most = self._run.case.risk.cases
        train = self._drawn(Part.TRAIN)
        cut, left_out = self._cut(train)
        cut_eval, _ = self._cut(self._drawn(Part.EVAL)) if cut else ([], None)
        wanted: dict[AnswerSet, Rows | Sequence[CutAnswer]] = {
            AnswerSet.SCORED: train[:most] if self._can_score else [],
            AnswerSet.COMPLETED: cut,
            AnswerSet.COMPLETED_EVAL: cut_eval,
            AnswerSet.COMPLETED_BASE: cut,
            AnswerSet.SCORED_BASE: train[:most] if self._can_score and self._has_zero_shot else [],
        }
        wanted = {kind: rows for kind, rows in wanted.items() if rows}
        for number, kind in enumerate(wanted):
            share = max(0.0, self._left) / (len(wanted) - number)
            if kind.is_completing:
                found: _Answers = self._complete(kind, cut_eval if kind is AnswerSet.COMPLETED_EVAL else cut, share)
            else:
                found = self._score(kind, train[:most], share)
            self._found[kind] = found
            self._left -= found.seconds
        self._release()
        self._write({kind: len(rows) for kind, rows in wanted.items()}, left_out)

    @property
    def _can_score(self) -> bool:
        """Not where a judge scores: its replies cost money, and no verdict rests on train rows."""
        return self._model.task.primary_metric is not Metric.PREFERENCE

    @property
    def _has_zero_shot(self) -> bool:
        return StepId.arm(ArmName.ZERO_SHOT) in self._run.store.manifest.steps

    def _drawn(self, part: Part) -> Rows:
        """The rows of a part, each content once, in a shuffle by content; of train those that were trained on."""
        by_hash = {example.content_hash: (name, example) for name, example in self._run.store.part(part)}
        if part is Part.TRAIN:
            trained = {example.content_hash for example in self._model.rows.within_limit}
            by_hash = {key: row for key, row in by_hash.items() if key in trained}
        return [by_hash[example.content_hash] for example in shuffled((e for _, e in by_hash.values()), self._model.setting.seed)]

    def _cut(self, rows: Rows) -> tuple[list[CutAnswer], LeftOut]:
        if self._model.task.output.kind is OutputKind.TOOL_CALLS:
            # The chat template writes a call in its own way, so the text of the row is not what a model writes.
            return [], LeftOut(uncut=len(rows))
        outputs = [example.output for example in self._model.rows.within_limit]
        return cut_answers(rows, outputs, lambda output: first_tokens(self._model.base, output), self._run.case.risk.cases)

    def _score(self, kind: AnswerSet, rows: Rows, seconds: float) -> _Answers:
        """The graded answers to the first rows, as many as the seconds are enough for."""
        kinds = UNTUNED_ARMS if kind.by_base else TUNED_ARMS
        arm = kinds[ArmName.ZERO_SHOT if kind.by_base else ArmName.TUNED](self._model.setting)
        room, scorer = self._model.room.untuned if kind.by_base else self._model.room.tuned, self._model.scorer
        found: list[Prediction] = []
        taken = 0.0
        with self._working(kind, len(rows)) as report:
            for start in range(0, len(rows), CHUNK):
                try:
                    backend = self._backend(kind, arm, room, seconds - taken)
                    answers, took = scorer.answer(arm, backend, rows[start : start + CHUNK], scorer.progress(report, start))
                except OutOfTime as spent:
                    taken += spent.seconds
                    break
                found, taken = [*found, *answers], taken + took
        return _Answers(found, taken)

    def _complete(self, kind: AnswerSet, cut: Sequence[CutAnswer], seconds: float) -> _Answers:
        """What the model writes after the beginnings of the first answers."""
        base, arm = self._model.base, TUNED_ARMS[ArmName.TUNED](self._model.setting)
        prompts = [
            base.prompt(request.messages) + base.chat.answer_prefix + base.chat.literal(each.given)
            for request, each in zip(arm.requests([each.example for each in cut]), cut, strict=True)
        ]
        found: list[CompletedAnswer] = []
        taken = 0.0
        with self._working(kind, len(cut)) as report:
            for start in range(0, len(cut), CHUNK):
                asked, part = prompts[start : start + CHUNK], cut[start : start + CHUNK]
                try:
                    backend = self._backend(kind, None, MOST_LEFT, seconds - taken)
                    completions, took = backend.complete(asked, self._model.scorer.progress(report, start))
                except OutOfTime as spent:
                    taken += spent.seconds
                    break
                found += [
                    CompletedAnswer(id=each.id, given=each.given, left=each.left, output=done.text, truncated=done.truncated)
                    for each, done in zip(part, completions, strict=True)
                ]
                taken += took
        return _Answers(found, taken)

    def _working(self, kind: AnswerSet, of: int) -> AbstractContextManager[WorkReport]:
        return working(self._run.log, Work.BEHAVIOUR, kind.in_words, of=of, unit=Unit.ANSWERS)

    def _backend(self, kind: AnswerSet, arm: Arm | None, room: int, seconds: float) -> LocalBackend:
        if seconds <= 0:
            raise OutOfTime(0.0)
        weights = {} if kind.by_base else {name: self._inputs.files[name] for name in artifacts.trained_weights(self._inputs.files)}
        kept, stop = self._run.store.path / kind.kept_file, TimedStop(self._run.stop, seconds)
        return LocalBackend(self._model.base, lambda: self._decoder(by_base=kind.by_base), arm, room, stop, kept, weights)

    def _decoder(self, *, by_base: bool) -> Decoder:
        """The model that is asked; the other one is let go first."""
        if by_base not in self._loaded:
            self._release()
            self._loaded[by_base] = self._model.scorer.load(None if by_base else self._run.store.path / artifacts.TRAINED)
        return self._loaded[by_base]

    def _release(self) -> None:
        self._loaded.clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _write(self, asked: dict[AnswerSet, int], left_out: LeftOut) -> None:
        seconds = {kind: round(found.seconds, 3) for kind, found in self._found.items()}
        facts = OverfittingFacts(seed=self._model.setting.seed, asked=asked, left_out=left_out, seconds=seconds)
        files = {FACTS: facts.as_text()} | {kind.file: to_jsonl(found.lines) for kind, found in self._found.items()}
        self._run.store.write_step(STEP, self._inputs, files)
        for kind in self._found:
            (self._run.store.path / kind.kept_file).unlink(missing_ok=True)


def first_tokens(base: BaseCheckpoint, output: str) -> tuple[str, int] | None:
    """The text of the first tokens of an answer, and how many tokens it has; None if that text is not how the answer begins.

    Where a character has several tokens, a few more tokens are taken until it is whole.
    """
    ids = base.continuation_ids(base.chat.literal(output))
    for count in range(GIVEN_TOKENS, GIVEN_TOKENS + FEWEST_LEFT):
        given = str(base.tokenizer.decode(ids[:count], skip_special_tokens=False, clean_up_tokenization_spaces=False))
        if output.startswith(given) and given:
            return given, len(ids)
    return None
