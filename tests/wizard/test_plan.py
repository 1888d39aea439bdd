"""The plan of a case is one key away on every step, for a draft as for a run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.snapshots.record import FINISHED
from tests.wizard.driving import arrive, shown, until_shown
from tuneproof.tui.app import TuneproofApp

SIZE = (100, 40)


@pytest.mark.asyncio
async def test_a_draft_that_ends_before_its_data_ends_with_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("facts.yaml").write_text(
        "name: facts [bold]\ndecision: {private_facts: true, format_drift: false, stable_task: true, labeled_examples: 24}\n"
    )
    app = TuneproofApp(Path("facts.yaml"))
    async with app.run_test(size=SIZE) as pilot:
        await arrive(pilot, "DecideScreen")
        await pilot.press("P")
        await arrive(pilot, "PlanScreen")
        await until_shown(pilot, "Plan: facts [bold]", "RAG first", "1. What to do, and why")
        await pilot.press("end")
        await until_shown(pilot, "What is not known yet", "data.examples")
        await pilot.press("escape")
        await arrive(pilot, "DecideScreen")


@pytest.mark.asyncio
async def test_the_plan_of_a_run_has_what_it_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(FINISHED, Path("runs/support-tickets-1"))
    app = TuneproofApp(Path("runs/support-tickets-1"))
    async with app.run_test(size=SIZE) as pilot:
        await arrive(pilot, "CardScreen")
        app.show_plan()
        await arrive(pilot, "PlanScreen")
        await until_shown(pilot, "Plan: support-tickets", "tuneproof verify")
        await pilot.press("question_mark")
        await arrive(pilot, "HelpScreen")
        assert "plan.md" in shown(pilot)
