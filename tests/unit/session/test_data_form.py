"""How far the reading of the data is."""

from __future__ import annotations

import pytest

from tests.unit.session.data_facts import facts
from tuneproof.engine.case.data import Data
from tuneproof.engine.core.errors import DataRefused, ShapeUnknown, TuneproofError
from tuneproof.engine.data.parts import Part
from tuneproof.engine.run.artifacts import DataFacts
from tuneproof.engine.run.events import Audited, Failed
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.session.data_form import DataStatus, data_status, eval_source


def status(run: RunState, *, is_frozen: bool = False, has_dry_run: bool = True) -> DataStatus:
    return data_status(run, is_frozen=is_frozen, has_dry_run=has_dry_run)


def failed(error: TuneproofError) -> RunState:
    run = RunState()
    run.apply(Failed.of(error))
    return run


def test_data_of_a_run_is_frozen() -> None:
    assert status(RunState(), is_frozen=True) is DataStatus.FROZEN


def test_data_is_not_read_before_there_is_a_dry_run() -> None:
    assert status(RunState(), has_dry_run=False) is DataStatus.NOT_READ


@pytest.mark.parametrize("run_status", [RunStatus.NEW, RunStatus.RUNNING])
def test_data_is_read_while_the_dry_run_starts_or_runs(run_status: RunStatus) -> None:
    assert status(RunState(status=run_status)) is DataStatus.READING


def test_data_of_an_unknown_shape_needs_its_columns_named() -> None:
    assert status(failed(ShapeUnknown("no shape has the keys q, a"))) is DataStatus.NEEDS_COLUMNS


def test_other_failures_are_failures() -> None:
    assert status(failed(DataRefused("no rows"))) is DataStatus.FAILED


def test_data_that_was_audited_is_audited_even_if_the_audit_blocks_it() -> None:
    run = failed(DataRefused("the audit blocks"))
    run.audited = Audited.model_construct(rows=3, block=1, warn=0, info=0)
    assert status(run) is DataStatus.AUDITED


@pytest.mark.parametrize(
    ("data", "found", "said"),
    [
        (Data(examples="rows", eval="kept.jsonl"), facts({}), "kept.jsonl"),
        (Data(examples="rows"), None, "none named"),
        (Data(examples="rows"), facts({}), "none: a part of the examples is set aside"),
        (Data(examples="rows"), facts({Part.EVAL: ["test.jsonl"]}), "taken by its name from test.jsonl"),
        (Data(examples="rows"), facts({Part.VALIDATION: ["dev.jsonl"]}), "none: a part of the examples is set aside"),
    ],
)
def test_it_is_said_where_the_eval_set_comes_from(data: Data, found: DataFacts | None, said: str) -> None:
    assert eval_source(data, found) == said
