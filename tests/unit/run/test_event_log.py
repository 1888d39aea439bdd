"""Events are appended to the log, and a log that a crash has torn can be written to again."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.run.event_samples import probe, step
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Probed


@given(st.integers(1, 400))
def test_a_log_that_a_crash_has_cut_anywhere_is_read_and_continued(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("log") / "events.jsonl"
    with EventLog(path) as log:
        for number in range(1, 4):
            log.emit(step(number))
    os.truncate(path, max(0, path.stat().st_size - cut))
    whole = path.read_bytes().count(b"\n")
    assert len(EventReader(path).read()) == whole
    with EventLog(path) as log:
        log.emit(step(9))
    assert [event.seq for event in EventReader(path).read()] == list(range(whole + 1))


def test_a_loss_that_is_not_finite_is_written_as_json_and_read_back(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.jsonl") as log:
        log.emit(probe(1, loss=math.nan))
        log.emit(probe(2, loss=math.inf))
    first, second = EventReader(tmp_path / "events.jsonl").read()
    assert isinstance(first, Probed) and math.isnan(first.loss)
    assert isinstance(second, Probed) and second.loss == math.inf
