"""One run folder that somebody has prepared takes down nothing: not the list of runs, not the readers of a log, not the wizard."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.run.event_samples import launched
from tests.unit.session.tickets import CASE
from tests.wizard.driving import arrive, shown, until_shown
from tuneproof.engine.case.load import dump_case
from tuneproof.engine.core.errors import TuneproofError, UsageError
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Finished, StageStarted
from tuneproof.engine.run.listing import list_runs
from tuneproof.engine.run.process import last_lines
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.session.case_session import CaseSession
from tuneproof.tui.app import TuneproofApp
from tuneproof.tui.runs import runs_json, runs_text

LAUNCHED = json.loads(launched(os.getpid(), 1.0).model_dump_json())
DEEP = b"[" * 200_000

LINES: dict[str, bytes] = {
    "a negative pid": json.dumps({**LAUNCHED, "pid": -1}).encode(),
    "pid 0": json.dumps({**LAUNCHED, "pid": 0}).encode(),
    "a huge pid": json.dumps({**LAUNCHED, "pid": 10**30}).encode(),
    "a NUL in a job": json.dumps({**LAUNCHED, "host": "elsewhere", "slurm_job": "1\0"}).encode(),
    "an option as a job": json.dumps({**LAUNCHED, "host": "elsewhere", "slurm_job": "--help"}).encode(),
    "a start that is no time": json.dumps({**LAUNCHED, "process_started": "NaN"}).encode(),
    "a time that is none": b'{"kind":"finished","ts":"NaN"}',
    "a time without end": b'{"kind":"finished","ts":1e308}',
    "a time before all time": b'{"kind":"finished","ts":-1e308}',
    "deep nesting": b'{"kind":"warned","message":' + DEEP,
    "deep nesting in a kind to come": b'{"kind":"launched","x":' + DEEP,
    "a huge integer": b'{"kind":"finished","seq":' + b"9" * 5000 + b"}",
    "half a surrogate": b'{"kind":"card_written","answer":"\\ud800","reason":"","headline":"\\ud800"}',
    "escape sequences": b'{"kind":"card_written","answer":"\\u001b]52;c;x\\u0007","reason":"","headline":"\\u202e\\u001b[2J"}',
    "duplicate keys": b'{"kind":"finished","kind":"launched","pid":[]}',
}


def prepared(run: Path, line: bytes = b"") -> Path:
    """A run folder with this line among others in its log."""
    RunStore.create(run, CASE)
    stage = StageStarted(stage="route").model_dump_json().encode()
    (run / "events.jsonl").write_bytes(stage + b"\n" + line + b"\n" + Finished(ts=1.0).model_dump_json().encode() + b"\n")
    return run


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_prepared_line_of_a_log_hides_no_run_and_reaches_no_command(tmp_path: Path, line: bytes) -> None:
    prepared(tmp_path / "good")
    bad = prepared(tmp_path / "bad", line)
    assert {run.name for run in list_runs(tmp_path)} == {"good", "bad"}
    assert "good" in runs_text(tmp_path) and not set(runs_text(tmp_path)) & set("\x1b\x07\u202e")
    json.loads(runs_json(tmp_path), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert isinstance(EventReader(bad / "events.jsonl").read()[0], StageStarted)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_loop(path: Path) -> None:
    path.symlink_to(path)


SPECIAL: list[Callable[[Path], None]] = [a_pipe, a_device, a_folder, a_loop]


@pytest.mark.parametrize("special", SPECIAL)
def test_a_pipe_or_device_is_neither_read_nor_written(tmp_path: Path, special: Callable[[Path], None]) -> None:
    run = prepared(tmp_path / "bad")
    (run / "events.jsonl").unlink()
    special(run / "events.jsonl")
    special(run / "worker.log")
    assert [each.name for each in list_runs(tmp_path)] == ["bad"]
    assert EventReader(run / "events.jsonl").read() == [] and last_lines(run / "worker.log") == ""
    with pytest.raises(UsageError, match="not a regular file"):
        EventLog(run / "events.jsonl")


def test_a_link_in_a_run_folder_is_not_written_through(tmp_path: Path) -> None:
    run = prepared(tmp_path / "bad")
    mine = tmp_path / "profile"
    mine.write_text("mine, without a line end")
    for name in ("events.jsonl", "lock"):
        (run / name).unlink()
        (run / name).symlink_to(mine)
    with pytest.raises(UsageError, match="not a regular file"):
        EventLog(run / "events.jsonl")
    with pytest.raises(UsageError, match="not a regular file"):
        RunStore(run).lock()
    assert mine.read_text() == "mine, without a line end"


JUNK = [b"", b"\xff\xfe", b"null", b"[]", b"{}", DEEP, b"\0" * 8]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_a_session_of_a_run_shows_what_can_be_read(tmp_path: Path, junk: bytes) -> None:
    run = prepared(tmp_path / "bad")
    for name in ("audit.json", "data.json", "model.json", "catalogue.json", "card.json"):
        (run / name).write_bytes(junk)
    (run / "arms" / "zero_shot").mkdir(parents=True)
    for name in ("scores.json", "arm.json", "predictions.jsonl"):
        (run / "arms" / "zero_shot" / name).write_bytes(junk)
    session = CaseSession.of_run(run)
    read: list[Any] = [session.report, session.data_facts, session.model, session.catalogue, session.card, session.scores("zero_shot")]
    assert read == [None] * 6
    assert session.predictions("zero_shot") == [] and session.arm_summary("zero_shot") == "" and session.target_status() == {}


@pytest.mark.parametrize("name", ["manifest.json", "case.yaml"])
@pytest.mark.parametrize("junk", [junk for junk in JUNK if junk != b"{}"], ids=range(len(JUNK) - 1))
def test_a_run_without_a_readable_case_or_manifest_is_refused_with_its_name(tmp_path: Path, name: str, junk: bytes) -> None:
    run = prepared(tmp_path / "bad")
    (run / name).write_bytes(junk or b"[]")
    with pytest.raises(TuneproofError) as caught:
        CaseSession.of_run(run)
    assert name in caught.value.where


def test_a_link_that_leads_nowhere_among_the_runs_does_not_hide_the_newest_run(tmp_path: Path) -> None:
    from tuneproof.engine.case.draft import Draft

    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "gone").symlink_to(tmp_path / "nowhere")
    RunStore.create(tmp_path / "runs" / "good", CASE)
    (tmp_path / "case.yaml").write_text(dump_case(CASE))
    opened = CaseSession.of_case(Draft.open(tmp_path / "case.yaml"), tmp_path / "runs").store
    assert opened is not None and opened.path.name == "good"


@pytest.mark.asyncio
async def test_the_wizard_lists_and_opens_prepared_runs_and_stops_no_strange_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, line in enumerate(LINES.values()):
        prepared(tmp_path / "runs" / f"bad-{number}", line)
    own = psutil_process()
    forged = prepared(tmp_path / "runs" / "forged")
    (forged / "events.jsonl").write_text(launched(own.pid, own.create_time()).model_dump_json() + "\n")
    piped = Path(shutil.copytree(forged, tmp_path / "runs" / "piped"))
    (piped / "events.jsonl").unlink()
    os.mkfifo(piped / "events.jsonl")
    app = TuneproofApp()
    async with app.run_test(size=(80, 40), notifications=True) as pilot:
        await arrive(pilot, "HomeScreen")
        await until_shown(pilot, "bad-0", "forged", "piped")
        for run in (piped, *(tmp_path / "runs").glob("bad-*"), forged):
            app.action_home()
            app.open_run(run)
            await pilot.pause()
        app.stop_run()
        await until_shown(pilot, "no worker is running")
        assert app.return_code is None and shown(pilot)


def psutil_process() -> Any:
    import psutil

    return psutil.Process()
