"""The rail and the panels say how far each step is, and say nothing of a training before there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.snapshots.scenes import STEPS
from tests.wizard.driving import arrive, picture, shown, until_shown


@pytest.mark.asyncio
async def test_the_method_is_done_when_a_person_goes_on_from_it_and_nothing_has_started_before_it_has(stage: Path) -> None:
    scene = STEPS["method"]
    async with scene.app().run_test(size=(80, 24)) as pilot:
        await scene.go(pilot)
        await pilot.press("7")
        await arrive(pilot, "TrainScreen")
        await until_shown(pilot, "6○ Method", "○ not started")
        assert "✓ finished" not in shown(pilot), "the worker of the baselines is not that of the training"
        await pilot.press("6")
        await arrive(pilot, "MethodScreen")
        await pilot.press("c")
        await arrive(pilot, "TrainScreen")
        assert "6✓ Method" in picture(pilot)
