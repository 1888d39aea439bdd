"""Makes the trace of one row: its tokens, what the models expect, where attention went, and how its answers were scored. Imports torch."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

from tuneproof.engine.arms import TUNED_ARMS, UNTUNED_ARMS, ArmContext
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.core.errors import GateClosed, UsageError
from tuneproof.engine.core.hardware import block_import
from tuneproof.engine.data.split import Part
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.models.base_model import QUANTISATION_FILE, BaseCheckpoint, load_base, load_weights
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.grading_rules import CURRENT_RULES
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.trace.answers import answer_room, decoded_now, stored_answers
from tuneproof.engine.trace.attention import attention_of
from tuneproof.engine.trace.find_row import Place, TraceSource
from tuneproof.engine.trace.likeliest import likeliest_tokens
from tuneproof.engine.trace.report import (
    AnswerPosition,
    Attention,
    ContextUse,
    NextTokens,
    TracedAnswer,
    TracedRow,
    TraceReport,
    TraceRequest,
)
from tuneproof.engine.trace.row_faults import changed_template, faults_of
from tuneproof.engine.trace.tokens import traced_tokens
from tuneproof.engine.training.tokenize import EncodedRow, encode_row

MOST_EXPLAINED = 400
"""Tokens of an answer whose attention is computed; further ones are asked for one at a time."""


def build_trace(request: TraceRequest) -> TraceReport:
    """The trace of a row. Raises UsageError, CaseError or DataRefused for what was asked, GateClosed if the base of the run changed."""
    return _Tracing(request).report()


class _Tracing:
    def __init__(self, request: TraceRequest) -> None:
        self.request, self.source = request, TraceSource(request)
        self.place: Place = self.source.find()
        self.store, self.task, self.example = self.source.store, self.source.task, self.place.example
        self.adapter = _adapter(self.store)
        if self.adapter is None or not (self.adapter / QUANTISATION_FILE).is_file():
            # PEFT imports it wherever it is installed, which takes seconds.
            block_import("bitsandbytes")
        outputs = [example.output for example in self.source.train]
        self.base: BaseCheckpoint = load_base(self.source.model).thinking_as_in([*outputs, self.example.output])
        rules = self.store.grading_rules if self.store is not None else CURRENT_RULES
        self.grader = make_grader(self.task, outputs, rules)
        self.setting = ArmContext(
            self.task.instruction or "", self.grader, self.source.train, lambda _: True, seed=0, output=self.task.output
        )
        self.tuned_arm = TUNED_ARMS[ArmName.TUNED](self.setting)
        self.row: EncodedRow = encode_row(self.base, self.tuned_arm, self.example)
        self.prompt_tokens = self.row.prompt_length
        self.context = self._context()

    def report(self) -> TraceReport:
        """The whole trace; models are loaded only for a row that fits into the context."""
        faults = faults_of(self.base, self.example, self.row, self.context)
        if self.store is not None:
            faults += changed_template(self.store, self.base, self.setting)
        tokens, place = traced_tokens(self.base, self.row), self.place
        self._check_token(len(tokens))
        prompt = self.base.prompt(self.tuned_arm.messages(self.example))
        positions, attention, answers = self._asked()
        return TraceReport(
            row=TracedRow(
                number=place.number,
                case_id=place.case_id,
                part=place.part,
                place=str(self.example.source),
                request="\n".join(part for part in (self.example.instruction, self.example.input) if part),
                system=self.example.system,
                history=[f"{turn.role}: {turn.text}" for turn in (*self.example.history, *self.example.turns_after_input)],
                expected=self.example.output,
            ),
            base=self.base.name,
            tuned=str(self.store.path) if self.store is not None and self.adapter is not None else None,
            own_template=self.base.chat.own,
            prompt=prompt,
            answer="".join(token.text for token in tokens[self.prompt_tokens :]),
            tokens=tokens,
            context=self.context,
            positions=positions,
            attention=attention,
            answers=answers,
            faults=faults,
        )

    def _context(self) -> ContextUse:
        plan = make_plan(self.source.case.method, self.source.case.training)
        window = self.base.context_length - (plan.virtual_tokens or 0)
        limit = min(plan.max_length or window, window)
        answer = len(self.row.input_ids) - self.prompt_tokens
        return ContextUse(
            prompt_tokens=self.prompt_tokens,
            answer_tokens=answer,
            limit=limit,
            limit_is="training.max_length" if limit < window else "the context of the base",
            answer_room=self._room(answer, ArmName.TUNED if self.adapter is not None else ArmName.ZERO_SHOT),
        )

    def _room(self, answer_tokens: int, arm: str) -> int:
        """Tokens that an answer of an arm may take: as in the run, if the arm was measured there."""
        file = artifacts.arm_file(arm)
        if self.store is not None and self.store.has(file):
            return artifacts.ArmFacts.model_validate_json(self.store.read(file)).max_new_tokens
        return answer_room(self.source.case.evaluate.max_new_tokens, answer_tokens)

    def _check_token(self, tokens: int) -> None:
        if self.request.token is not None and not 2 <= self.request.token <= tokens:
            what = (
                f"no token stands before token {self.request.token}"
                if self.request.token == 1
                else f"there is no token {self.request.token}"
            )
            raise UsageError(what, where="--token", fix=f"choose one from 2 to {tokens}")

    def _asked(self) -> tuple[list[AnswerPosition], Attention, list[TracedAnswer]]:
        """What the models say, one model in memory at a time."""
        answers = self._stored_answers()
        if len(self.row.input_ids) > self.base.context_length:
            why = "the row is longer than the context, so that no model reads it"
            return [], Attention(model="", layers=0, heads=0, tokens=[], why_none=why), answers
        model = load_weights(self.base)
        base_expects = likeliest_tokens(self.base, model, self.row)
        if not answers and (given := self._decoded(model, tuned=False)):
            answers.append(given)
        tuned_expects: Sequence[NextTokens | None] = [None] * len(base_expects)
        if self.adapter is not None:
            del model
            gc.collect()
            model = load_weights(self.base, self.adapter)
            tuned_expects = likeliest_tokens(self.base, model, self.row)
            if not any(answer.arm == ArmName.TUNED for answer in answers) and (given := self._decoded(model, tuned=True)):
                answers.append(given)
        first = self.prompt_tokens + 1
        pairs = zip(base_expects, tuned_expects, strict=True)
        positions = [AnswerPosition(position=first + at, base=base, tuned=tuned) for at, (base, tuned) in enumerate(pairs)]
        explained = [each.position for each in positions[:MOST_EXPLAINED]]
        wanted = explained if self.request.token is None else [*explained, self.request.token]
        name = "the tuned model" if self.adapter is not None else "the base"
        return positions, attention_of(model, name, self.row.input_ids, wanted), answers

    def _stored_answers(self) -> list[TracedAnswer]:
        if self.store is None or self.place.part is not Part.EVAL or self.place.case_id is None:
            return []
        return list(stored_answers(self.store, self.place.case_id, self.task, self.grader))

    def _decoded(self, model: Any, *, tuned: bool) -> TracedAnswer | None:
        arm = self.tuned_arm if tuned else UNTUNED_ARMS[ArmName.ZERO_SHOT](self.setting)
        room = self._room(self.context.answer_tokens, arm.name)
        return decoded_now(self.base, model, arm, self.example, self.task, self.grader, room)


def _adapter(store: RunStore | None) -> Any:
    """The folder with what the run has trained; None if it has trained nothing. Raises GateClosed if a file of it has changed."""
    if store is None:
        return None
    step = store.manifest.steps.get(StepId(StepKind.TRAIN))
    if step is None:
        return None
    for file in step.files:
        store.check(file)
    folder = store.path / artifacts.TRAINED
    if not folder.is_dir():
        raise GateClosed("the tuned model is gone", where=str(folder), fix="restore the folder from a copy")
    return folder
