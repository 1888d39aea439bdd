"""A finished run as the source of an export: its tuned model, and the frozen cases with the answers that were measured.

Imports transformers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tuneproof.engine.arms.arm import chat
from tuneproof.engine.card.evidence import Evidence, gather
from tuneproof.engine.card.schema import CARD_JSON, Card
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.core.hardware import block_import
from tuneproof.engine.data.json_document import document_end
from tuneproof.engine.data.parts import Part
from tuneproof.engine.data.reasoning import THINK_CLOSE, THINK_OPEN, Thinking, opened_by
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.base_model import QUANTISATION_FILE, BaseCheckpoint, load_base
from tuneproof.engine.models.template_turns import template_tools, template_turns
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.measure import Measure, ScoredArm


@dataclass(frozen=True)
class ServedCase:
    """One frozen case as a client asks a server: the turns and tools of the chat, and the tokens of the prompt that was measured."""

    id: str
    turns: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None
    prompt_ids: list[int]


@dataclass(frozen=True)
class ExportSource:
    """The tuned model of a run with what was measured of it."""

    store: RunStore

    @classmethod
    def open(cls, store: RunStore) -> ExportSource:
        """The source in a run that has a card. Raises GateClosed if nothing was trained, or if a file has changed since."""
        steps = store.manifest.steps
        if StepId(StepKind.CARD) not in steps or StepId.arm(ArmName.TUNED) not in steps:
            raise GateClosed(
                "the run has no tuned model that was measured",
                where=str(store.path),
                fix="finish it: tuneproof --replay with --resume; the prompt of an untuned arm is in arms/<arm>/prompt.txt",
            )
        source = cls(store)
        for file in (artifacts.MODEL, CARD_JSON, *(name for name in steps[StepId(StepKind.TRAIN)].files)):
            store.check(file)
        if not source.quantisation:
            # PEFT imports it wherever it is installed, which takes seconds and leaves notices on stderr.
            block_import("bitsandbytes")
        source.check_base()
        return source

    @cached_property
    def evidence(self) -> Evidence:
        """Everything that the card rests on."""
        return gather(self.store)

    @cached_property
    def card(self) -> Card:
        """The card of the run."""
        return Card.model_validate_json(self.store.read(CARD_JSON))

    @property
    def measure(self) -> Measure:
        """How the arms of the run are measured."""
        measure = self.evidence.measure
        assert measure is not None
        return measure

    @property
    def tuned(self) -> ScoredArm:
        """The answers that were measured."""
        tuned = self.evidence.tuned
        assert tuned is not None
        return tuned

    @property
    def model_facts(self) -> artifacts.ModelFacts:
        """The base as it was found when the run began."""
        model = self.evidence.model
        assert model is not None
        return model

    @property
    def arm(self) -> artifacts.ArmFacts:
        """How the tuned arm was decoded."""
        return self.evidence.arm_facts[ArmName.TUNED]

    @property
    def method(self) -> str:
        """The training method."""
        assert self.evidence.method is not None
        return self.evidence.method.name

    @property
    def trains_adapter(self) -> bool:
        """Whether the training made an adapter, not a whole model."""
        return METHODS[self.method].peft_class is not None

    @property
    def weights_sha256(self) -> str:
        """One digest of what was trained."""
        return artifacts.weights_digest(self.store.manifest.steps[StepId(StepKind.TRAIN)].files)

    @cached_property
    def quantisation(self) -> dict[str, Any] | None:
        """The arguments of the `BitsAndBytesConfig` of the base in training; None if it was not quantised."""
        file = f"{artifacts.TRAINED}/{QUANTISATION_FILE}"
        found: dict[str, Any] | None = json.loads(self.store.read(file)) if self.store.has(file) else None
        return found

    @cached_property
    def base(self) -> BaseCheckpoint:
        """The base model, asked as in the run."""
        model = self.store.case.model
        assert model is not None
        reasons = self.model_facts.thinking is Thinking.ON
        return load_base(model).thinking_as_in([f"{THINK_OPEN}{THINK_CLOSE}"] if reasons else [])

    def check_base(self) -> None:
        """Raises GateClosed if the base is not the one that was measured."""
        recorded = self.model_facts
        if (self.base if recorded.files else self.base.with_first_digest()).sha256 != recorded.sha256:
            raise GateClosed(
                "the base model is not the one that was measured",
                where=str(self.base.folder),
                fix=f"restore the one with sha256 {recorded.sha256}",
            )

    @cached_property
    def cases(self) -> list[ServedCase]:
        """The frozen cases in their order."""
        task, chat_format = self.store.case.task, self.base.chat
        assert task is not None
        measured = {prediction.id: prediction.prompt for prediction in self.tuned.predictions}
        found = []
        for name, example in self.store.part(Part.EVAL):
            messages = chat_format.accepted(chat(example, task.instruction or ""))
            turns = template_turns(messages, str, arguments_as_text=chat_format.arguments_as_text)
            found.append(ServedCase(name, turns, template_tools(messages, str), self.base.token_ids(measured[name])))
        return found

    @property
    def template_options(self) -> dict[str, bool]:
        """What a client has to pass to the chat template besides the chat, as `chat_template_kwargs`."""
        thinking = self.base.chat.thinking
        return {"enable_thinking": thinking is Thinking.ON} if thinking in (Thinking.ON, Thinking.OFF) else {}

    @property
    def stops(self) -> Sequence[str]:
        """Texts that end an answer, which a client has to pass as `stop`."""
        return self.base.chat.stops

    def finished(self, served: str, case: ServedCase) -> str:
        """An answer of a server up to where the measured arm ended it: before a stop text, or where its JSON document closes."""
        found = [at for stop in self.stops if (at := served.find(stop)) >= 0]
        text = served[: min(found)] if found else served
        # The mark of reasoning that a prompt opens counts as the answer's, and a server that repeats it has written it once.
        opened = opened_by(self.base.tokenizer.decode(case.prompt_ids, skip_special_tokens=False))
        text = text if text.startswith(opened) else opened + text
        end = document_end(text) if self.arm.ends_with_document else None
        return text if end is None else text[:end]
