"""The event log is appended to and never torn, and one reducer turns it into what every screen shows."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run import events
from tuneproof.engine.run.events import (
    ArmScored,
    CardWritten,
    CheckpointSaved,
    Decoded,
    Event,
    EventLog,
    EventReader,
    Failed,
    Finished,
    Launched,
    Probed,
    Rate,
    Sample,
    StageFinished,
    StageStarted,
    StepLogged,
    TrainingStarted,
)
from tuneproof.engine.run.launch import stop_run
from tuneproof.engine.run.liveness import is_alive
from tuneproof.engine.run.state import Life, RunState


def step(number: int, ts: float = 0.0, of: int = 9) -> StepLogged:
    return StepLogged(ts=ts, step=number, of=of, epoch=1.0, loss=0.5, learning_rate=1e-3, grad_norm=1.0, tokens_per_second=10.0)


def launched(pid: int, started: float, host: str = "") -> Launched:
    return Launched(pid=pid, process_started=started, tuneproof="0", until=Stage.CARD, host=host)


def worker_of(process: subprocess.Popen[bytes]) -> Launched:
    return launched(process.pid, psutil.Process(process.pid).create_time(), socket.gethostname())


def training_from(step: int, of: int = 9) -> TrainingStarted:
    return TrainingStarted(method="lora", examples=1, steps=of, resumed_at=step, trained_parameters=1, all_parameters=2)


def probe(step: int, loss: float = 0.5) -> Probed:
    sample = Sample(id="1", expected="a", output="b", correct=False)
    return Probed(step=step, n=1, format_valid=1.0, correct=0.0, loss=loss, best=True, samples=[sample])


def folded(*told: events.AnyEvent) -> RunState:
    state = RunState()
    for event in told:
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


@pytest.mark.parametrize("chunk", [1, 7, 100, 1000, 1 << 20])
def test_a_log_read_in_chunks_of_any_size_tells_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(events, "CHUNK", chunk)
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        for number in range(1, 20):
            log.emit(step(number) if number % 5 else Failed(exit_code=4, message="ä" * 300))
    with path.open("ab") as file:
        file.write(b'{"v":1,"seq":19,"ts":0,"kind":"fin')
    reader = EventReader(path)
    assert [e.seq for part in reader.read_chunks() for e in part] == list(range(19))
    assert reader.read() == [] and reader.damaged == 0
    with path.open("ab") as file:
        file.write(b'ished"}\n')
    assert [e.kind for e in reader.read()] == ["finished"]


def test_whoever_stops_between_chunks_goes_on_after_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "CHUNK", 400)
    with EventLog(tmp_path / "events.jsonl") as log:
        for number in range(1, 20):
            log.emit(step(number))
    reader = EventReader(tmp_path / "events.jsonl")
    first = next(reader.read_chunks())
    assert 0 < len(first) < 19
    assert [e.seq for e in first + reader.read()] == list(range(19))


def test_a_wizard_older_than_the_worker_passes_over_what_it_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    rate = {"rate": 0.5, "low": 0.4, "high": 0.6, "method": "new in a nested object"}
    arm = {"kind": "arm_scored", "arm": "a", "n": 1, "format_valid": rate, "correct": rate, "tokens_per_case": 1, "seconds_per_case": 1}
    rows = [
        {"v": 1, "seq": 0, "ts": 0, "kind": "a_kind_to_come"},
        {**step(1).model_dump(), "a_field_to_come": [1]},
        {"v": 1, "seq": 2, "ts": 0, **arm},
        {**step(2).model_dump(), "v": 2},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    reader = EventReader(path)
    told = reader.read()
    assert [e.kind for e in told] == ["step_logged", "arm_scored"] and told[0] == step(1)
    assert reader.damaged == 0


@pytest.mark.parametrize("line", [b"\0" * 80, b"{}", b"[1]", b"", b'{"v":1,"kind":"step_logged","step":"x"}', b'{"kind":[]}', b"\xff\xfe"])
def test_a_damaged_line_costs_only_itself(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(step(1).model_dump_json().encode() + b"\n" + line + b"\n" + Finished().model_dump_json().encode() + b"\n")
    reader = EventReader(path)
    assert [e.kind for e in reader.read()] == ["step_logged", "finished"] and reader.damaged == 1


def test_a_loss_that_is_no_number_is_written_as_json_and_read_back(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.jsonl") as log:
        log.emit(probe(1, loss=math.nan))
        log.emit(probe(2, loss=math.inf))
    first, second = EventReader(tmp_path / "events.jsonl").read()
    assert isinstance(first, Probed) and math.isnan(first.loss)
    assert isinstance(second, Probed) and second.loss == math.inf


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


def test_a_run_on_another_machine_is_not_called_crashed() -> None:
    state = folded(launched(1, 0.0, "elsewhere"))
    state.check_alive()
    assert state.life is Life.RUNNING
    assert state.launched is not None and not stop_run(state.launched)
    state = folded(launched(1, 0.0, socket.gethostname()))
    state.check_alive()
    assert state.life is Life.CRASHED


def test_a_worker_that_nobody_waited_for_has_crashed() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        worker = worker_of(process)
        assert is_alive(worker)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
        assert not is_alive(worker) and not stop_run(worker)
        state = folded(worker)
        state.check_alive()
        assert state.life is Life.CRASHED


def test_a_run_is_stopped_by_what_its_log_says_of_the_worker() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        worker = worker_of(process)
        assert not stop_run(worker.model_copy(update={"process_started": worker.process_started - 1000}))
        assert stop_run(worker)
        assert process.wait(timeout=60) == -signal.SIGTERM
    assert not stop_run(worker)


def test_steps_after_the_checkpoint_that_a_run_resumes_from_are_forgotten() -> None:
    before = [step(1), CheckpointSaved(step=1, path="a"), step(2), CheckpointSaved(step=2, path="b"), probe(2), step(3), probe(3)]
    state = folded(*before, CheckpointSaved(step=3, path="c"), training_from(2))
    assert list(state.steps.step) == [1, 2] and [p.step for p in state.probes] == [2]
    assert state.last is None and state.checkpoint is None
    state.apply(step(3))
    assert list(state.steps.step) == [1, 2, 3] and state.last == step(3)


def test_only_the_last_two_probes_keep_their_samples() -> None:
    state = folded(*(probe(number) for number in range(1, 6)))
    assert [bool(p.samples) for p in state.probes] == [False, False, False, True, True]
    assert [p.step for p in state.probes] == [1, 2, 3, 4, 5]


def test_the_time_left_is_that_of_the_process_that_trains_now() -> None:
    state = folded(launched(1, 0.0), training_from(0, of=100), step(1, ts=10.0, of=100))
    assert state.time_left() is None
    for number in range(2, 11):
        state.apply(step(number, ts=10.0 + 2 * (number - 1), of=100))
    assert state.time_left() == pytest.approx(90 * 2)
    for event in (launched(1, 0.0), training_from(10, of=100), step(11, ts=5000.0, of=100)):
        state.apply(event)
    assert state.time_left() is None
    state.apply(step(12, ts=5001.0, of=100))
    assert state.time_left() == pytest.approx(88)
    state.apply(Failed(exit_code=4, message=""))
    assert state.time_left() is None


def test_the_state_tells_when_it_began_how_long_stages_took_and_what_is_decoded() -> None:
    first, again = (launched(1, 0.0).model_copy(update={"ts": ts}) for ts in (5.0, 50.0))
    state = folded(first, StageFinished(stage=Stage.SPLIT, seconds=3.0), Decoded(arm="zero_shot", done=1, of=2))
    assert state.decoding is not None
    rate = Rate(rate=0.5, low=0.4, high=0.6)
    for arm, decoding in (("few_shot", True), ("zero_shot", False)):
        state.apply(ArmScored(arm=arm, n=2, format_valid=rate, correct=rate, tokens_per_case=1, seconds_per_case=1))
        assert (state.decoding is not None) is decoding
    state.apply(CardWritten(answer="tune", reason=""))
    for event in (again, StageFinished(stage=Stage.SPLIT, seconds=0.1, reused=True), StageFinished(stage=Stage.TRAIN, seconds=9.0)):
        state.apply(event)
    assert state.started_at == 5.0 and state.stage_seconds == {Stage.SPLIT: 3.0, Stage.TRAIN: 9.0}
    assert state.card is None  # the verdict of the launch before


def test_every_kind_of_event_is_known_by_its_name() -> None:
    assert {event.model_fields["kind"].default for event in Event.__subclasses__()} == events.KINDS


ASKED_WHILE_ASKING = """
import signal
from tuneproof.engine.run.stop import StopRequest
stop = StopRequest()
signal.signal(signal.SIGALRM, lambda *_: stop.ask())
signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
for _ in range(200_000):
    stop.ask()
signal.setitimer(signal.ITIMER_REAL, 0)
assert stop.asked
"""


def test_a_worker_that_is_told_to_end_again_while_it_takes_that_in_does_not_hang() -> None:
    """A cluster tells every process of a job, and the one that started the worker passes it on."""
    assert subprocess.run([sys.executable, "-c", ASKED_WHILE_ASKING], timeout=120).returncode == 0
