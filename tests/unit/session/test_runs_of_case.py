"""A list of cases says what became of each, from its newest run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import sample_case
from tuneproof.engine.case.draft import Draft
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import CardWritten, Finished, StageStarted, Stopped
from tuneproof.engine.run.listing import list_runs
from tuneproof.engine.run.store import EVENTS, RunStore
from tuneproof.engine.session.drafts import cases_in


def _run(path: Path, *events: Event) -> None:
    store = RunStore.create(path, load_case(sample_case()))
    with EventLog(store.path / EVENTS) as log:
        for event in events:
            log.emit(event)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([StageStarted(stage=Stage.CARD), CardWritten(answer="do not tune", reason="r"), Finished()], "finished: do not tune"),
        ([StageStarted(stage=Stage.BASELINES), Finished()], "baselines done"),
        ([StageStarted(stage=Stage.TRAIN), Stopped()], "stopped: train"),
        ([], "begun"),
    ],
)
def test_a_case_that_was_run_is_no_longer_ready_to_run(tmp_path: Path, events: list[Event], said: str) -> None:
    _run(tmp_path / "runs" / "support-tickets-1", *events)
    Draft.open_copy(sample_case(), tmp_path)
    runs = list_runs(tmp_path / "runs")
    assert [case.progress for case in cases_in(tmp_path, runs)] == [said]
    assert [case.progress for case in cases_in(tmp_path)] == ["ready to run"]
