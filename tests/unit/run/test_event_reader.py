"""A log is read once and in order, whatever a crash, a newer program or an older one has written into it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.run.event_samples import arm_scored, step
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run import event_reader
from tuneproof.engine.run.event import VERSION, Event
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.event_reader import EventReader, parse
from tuneproof.engine.run.events import Failed, Finished, StageStarted, TrainingEvent


def test_a_reader_sees_each_event_once_in_order(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    assert reader.read() == []
    with EventLog(path) as log:
        log.emit(StageStarted(stage=Stage.ROUTE))
        assert [event.kind for event in reader.read()] == ["stage_started"]
        log.emit(step(1), sync=True)
        log.emit(Finished())
    assert [(event.seq, event.kind) for event in reader.read()] == [(1, "step_logged"), (2, "finished")]
    assert reader.read() == []


@pytest.mark.parametrize("chunk", [1, 7, 100, 1000, 1 << 20])
def test_a_log_gives_the_same_events_whatever_the_size_of_the_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(event_reader, "CHUNK", chunk)
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        for number in range(1, 20):
            log.emit(step(number) if number % 5 else Failed(exit_code=4, message="ä" * 300))
    with path.open("ab") as file:
        file.write(b'{"v":2,"seq":19,"ts":0,"kind":"fin')
    reader = EventReader(path)
    assert [event.seq for part in reader.read_chunks() for event in part] == list(range(19))
    assert reader.read() == []
    with path.open("ab") as file:
        file.write(b'ished"}\n')
    assert [event.kind for event in reader.read()] == ["finished"]


def test_a_caller_that_stops_between_chunks_continues_after_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_reader, "CHUNK", 400)
    with EventLog(tmp_path / "events.jsonl") as log:
        for number in range(1, 20):
            log.emit(step(number))
    reader = EventReader(tmp_path / "events.jsonl")
    first = next(reader.read_chunks())
    assert 0 < len(first) < 19
    assert [event.seq for event in first + reader.read()] == list(range(19))


def test_events_of_a_later_version_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    later = [{"v": VERSION + 1, "seq": 0, "ts": 0, "kind": "something_new"}, {**step(2).model_dump(), "v": VERSION + 1}]
    path.write_text("".join(json.dumps(row) + "\n" for row in later) + step(1).model_dump_json() + "\n")
    assert EventReader(path).read() == [step(1)]
    assert all(parse(json.dumps(row).encode()) is None for row in later)


def test_a_wizard_older_than_the_worker_skips_kinds_and_fields_that_it_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    arm = arm_scored("a").model_dump()
    rows = [
        {"v": VERSION, "seq": 0, "ts": 0, "kind": "a_kind_to_come"},
        {**step(1).model_dump(), "a_field_to_come": [1]},
        {**arm, "correct": {**arm["correct"], "method": "new in a nested object"}},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert EventReader(path).read() == [step(1), arm_scored("a")]
    assert parse(json.dumps(rows[0]).encode()) is None


@pytest.mark.parametrize(
    "line",
    [
        b"\0" * 80,
        b"{}",
        b"[1]",
        b"",
        b'{"v":1,"kind":"step_logged","step":"x"}',
        b'{"v":1,"kind":"point_stepped"}',
        b'{"v":1,"kind":"compared_started","method":"full"}',
        b'{"kind":[]}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_line_costs_only_itself(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(step(1).model_dump_json().encode() + b"\n" + line + b"\n" + Finished().model_dump_json().encode() + b"\n")
    assert [event.kind for event in EventReader(path).read()] == ["step_logged", "finished"]
    with pytest.raises(ValueError):
        parse(line)


def test_every_kind_of_event_is_read_back_from_its_name() -> None:
    events = {*Event.__subclasses__(), *TrainingEvent.__subclasses__()} - {TrainingEvent}
    assert {event.model_fields["kind"].default for event in events} == event_reader.KINDS


def test_an_event_reads_back_as_it_was_written() -> None:
    event = step(3, model="tuned_25")
    assert parse(event.model_dump_json().encode()) == event
