"""A card leads on: to a run that differs in one value, which takes over what it shares with the run before."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.conftest import Result
from tests.snapshots.record import FINISHED
from tests.waiting import events_of
from tests.wizard.driving import arrive, dry_run_ended, picture, shown, stage_done, until, until_shown
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.events import Progressed
from tuneproof.engine.run.work import Work
from tuneproof.tui.app import TuneproofApp

RUN = Path("runs/support-tickets-1")


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TuneproofApp:
    """The wizard on the card of a finished run in the current folder."""
    shutil.copytree(FINISHED, tmp_path / RUN)
    monkeypatch.chdir(tmp_path)
    return TuneproofApp(RUN)


async def scroll_to(pilot: Pilot[Any], text: str) -> None:
    """Scrolls down until a text is shown."""
    while text not in shown(pilot):
        await pilot.press("down")


@pytest.mark.asyncio
async def test_a_new_run_is_made_only_after_a_question(card: TuneproofApp) -> None:
    async with card.run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "CardScreen")
        await pilot.press("e")
        await arrive(pilot, "AskYesNo")
        await until_shown(pilot, "stays as it is", "taken over and not run again", "measured here")
        await pilot.press("n")
        await arrive(pilot, "CardScreen")
        assert card.session is not None and card.session.is_frozen
        await pilot.press("e", "y")
        await arrive(pilot, "DecideScreen")
        assert not card.session.is_frozen
        await until_shown(pilot, "draft")


@pytest.mark.asyncio
async def test_the_card_scrolls_as_a_page_and_a_panel_can_have_the_terminal_for_itself(card: TuneproofApp) -> None:
    async with card.run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "CardScreen")
        await until_shown(pilot, "Verdict")
        await scroll_to(pilot, "one value at a time")
        assert "Good enough?" not in picture(pilot), "the whole card is one page"
        await pilot.press("5", "m")
        await until_shown(pilot, "tab shows the next, m all of them")
        assert "The highlighted arm" not in shown(pilot) and "zero_shot" in shown(pilot)
        await pilot.press("tab")
        await until_shown(pilot, "The highlighted arm")
        assert "So far" not in shown(pilot)
        await pilot.press("m")
        await until_shown(pilot, "The highlighted arm", "So far")


@pytest.mark.long
@pytest.mark.asyncio
async def test_one_changed_value_makes_a_run_that_shares_its_arms_and_is_compared(
    finished: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished[0], tmp_path / RUN)
    monkeypatch.chdir(tmp_path)
    app = TuneproofApp(RUN)
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "CardScreen")
        assert app.session is not None
        changes = app.session.next_runs
        key = next(letter for letter, each in zip("abc", changes, strict=False) if each.key.startswith("training."))
        await pilot.press(key, "y")
        await arrive(pilot, "DataScreen")
        await dry_run_ended(pilot)
        await pilot.press("c")
        await arrive(pilot, "AuditScreen")
        await pilot.press("c")
        await arrive(pilot, "TaskScreen")
        await until_shown(pilot, "press f to freeze")
        await pilot.press("f")
        await stage_done(pilot, Stage.SPLIT)
        await pilot.press("c")
        await arrive(pilot, "BaselinesScreen")
        await pilot.press("r")
        await stage_done(pilot, Stage.BASELINES)
        assert app.session is not None and app.session.store is not None
        asked = [event.about for event in events_of(app.session.store.path, Progressed) if event.work is Work.ANSWERING]
        assert "zero_shot" not in asked, "no arm was asked again"
        assert "zero_shot" in app.state.arms
        await pilot.press("c")
        await arrive(pilot, "MethodScreen")
        await pilot.press("c")
        await arrive(pilot, "TrainScreen")
        await pilot.press("t")
        await stage_done(pilot, Stage.CARD)
        await pilot.press("c")
        await arrive(pilot, "CardScreen")
        await scroll_to(pilot, "Since")
        await until_shown(pilot, "Since support-tickets-1 this changed:", "now, minus tuned then")
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running, "the end")
