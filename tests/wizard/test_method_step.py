"""Every number on the method step follows the settings, and says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.snapshots.scenes import MEASURED_RUN, add_measured_run, set_stage
from tests.wizard.driving import arrive, shown, typed, until_shown
from tuneproof.tui.app import TuneproofApp


@pytest.mark.asyncio
async def test_the_numbers_follow_the_rank_and_stand_beside_those_of_full_fine_tuning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_stage(monkeypatch, tmp_path)
    add_measured_run()
    app = TuneproofApp(MEASURED_RUN)
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "MethodScreen")
        await until_shown(pilot, "method trained share memory what it trains", "▸ lora 233,472 10.15 %")
        await pilot.press("t")
        await arrive(pilot, "AskChoice")
        await pilot.press("down", "down", "down", "enter")
        await arrive(pilot, "AskLine")
        await typed(pilot, "64")
        await pilot.press("enter")
        await arrive(pilot, "MethodScreen")
        await until_shown(pilot, "▸ lora 933,888")
        assert "233,472" not in shown(pilot)
        await pilot.press("b")
        await arrive(pilot, "ReadingScreen")
        await until_shown(pilot, "trained parameters 933,888", "p measures it", "lora is cheaper because gradients")
