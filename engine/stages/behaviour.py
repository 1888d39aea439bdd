"""Asking base and tuned model the prompts of each axis, within the time budget of the case. Only the worker imports this.

The base is asked first, all axes; where it is at its floor, the tuned model need not be asked. Each axis may take an equal share of the
time that is left for its model. Answers are kept as they come, and a resumed run asks only for those that are missing.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch

from tuneproof.engine.behaviour.axis_case import (
    AskedModel,
    AxisAnswer,
    AxisCase,
    AxisFacts,
    TunedNotAsked,
    answers_file,
    cases_file,
    facts_file,
    kept_answers_file,
    rows_text,
)
from tuneproof.engine.behaviour.axis_result import FEWEST, shows_something
from tuneproof.engine.behaviour.prompt_sets import MAX_NEW_TOKENS, VERSION, prompt_set, prompts_sha256
from tuneproof.engine.behaviour.trained_form import TrainedForm
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.data.example import Message
from tuneproof.engine.decoding.completion import Completion
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.predecessor import take_over
from tuneproof.engine.run.reporting import WorkReport, working
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.work import Unit, Work
from tuneproof.engine.stages.local_backend import LocalBackend
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext
from tuneproof.engine.stages.timed import OutOfTime, TimedStop

CHUNK = 50
"""Prompts that are answered together first: what is not answered whole when the time is spent does not count."""

RESERVE = 2.0
"""How many times longer than the first ones the other prompts may take for each, where they are answered all at once."""


PROMPTS = "prompts"
"""The input of a step that is the digest of the prompts."""


def measure_behaviour(run: RunContext, model: ModelContext, seconds: float) -> bool:
    """Measures the axes that the case asks for in at most so many seconds, and returns whether all of them were measured before."""
    wanted = {axis: _inputs(run, model, axis) for axis in Axis if run.case.risk.measures(axis)}
    store = run.store
    missing = {
        axis: inputs
        for axis, inputs in wanted.items()
        if not store.is_done(_step(axis), inputs) and not take_over(store, _step(axis), inputs)
    }
    if missing:
        taken = _seconds_taken(run, [each for each in wanted if each not in missing])
        _Measurement(run, model, missing, seconds - taken).run_all()
    return not missing


def _step(axis: Axis) -> StepId:
    return StepId(StepKind.BEHAVIOUR, axis)


def _inputs(run: RunContext, model: ModelContext, axis: Axis) -> Inputs:
    """What the answers of an axis and their number depend on."""
    risk, steps = run.case.risk, run.store.manifest.steps
    measured = steps.get(_step(axis))
    settings = {
        "base": model.base.sha256,
        # A run that an earlier version measured keeps the prompts that it asked.
        PROMPTS: prompts_sha256(axis) if measured is None else measured.inputs.settings.get(PROMPTS, ""),
        "cases": str(risk.cases),
        "margin": str(risk.margin),
        "minutes": str(risk.minutes),
        "task": model.task.sha256,
    }
    return run.store.inputs(artifacts.trained_weights(steps[StepId(StepKind.TRAIN)].files), settings)


def _seconds_taken(run: RunContext, done: Sequence[Axis]) -> float:
    """What the axes that were measured before have taken of the budget."""
    facts = [AxisFacts.model_validate_json(run.store.read(facts_file(axis))) for axis in done]
    return sum(sum(each.seconds.values()) for each in facts)


@dataclass
class _Answers:
    """What one model has answered of an axis."""

    rows: list[AxisAnswer] = field(default_factory=list)
    seconds: float = 0.0


class _Measurement:
    """The axes that are not measured yet, and the seconds that are left for them."""

    def __init__(self, run: RunContext, model: ModelContext, inputs: Mapping[Axis, Inputs], seconds: float) -> None:
        self._run, self._model, self._inputs, self._left = run, model, inputs, seconds
        self._cases = {axis: prompt_set(axis)[: run.case.risk.cases] for axis in inputs}
        self._found: dict[tuple[Axis, AskedModel], _Answers] = {}

    def run_all(self) -> None:
        """Asks the base about every axis, then the tuned model where that can show something."""
        axes = list(self._inputs)
        self._ask_all(axes, AskedModel.BASE, self._left / 2)
        reasons = {axis: self._why_not_asked(axis) for axis in axes}
        asked = [axis for axis in axes if reasons[axis] is None]
        for axis in axes:
            if axis not in asked:
                self._write(axis, reasons[axis])
        self._ask_all(asked, AskedModel.TUNED, self._left)
        for axis in asked:
            enough = len(self._found[axis, AskedModel.TUNED].rows) >= self._fewest(axis)
            self._write(axis, None if enough else TunedNotAsked.TIME)

    def _fewest(self, axis: Axis) -> int:
        return min(FEWEST, len(self._cases[axis]))

    def _why_not_asked(self, axis: Axis) -> TunedNotAsked | None:
        answers = self._found[axis, AskedModel.BASE].rows
        if len(answers) < self._fewest(axis):
            return TunedNotAsked.TIME
        cases, margin = self._cases[axis][: len(answers)], self._run.case.risk.margin
        return None if shows_something(axis, cases, answers, self._form, margin) else TunedNotAsked.FLOOR

    @cached_property
    def _form(self) -> TrainedForm | None:
        return TrainedForm.of(self._model.task, self._model.setting.grader)

    def _ask_all(self, axes: Sequence[Axis], who: AskedModel, seconds: float) -> None:
        """Asks one model about some axes, each of which may take an equal share of what is left of the seconds."""
        folder = None if who is AskedModel.BASE else self._run.store.path / artifacts.TRAINED
        loaded: list[Decoder] = []

        def decoder() -> Decoder:
            if not loaded:
                loaded.append(self._model.scorer.load(folder))
            return loaded[0]

        for number, axis in enumerate(axes):
            answers = self._ask(axis, who, decoder, max(0.0, seconds) / (len(axes) - number))
            self._found[axis, who] = answers
            seconds -= answers.seconds
            self._left -= answers.seconds
        loaded.clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _ask(self, axis: Axis, who: AskedModel, decoder: Callable[[], Decoder], seconds: float) -> _Answers:
        """The answers to the first prompts of an axis, as many as the seconds are enough for, and no more than the base has answered."""
        base = self._model.base
        cases = self._cases[axis] if who is AskedModel.BASE else self._cases[axis][: len(self._found[axis, AskedModel.BASE].rows)]
        prompts = [base.prompt([Message("user", case.prompt)]) for case in cases]
        found = _Answers()
        with working(self._run.log, Work.BEHAVIOUR, f"{axis}, {who}", of=len(cases), unit=Unit.ANSWERS) as report:
            while (start := len(found.rows)) < len(cases):
                part = range(start, start + _next_part(start, len(cases) - start, found.seconds, seconds))
                try:
                    completions, taken = self._complete(
                        axis, who, decoder, [prompts[at] for at in part], seconds - found.seconds, report, start
                    )
                except OutOfTime as spent:
                    found.seconds += spent.seconds
                    break
                found.seconds += taken
                found.rows += [_answer(cases[at], prompts[at], each) for at, each in zip(part, completions, strict=True)]
        return found

    def _complete(
        self,
        axis: Axis,
        who: AskedModel,
        decoder: Callable[[], Decoder],
        prompts: Sequence[str],
        seconds: float,
        report: WorkReport,
        before: int,
    ) -> tuple[list[Completion], float]:
        if seconds <= 0:
            raise OutOfTime(0.0)
        run, base = self._run, self._model.base
        room, kept = MAX_NEW_TOKENS[axis] + base.reasoning_tokens, run.store.path / kept_answers_file(axis, who)
        weights = self._inputs[axis].files if who is AskedModel.TUNED else {}
        backend = LocalBackend(base, decoder, None, room, TimedStop(run.stop, seconds), kept, weights)
        return backend.complete(prompts, self._model.scorer.progress(report, before))

    def _write(self, axis: Axis, reason: TunedNotAsked | None) -> None:
        store, found = self._run.store, {who: self._found[axis, who] for who in AskedModel if (axis, who) in self._found}
        facts = AxisFacts(
            axis=axis,
            version=VERSION,
            sha256=prompts_sha256(axis),
            cases=len(self._cases[axis]),
            max_new_tokens=MAX_NEW_TOKENS[axis],
            seconds={who.value: round(answers.seconds, 3) for who, answers in found.items()},
            tuned_not_asked=reason,
        )
        files = {facts_file(axis): facts.as_text(), cases_file(axis): rows_text(self._cases[axis])}
        files |= {answers_file(axis, who): rows_text(answers.rows) for who, answers in found.items()}
        store.write_step(_step(axis), self._inputs[axis], files)
        for who in AskedModel:
            (store.path / kept_answers_file(axis, who)).unlink(missing_ok=True)


def _next_part(done: int, left: int, taken: float, seconds: float) -> int:
    """How many prompts to answer together now: all that are left once there is time enough for them, which is faster than in parts."""
    is_enough = done > 0 and taken + RESERVE * left * taken / done <= seconds
    return left if is_enough else min(CHUNK, left)


def _answer(case: AxisCase, prompt: str, completion: Completion) -> AxisAnswer:
    return AxisAnswer(
        id=case.id,
        prompt=prompt,
        output=completion.text,
        truncated=completion.truncated,
        prompt_tokens=completion.prompt_tokens,
        output_tokens=completion.completion_tokens,
    )
