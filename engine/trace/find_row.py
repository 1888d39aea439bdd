"""Finds the row that is traced: by its number or place in the data of a case, or by its id in a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tuneproof.engine.case.load import load_as
from tuneproof.engine.case.schema import DraftCase, ModelChoice
from tuneproof.engine.case.task import Task
from tuneproof.engine.core.errors import CaseError, DataRefused, UsageError
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Part
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.store import RunStore, part_file
from tuneproof.engine.stages.data_readings import DataReadings
from tuneproof.engine.trace.report import TraceRequest


class _NoLog:
    """A trace is no run: what reading reports goes nowhere."""

    def emit(self, event: Event, *, sync: bool = False) -> None:
        """Forgets the event."""


@dataclass(frozen=True)
class Place:
    """A row, its number among the examples, and what a run knows it as."""

    example: Example
    number: int | None
    case_id: str | None
    part: Part | None


class TraceSource:
    """A case and the run that belongs to it, if there is one, with their rows."""

    def __init__(self, request: TraceRequest) -> None:
        self.request = request
        is_run = request.source.is_dir()
        run = request.source if is_run else request.run
        self.store = RunStore.open(run) if run is not None else None
        self.case: DraftCase = self.store.case if is_run and self.store else load_as(DraftCase, request.source)

    @property
    def task(self) -> Task:
        """The task; before there is one, any text with no instruction of the case."""
        return self.case.task or Task()

    @property
    def model(self) -> ModelChoice:
        """The base. Raises CaseError if the case names none."""
        if self.case.model is None:
            raise CaseError("the case names no base model, so that there are no tokens", where="model", fix="add `model: {base: sample}`")
        return self.case.model

    @cached_property
    def parts(self) -> dict[Part, list[tuple[str, Example]]]:
        """The frozen rows of the run by part; none without a run, and for one that has not come so far."""
        if self.store is None or not self.store.is_frozen:
            return {}
        return {part: self.store.part(part) for part in Part if self.store.has(part_file(part))}

    @cached_property
    def train(self) -> Sequence[Example]:
        """The rows to learn from: those of the run, or all examples of a case that has not been split."""
        return [example for _, example in self.parts[Part.TRAIN]] if self.parts else self._readings.examples.examples

    @cached_property
    def _readings(self) -> DataReadings:
        if self.case.data is None:
            raise CaseError("the case names no data", where="data", fix="add `data: {examples: FILE}`")
        return DataReadings(self.case.data, _NoLog())

    def find(self) -> Place:
        """The row that was asked for. Raises UsageError if there is none, and what reading the data raises."""
        if self.request.case_id is not None:
            return self._by_id(self.request.case_id)
        try:
            examples, eval_rows = self._readings.examples.examples, self._readings.eval_rows
        except DataRefused as error:
            if not self.parts:
                raise
            raise DataRefused(
                error.what, where=error.where, fix=f"{error.fix}; a stored row has an --id in {part_file(Part.EVAL)}"
            ) from None
        if self.request.place is not None:
            return self._by_place(self.request.place, examples, eval_rows)
        number = self.request.row or 1
        if number > len(examples):
            held_out = f", and {len(eval_rows)} eval rows, which --row FILE:LINE names" if eval_rows else ""
            raise UsageError(f"there is no row {number}", where="--row", fix=f"the case has {len(examples)} examples{held_out}")
        return self._known(examples[number - 1], number)

    def _by_place(self, place: str, examples: Sequence[Example], eval_rows: Sequence[Example]) -> Place:
        for at, example in enumerate([*examples, *eval_rows]):
            if place == str(example.source) or place.endswith(f"/{example.source}"):
                return self._known(example, at + 1 if at < len(examples) else None)
        files = ", ".join(sorted({example.source.file for example in [*examples, *eval_rows]})[:3])
        raise UsageError(f"there is no row at {place}", where="--row", fix=f"name a line with an example, of {files}")

    def _by_id(self, case_id: str) -> Place:
        if self.store is None:
            raise UsageError("an id belongs to a run", where="--id", fix="name a run folder, or a row of the data with --row")
        for part, rows in self.parts.items():
            for name, example in rows:
                if name == case_id:
                    return Place(example, None, name, part)
        raise UsageError(f"the run has no row with the id `{case_id}`", where="--id", fix=f"use one of {part_file(Part.EVAL)}")

    def _known(self, example: Example, number: int | None) -> Place:
        """The row with what the run knows it as."""
        found = next(self._same(example), None)
        return Place(example, number, found[1] if found else None, found[0] if found else None)

    def _same(self, example: Example) -> Iterator[tuple[Part, str]]:
        wanted = example.content_hash
        for part, rows in self.parts.items():
            for name, other in rows:
                if other.source == example.source and other.content_hash == wanted:
                    yield part, name
