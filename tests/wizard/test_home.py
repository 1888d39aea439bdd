"""Home leads to what was begun, and says what each sample case teaches."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.conftest import sample_case
from tests.wizard.driving import arrive, until_shown
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Launched
from tuneproof.engine.run.store import EVENTS, RunStore
from tuneproof.tui.app import TuneproofApp


@pytest.mark.asyncio
async def test_cases_that_were_begun_in_this_folder_are_listed_and_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("letters.yaml").write_text("version: 1\nname: letters\ndecision: {private_facts: false}\n")
    Path("compose.yaml").write_text("services: {web: {image: nginx}}\n")
    Path("broken.yaml").write_text("name: [\n")
    app = TuneproofApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "Cases in this folder", "letters", "3 of the questions are open", "letters.yaml")
        await until_shown(pilot, "support_tickets tuning wins: a rule that only examples show")
        await pilot.press(*["down"] * 3)
        await until_shown(pilot, "It opens where you left it")
        await pilot.press("enter")
        await arrive(pilot, "DecideScreen")
        assert app.session is not None and app.session.draft.path == Path("letters.yaml")


@pytest.mark.asyncio
async def test_a_run_in_progress_and_the_files_of_two_cases_of_one_name_are_seen_without_scrolling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("support-tickets.yaml", "support-tickets-2.yaml"):
        Path(file).write_text("version: 1\nname: support-tickets\ndecision: {private_facts: false}\n")
    me = psutil.Process()
    store = RunStore.create(tmp_path / "runs" / "support-tickets-1", load_case(sample_case()))
    with EventLog(store.path / EVENTS) as log:
        log.emit(Launched(pid=me.pid, process_started=me.create_time(), tuneproof="0", until=Stage.CARD))
    app = TuneproofApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "Running now ● support-tickets-1 running", " support-tickets.yaml ", " support-tickets-2.yaml ")


@pytest.mark.asyncio
async def test_the_tour_begins_at_its_beginning_although_the_sample_was_opened_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = TuneproofApp()
    async with app.run_test(size=(80, 24)) as pilot:
        Path("support-tickets.yaml").write_bytes(sample_case().read_bytes())
        await pilot.press("t")
        await arrive(pilot, "DecideScreen")
        await until_shown(pilot, "Tour The tickets of a shop")
        assert app.session is not None and app.session.draft.path == tmp_path / "support-tickets-2.yaml"
        assert not app.session.is_frozen
        await pilot.press("h", "o")
        assert not app.is_tour
