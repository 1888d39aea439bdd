"""A list of runs tells of each what its whole log would tell, without reading all of it as events."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import (
    AnyEvent,
    CardWritten,
    Failed,
    Finished,
    Heartbeat,
    Launched,
    StageFinished,
    StageStarted,
    StepLogged,
    Stopped,
    Warned,
)
from tuneproof.engine.run.listing import list_runs
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.screens.home import run_line
from tuneproof.tui.runs import runs_json, runs_text

ME = psutil.Process()
ALIVE = Launched(pid=ME.pid, process_started=ME.create_time(), tuneproof="0", until=Stage.CARD)
GONE = ALIVE.model_copy(update={"process_started": 1.0})
MISLEADING = 'the text "kind":"finished" and "kind":"launched"'


def a_run(path: Path, events: list[AnyEvent], extra: bytes = b"") -> Path:
    path.mkdir(parents=True)
    (path / "case.yaml").write_text("name: x\n")
    (path / "manifest.json").write_text("{}")
    (path / "events.jsonl").write_bytes(b"".join(map(line, events)) + extra)
    return path


def line(event: Event) -> bytes:
    return event.model_dump_json().encode() + b"\n"


some_event = st.one_of(
    st.sampled_from([ALIVE, GONE, Stopped(), Finished(), Heartbeat(), Warned(message=MISLEADING)]),
    st.builds(StageStarted, stage=st.sampled_from(Stage)),
    st.builds(StageFinished, stage=st.sampled_from(Stage), seconds=st.just(1.0)),
    st.builds(Failed, exit_code=st.just(4), message=st.sampled_from(["", MISLEADING])),
    st.builds(CardWritten, answer=st.sampled_from(["tune", "do not tune"]), reason=st.just(MISLEADING)),
    st.just(StepLogged(step=1, of=2, epoch=1, loss=1, learning_rate=1, grad_norm=1, tokens_per_second=1)),
)
other_line = st.sampled_from(
    [
        line(Finished(v=2)),
        line(StageStarted(v=2, stage=Stage.CARD)),
        b'{"v":1,"seq":0,"ts":9.0,"kind":"to_come"}\n',
        b'{"kind":"finished",\n',
        b"\0\0\n",
        b"\n",
    ]
)


@given(st.lists(st.one_of(some_event, some_event, other_line), max_size=25), st.sampled_from([b"", line(Finished())[:-1], b"{"]))
def test_a_list_of_runs_agrees_with_the_whole_log(events: list[AnyEvent | bytes], torn: bytes) -> None:
    lines = [t if isinstance(t, bytes) else line(t.model_copy(update={"seq": n, "ts": 100.0 + n})) for n, t in enumerate(events)]
    with tempfile.TemporaryDirectory() as folder:
        run = a_run(Path(folder) / "run", [], b"".join(lines) + torn)
        state = RunState()
        for event in EventReader(run / "events.jsonl").read():
            state.apply(event)
        state.check_alive()
        [summary] = list_runs(Path(folder))
    assert (summary.status, summary.stage) == (state.status, state.stage)
    assert summary.verdict == (state.card.answer if state.card else None)
    assert summary.headline == (state.card.headline or None if state.card else None)
    assert summary.started == (state.started_at if state.launched else None)
    assert not state.last_ts or summary.updated == state.last_ts


def test_only_run_folders_are_listed_and_what_happened_last_comes_first(tmp_path: Path) -> None:
    a_run(tmp_path / "old", [Finished(ts=10.0)])
    a_run(tmp_path / "newer", [Finished(ts=20.0)])
    a_run(tmp_path / "deep" / "inside", [Finished(ts=30.0)])
    (tmp_path / "a file").write_text("")
    (tmp_path / "no log").mkdir()
    for name in ("case.yaml", "manifest.json"):
        (tmp_path / "no log" / name).write_text("}broken{")
    assert [(run.name, run.status) for run in list_runs(tmp_path)] == [
        ("no log", RunStatus.NEW),
        ("newer", RunStatus.FINISHED),
        ("old", RunStatus.FINISHED),
    ]
    assert list_runs(tmp_path)[0].updated == pytest.approx((tmp_path / "no log" / "case.yaml").stat().st_mtime)


def test_a_folder_that_is_not_there_has_no_runs_and_a_file_is_refused(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "none") == []
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be listed"):
        list_runs(tmp_path / "file")


def test_a_log_that_cannot_be_read_does_not_hide_the_other_runs(tmp_path: Path) -> None:
    a_run(tmp_path / "whole", [Finished(ts=10.0)])
    broken = a_run(tmp_path / "broken", []) / "events.jsonl"
    broken.unlink()
    broken.mkdir()
    looped = a_run(tmp_path / "looped", []) / "events.jsonl"
    looped.unlink()
    looped.symlink_to(looped)
    assert {run.name: run.status for run in list_runs(tmp_path)} == {
        "whole": RunStatus.FINISHED,
        "broken": RunStatus.NEW,
        "looped": RunStatus.NEW,
    }


def test_the_table_is_aligned_and_nothing_in_a_name_moves_the_cursor(tmp_path: Path) -> None:
    a_run(tmp_path / "tickets-1", [ALIVE, StageStarted(stage=Stage.BASELINES, ts=30.0)])
    card = CardWritten(answer="do not tune", reason="", headline="no gain worth a model of your own", ts=20.0)
    a_run(tmp_path / "tick\x1b[2Jets\n-2", [GONE, StageStarted(stage=Stage.CARD), card])
    assert runs_text(tmp_path).splitlines() == [
        f"state    stage      verdict      {'run':<{len(str(tmp_path)) + 15}}  in a few words",
        f"running  baselines  -            {tmp_path}/tickets-1",
        f"crashed  card       do not tune  {tmp_path}/tick␛[2Jets␊-2  no gain worth a model of your own",
    ]


def test_an_empty_folder_is_reported_with_the_command_that_starts_a_run(tmp_path: Path) -> None:
    assert runs_text(tmp_path) == f"no runs in {tmp_path}; start one with: tuneproof --replay support_tickets.yaml"


def test_the_data_has_what_the_table_has_and_the_times(tmp_path: Path) -> None:
    run = a_run(tmp_path / os.fsdecode(b"run-\xff"), [ALIVE.model_copy(update={"ts": 5.0}), Stopped(ts=9.0)])
    [listed] = json.loads(runs_json(tmp_path))["runs"]
    assert listed == {
        "path": str(run),
        "name": run.name,
        "state": "stopped",
        "stage": None,
        "verdict": None,
        "headline": None,
        "started": 5.0,
        "updated": 9.0,
    }


def test_the_home_screen_shows_how_good_the_answer_of_a_run_is_under_it(tmp_path: Path) -> None:
    a_run(tmp_path / "tickets-1", [CardWritten(answer="tune", reason="", headline="better than prompting, and good enough", ts=20.0)])
    a_run(tmp_path / "older-1", [CardWritten(answer="tune", reason="", ts=10.0)])
    newer, older = (run_line(run, 30.0).plain.splitlines() for run in list_runs(tmp_path))
    assert "tune" in newer[0] and newer[1].strip() == "better than prompting, and good enough"
    assert "tune" in older[0] and len(older) == 1, "a run of an earlier version has no headline"
