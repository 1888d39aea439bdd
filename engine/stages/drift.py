"""The answers of base and tuned model to general requests, and how likely each model finds them. Only the worker imports this.

The requests are those of the axis `instructions`, and so are the answers, where that axis was measured. Needs the adapter and the base
model. Writes the files under `behaviour/drift`.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import torch

from tuneproof.engine.behaviour.axis_case import AskedModel, AxisAnswer, AxisCase, answers_file, read_answers, rows_text
from tuneproof.engine.behaviour.drift import ANSWERS, FACTS, FOLDER, DriftFacts, StyleAnswer, StylePair
from tuneproof.engine.behaviour.prompt_sets import MAX_NEW_TOKENS, VERSION, prompt_set, prompts_sha256
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.data.example import Message
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.predecessor import take_over
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.work import Unit, Work
from tuneproof.engine.stages.local_backend import LocalBackend
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext
from tuneproof.engine.stages.timed import OutOfTime, TimedStop
from tuneproof.engine.training.answer_loss import answer_losses, answer_tokens, encoded_answer
from tuneproof.engine.training.tokenize import EncodedRow

STEP = StepId(StepKind.DRIFT)

CHUNK = 50
"""Requests that are answered together: what is not answered whole when the time is spent does not count."""


def measure_drift(run: RunContext, model: ModelContext, seconds: float) -> bool:
    """Measures drift in at most so many seconds, and returns whether that was done before."""
    store, inputs = run.store, _inputs(run, model)
    if store.is_done(STEP, inputs) or take_over(store, STEP, inputs):
        return True
    _Measurement(run, model, inputs, seconds).run_all()
    return False


def _inputs(run: RunContext, model: ModelContext) -> Inputs:
    """What the answers and their number depend on."""
    risk, train = run.case.risk, run.store.manifest.steps[StepId(StepKind.TRAIN)].files
    settings = {
        "base": model.base.sha256,
        "prompts": prompts_sha256(Axis.INSTRUCTIONS),
        "cases": str(risk.cases),
        "minutes": str(risk.minutes),
        "task": model.task.sha256,
    }
    return run.store.inputs(artifacts.trained_weights(train), settings)


@dataclass(frozen=True)
class _Encoded:
    """The answers of both models to one request, as token ids."""

    case: AxisCase
    answers: dict[AskedModel, AxisAnswer]
    rows: dict[AskedModel, EncodedRow]


class _Measurement:
    """The requests, and the end of the time for them."""

    def __init__(self, run: RunContext, model: ModelContext, inputs: Inputs, seconds: float) -> None:
        self._run, self._model, self._inputs = run, model, inputs
        self._cases = prompt_set(Axis.INSTRUCTIONS)[: run.case.risk.cases]
        self._seconds, self._taken = seconds, 0.0
        self._loaded: dict[AskedModel, Decoder] = {}

    def run_all(self) -> None:
        """Collects the answers of both models, then what they cost each of them; one model is loaded at a time."""
        answers = {AskedModel.BASE: self._answers(AskedModel.BASE, 0.3), AskedModel.TUNED: self._answers(AskedModel.TUNED, 0.5)}
        count = min(map(len, answers.values()))
        encoded = [each for at in range(count) if (each := self._encoded(at, answers)) is not None]
        nats: dict[AskedModel, list[tuple[float, float]]] = {}
        # The tuned model is still loaded, if it was asked.
        for who, share in ((AskedModel.TUNED, 0.5), (AskedModel.BASE, 1.0)):
            nats[who] = self._nats(who, encoded, share)
        self._release()
        pairs = [
            StylePair(
                id=each.case.id,
                prompt=each.answers[AskedModel.BASE].prompt,
                base=_style(each, AskedModel.BASE, by_base[0], by_tuned[0]),
                tuned=_style(each, AskedModel.TUNED, by_base[1], by_tuned[1]),
            )
            for each, by_base, by_tuned in zip(encoded, nats[AskedModel.BASE], nats[AskedModel.TUNED], strict=False)
        ]
        facts = DriftFacts(
            version=VERSION,
            sha256=prompts_sha256(Axis.INSTRUCTIONS),
            cases=len(self._cases),
            max_new_tokens=MAX_NEW_TOKENS[Axis.INSTRUCTIONS],
            seconds=round(self._taken, 3),
        )
        self._run.store.write_step(STEP, self._inputs, {FACTS: facts.as_text(), ANSWERS: rows_text(pairs)})
        for who in AskedModel:
            (self._run.store.path / _kept(who)).unlink(missing_ok=True)

    def _answers(self, who: AskedModel, share: float) -> list[AxisAnswer]:
        """The answers of a model, as they were given for the axis `instructions`, or in that share of the time."""
        store, name = self._run.store, answers_file(Axis.INSTRUCTIONS, who)
        record = store.manifest.steps.get(StepId(StepKind.BEHAVIOUR, Axis.INSTRUCTIONS))
        if record is not None and name in record.files:
            return read_answers(store.read(name))
        base, found = self._model.base, list[AxisAnswer]()
        prompts = [base.prompt([Message("user", case.prompt)]) for case in self._cases]
        seconds, taken = share * (self._seconds - self._taken), 0.0
        with working(self._run.log, Work.BEHAVIOUR, f"style, {who}", of=len(prompts), unit=Unit.ANSWERS) as report:
            for start in range(0, len(prompts), CHUNK):
                asked = prompts[start : start + CHUNK]
                try:
                    completions, took = self._backend(who, seconds - taken).complete(asked, self._model.scorer.progress(report, start))
                except OutOfTime as spent:
                    taken += spent.seconds
                    break
                found += [
                    AxisAnswer(
                        id=case.id,
                        prompt=prompt,
                        output=done.text,
                        truncated=done.truncated,
                        prompt_tokens=done.prompt_tokens,
                        output_tokens=done.completion_tokens,
                    )
                    for case, prompt, done in zip(self._cases[start : start + CHUNK], asked, completions, strict=True)
                ]
                taken += took
        self._taken += taken
        return found

    def _backend(self, who: AskedModel, seconds: float) -> LocalBackend:
        if seconds <= 0:
            raise OutOfTime(0.0)
        base, weights = self._model.base, self._inputs.files if who is AskedModel.TUNED else {}
        room, kept = MAX_NEW_TOKENS[Axis.INSTRUCTIONS] + base.reasoning_tokens, self._run.store.path / _kept(who)
        return LocalBackend(base, lambda: self._decoder(who), None, room, TimedStop(self._run.stop, seconds), kept, weights)

    def _encoded(self, at: int, answers: dict[AskedModel, list[AxisAnswer]]) -> _Encoded | None:
        """None where an answer has no token, as one that had no room."""
        both = {who: answers[who][at] for who in AskedModel}
        rows = {who: encoded_answer(self._model.base, one.prompt, one.output, ended=not one.truncated) for who, one in both.items()}
        found = {who: row for who, row in rows.items() if row is not None}
        return _Encoded(self._cases[at], both, found) if len(found) == len(both) else None

    def _nats(self, who: AskedModel, encoded: Sequence[_Encoded], share: float) -> list[tuple[float, float]]:
        """What the answers of base and tuned model cost this model, for the first requests."""
        found: list[tuple[float, float]] = []
        if not encoded:
            return found
        decoder = self._decoder(who)
        began, stop = time.monotonic(), TimedStop(self._run.stop, share * (self._seconds - self._taken))
        with (
            working(self._run.log, Work.BEHAVIOUR, f"likelihoods, {who}", of=len(encoded), unit=Unit.ANSWERS) as report,
            suppress(OutOfTime),
        ):
            for start in range(0, len(encoded), CHUNK):
                part = encoded[start : start + CHUNK]
                rows = [each.rows[answered] for answered in AskedModel for each in part]
                costs = answer_losses(self._model.base, decoder.model, rows, stop.check)
                found += list(zip(costs[: len(part)], costs[len(part) :], strict=True))
                report.advance(len(found))
        self._taken += time.monotonic() - began
        return found

    def _decoder(self, who: AskedModel) -> Decoder:
        """The model that is asked; the other one is let go first."""
        if who not in self._loaded:
            self._release()
            self._loaded[who] = self._model.scorer.load(None if who is AskedModel.BASE else self._run.store.path / artifacts.TRAINED)
        return self._loaded[who]

    def _release(self) -> None:
        self._loaded.clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _style(each: _Encoded, who: AskedModel, base_nats: float, tuned_nats: float) -> StyleAnswer:
    answer = each.answers[who]
    return StyleAnswer(
        output=answer.output,
        truncated=answer.truncated,
        tokens=answer_tokens(each.rows[who]),
        base_nats=round(base_nats, 4),
        tuned_nats=round(tuned_nats, 4),
    )


def _kept(who: AskedModel) -> str:
    return f"{FOLDER}/kept_{who}.jsonl"
