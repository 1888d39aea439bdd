"""The trace of a request in the wizard, with the model at work: from the card, of another row, and of a row that is not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import Result
from tests.wizard.driving import arrive, typed, until, until_shown, wizard
from tuneproof.screens.trace import TraceScreen
from tuneproof.tui.app import TuneproofApp


@pytest.mark.long
@pytest.mark.asyncio
async def test_a_case_that_tuning_got_wrong_and_another_row(finished: tuple[Path, Result], tmp_path: Path) -> None:
    run = shutil.copytree(finished[0], tmp_path / "run")
    async with TuneproofApp(run).run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "CardScreen")
        await until(pilot, lambda: wizard(pilot).state.card is not None, "the card")
        await pilot.press("z")
        await arrive(pilot, "TraceScreen")
        screen = pilot.app.screen
        assert isinstance(screen, TraceScreen)
        await until(pilot, lambda: screen.report is not None, "the trace of a wrong case")
        await until_shown(pilot, "tuned fails", "likeliest next tokens", "first:")
        await pilot.press("r")
        await arrive(pilot, "AskLine")
        await pilot.press("ctrl+u")
        await typed(pilot, "3")
        await pilot.press("enter")
        await until(pilot, lambda: screen.report is not None and screen.report.row.number == 3, "the trace of row 3")
        await pilot.press("n")
        await until(pilot, lambda: screen.report is not None and screen.report.row.number == 4, "the trace of row 4")
        await pilot.press("a")
        await arrive(pilot, "ReadingScreen")
        await until_shown(pilot, "What a person wrote")
        await pilot.press("escape", "r")
        await arrive(pilot, "AskLine")
        await pilot.press("ctrl+u")
        await typed(pilot, "9999")
        await pilot.press("enter")
        await until_shown(pilot, "there is no row 9999")
        await pilot.press("escape")
        await arrive(pilot, "CardScreen")
