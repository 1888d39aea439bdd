"""The event log is appended to and never torn, and one reducer turns it into what every screen shows."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.run.events import EventLog, EventReader, Failed, Finished, Launched, StageStarted, StepLogged, TrainingStarted
from tuneproof.engine.run.state import Life, RunState
from tuneproof.engine.stages import Stage


def step(number: int) -> StepLogged:
    return StepLogged(step=number, of=9, epoch=1.0, loss=0.5, learning_rate=1e-3, grad_norm=1.0, tokens_per_second=10.0)


def launched(pid: int, started: float) -> Launched:
    return Launched(pid=pid, process_started=started, tuneproof="0", until=Stage.CARD)


def state_of(path: Path) -> RunState:
    state = RunState()
    for event in EventReader(path).read():
        state.apply(event)
    return state


def test_a_reader_sees_each_event_once_in_order(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    assert reader.read() == []
    with EventLog(path) as log:
        log.emit(StageStarted(stage=Stage.ROUTE))
        assert [e.kind for e in reader.read()] == ["stage_started"]
        log.emit(step(1), sync=True)
        log.emit(Finished())
    assert [(e.seq, e.kind) for e in reader.read()] == [(1, "step_logged"), (2, "finished")]
    assert reader.read() == []


@given(st.integers(1, 400))
def test_wherever_a_crash_cuts_the_log_it_reads_and_goes_on(tmp_path_factory: object, cut: int) -> None:
    path = tmp_path_factory.mktemp("log") / "events.jsonl"  # type: ignore[attr-defined]
    with EventLog(path) as log:
        for number in range(1, 4):
            log.emit(step(number))
    os.truncate(path, max(0, path.stat().st_size - cut))
    whole = path.read_bytes().count(b"\n")
    assert len(EventReader(path).read()) == whole
    with EventLog(path) as log:
        log.emit(step(9))
    assert [e.seq for e in EventReader(path).read()] == list(range(whole + 1))


def test_events_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps({"v": 2, "seq": 0, "ts": 0, "kind": "something_new"}) + "\n" + step(1).model_dump_json() + "\n")
    assert [e.kind for e in EventReader(path).read()] == ["step_logged"]


def test_a_live_worker_is_running_and_one_that_is_gone_has_crashed() -> None:
    me = psutil.Process()
    state = RunState()
    state.apply(launched(me.pid, me.create_time()))
    state.check_alive()
    assert state.life is Life.RUNNING
    state.apply(launched(me.pid, me.create_time() - 1000))
    state.check_alive()
    assert state.life is Life.CRASHED


def test_a_failure_is_shown_until_the_run_is_taken_up_again() -> None:
    state = RunState()
    for event in (launched(1, 0.0), Failed(exit_code=4, message="out of memory")):
        state.apply(event)
    assert state.life is Life.FAILED and state.failure is not None
    state.apply(launched(1, 0.0))
    assert state.life is Life.RUNNING and state.failure is None


def test_steps_after_the_checkpoint_that_a_run_resumes_from_are_forgotten() -> None:
    state = RunState()
    start = TrainingStarted(method="lora", examples=1, steps=9, resumed_at=2, trained_parameters=1, all_parameters=2)
    for event in (step(1), step(2), step(3), start, step(3)):
        state.apply(event)
    assert [s.step for s in state.steps] == [1, 2, 3]
