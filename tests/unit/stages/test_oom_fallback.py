"""A batch that does not fit into memory is run in smaller parts, down to one row for each process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tuneproof.engine.case.schema import Case, DecisionAnswers
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.errors import RestartWorker
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Warned
from tuneproof.engine.run.store import EVENTS, RunStore
from tuneproof.engine.stages.oom_fallback import increase_accumulation, parts_so_far

PLAN = make_plan(MethodChoice(name="lora"), Training(batch_size=16, processes=2))


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    decision = DecisionAnswers(private_facts=False, format_drift=True, stable_task=True, labeled_examples=60)
    return RunStore.create(tmp_path / "run", Case(name="some", decision=decision))


@pytest.fixture
def log(store: RunStore) -> Iterator[EventLog]:
    with EventLog(store.path / EVENTS) as log:
        yield log


def test_accumulation_is_doubled_for_a_fresh_process(store: RunStore, log: EventLog) -> None:
    with pytest.raises(RestartWorker):
        increase_accumulation(store, log, PLAN)
    assert parts_so_far(store) == 2
    warnings = [event.message for event in EventReader(store.path / EVENTS).read() if isinstance(event, Warned)]
    assert warnings == ["out of memory with 8 rows at a time: continuing with 4, 2 accumulation steps"]


def test_a_single_row_that_does_not_fit_is_an_error(store: RunStore, log: EventLog) -> None:
    assert "one row at a time" in str(increase_accumulation(store, log, replace(PLAN, accumulation=8)))
