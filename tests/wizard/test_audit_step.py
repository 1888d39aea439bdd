"""The audit step: a decision is visible at once and saved with its reason, and private data is masked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.wizard.driving import arrive, dry_run_ended, picture, shown, typed, until
from tuneproof.tui.app import TuneproofApp

ADDRESS = "ann.smith" + "@" + "example.net"
CASE = {
    "name": "own",
    "decision": {"private_facts": False, "format_drift": True, "stable_task": True, "labeled_examples": 62},
    "task": {"instruction": "Answer.", "output": {"kind": "choice", "choices": ["yes", "no"]}},
    "data": {"examples": "rows.jsonl"},
}


@pytest.fixture
def case(tmp_path: Path) -> Path:
    rows = [{"input": f"Is {n} even?", "output": "no" if n % 2 else "yes"} for n in range(60)]
    rows += [{"input": f"Does {ADDRESS} answer?", "output": "yes"}, {"input": "is 4 EVEN?", "output": "no"}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(CASE))
    return path


@pytest.mark.asyncio
async def test_a_finding_is_accepted_with_a_reason_that_can_be_withdrawn(case: Path) -> None:
    app = TuneproofApp(case)
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "DataScreen")
        await dry_run_ended(pilot)
        await pilot.press("c")
        await until(pilot, lambda: "the gate is closed: 1 blocking finding." in shown(pilot), "the closed gate")
        await pilot.press("a")
        await typed(pilot, "both hold")
        await pilot.press("ctrl+s")
        await dry_run_ended(pilot)
        await until(pilot, lambda: "the gate is open" in shown(pilot) and "conflict accepted" in shown(pilot), "the open gate")
        assert yaml.safe_load(case.read_text())["data"]["accept"] == {"conflict": "both hold"}
        await pilot.press("a", *["backspace"] * len("both hold"), "ctrl+s")
        await dry_run_ended(pilot)
        await until(pilot, lambda: "the gate is closed" in shown(pilot), "the gate, closed again")
        assert not yaml.safe_load(case.read_text())["data"].get("accept")


@pytest.mark.asyncio
async def test_a_finding_stays_highlighted_and_private_data_is_masked(case: Path) -> None:
    app = TuneproofApp(case)
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "DataScreen")
        await dry_run_ended(pilot)
        await pilot.press("c")
        await until(pilot, lambda: "conflict" in picture(pilot), "the findings")
        await pilot.press("down")
        await until(pilot, lambda: "a…@e….net" in shown(pilot), "the row with the address, masked")
        assert ADDRESS not in picture(pilot)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: type(app.screen).__name__ == "ReadingScreen", "the row")
        assert ADDRESS not in picture(pilot) and "a…@e….net" in shown(pilot)
        await pilot.press("escape", "escape", "up", "x")
        await dry_run_ended(pilot)
        await until(pilot, lambda: "conflict left out" in shown(pilot), "the rows left out")
        assert "rows.jsonl:5 = rows.jsonl:62" in shown(pilot)
