"""What a plan is written from: a case that need not be whole, and the files of its run, of a dry run, or none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from tuneproof.engine.arms import requested_arms
from tuneproof.engine.audit.report import Report
from tuneproof.engine.card.evidence import Evidence, gather
from tuneproof.engine.card.schema import CARD_JSON, Card
from tuneproof.engine.case.draft import Draft
from tuneproof.engine.case.route import RouteAnswers
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.methods.model_shape import ModelShape, known_shape
from tuneproof.engine.models.files import config_folder
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore

Stored = TypeVar("Stored", bound=BaseModel)


@dataclass(frozen=True)
class PlanSources:
    """A case, and what is known of it so far; nothing here loads a model."""

    content: DraftCase
    store: RunStore | None
    """The folder of the run, or a temporary one; None if nothing was read."""
    run: Path | None = None
    """The run folder as a person names it; None before there is a run."""
    case_file: Path | None = None
    """The case file as a person names it; None for a case without one."""
    problem: str | None = None
    """What stopped the run, or why the data or the base could not be looked at; None if nothing did."""

    @cached_property
    def report(self) -> Report | None:
        """The audit."""
        return self._read(artifacts.AUDIT, Report)

    @cached_property
    def data_facts(self) -> artifacts.DataFacts | None:
        """What the rows look like."""
        return self._read(artifacts.DATA, artifacts.DataFacts)

    @cached_property
    def model(self) -> artifacts.ModelFacts | None:
        """The base as it was found."""
        return self._read(artifacts.MODEL, artifacts.ModelFacts)

    @cached_property
    def catalogue(self) -> artifacts.Catalogue | None:
        """What each method would train of the base."""
        return self._read(artifacts.CATALOGUE, artifacts.Catalogue)

    @cached_property
    def method(self) -> artifacts.MethodFacts | None:
        """The plan of the training, as the worker made it."""
        return self._read(artifacts.METHOD, artifacts.MethodFacts)

    @cached_property
    def card(self) -> Card | None:
        """The card of the run."""
        return self._read(CARD_JSON, Card)

    @cached_property
    def folder(self) -> Path | None:
        """The folder with the configuration of the base; None if no base is named, or if it is not on this machine."""
        return config_folder(self.content.model.base) if self.content.model else None

    @cached_property
    def shape(self) -> ModelShape | None:
        """The shape of the base; None if it is not known here."""
        return known_shape(self.folder) if self.folder else None

    @property
    def is_split(self) -> bool:
        """Whether the rows are divided."""
        return self.store is not None and StepId(StepKind.SPLIT) in self.store.manifest.steps

    @cached_property
    def evidence(self) -> Evidence | None:
        """What the untuned arms rest on, once every arm that the case asks for is scored; read with all rows and answers."""
        store = self.store
        if store is None or not set(requested_arms(self.content)) <= set(store.manifest.names(StepKind.ARM)):
            return None
        return gather(store, untuned_only=True)

    @cached_property
    def answers(self) -> RouteAnswers | None:
        """The answers of the case, with the number of examples counted if it does not say it; None if one is missing."""
        return Draft(self.content, None).route_answers(self.report.counts.rows if self.report else None)

    def _read(self, name: str, model: type[Stored]) -> Stored | None:
        if self.store is None or not self.store.has(name):
            return None
        try:
            return model.model_validate_json(self.store.read(name))
        except (OSError, ValueError):
            # `verify` says what is wrong with it; the plan says what there is.
            return None
