"""The audit step: a decision is visible at once and saved with its reason, and private data is masked."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest
import yaml
from textual.widgets import OptionList

from tests.wizard.driving import arrive, dry_run_ended, opened, picture, shown, typed, until
from tuneproof.tui.app import TuneproofApp

ADDRESS = "ann.smith" + "@" + "elsewhere.net"
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


@pytest.fixture
def blocked_twice(case: Path) -> Path:
    """The case with a row in a wrong format as well."""
    with (case.parent / "rows.jsonl").open("a") as file:
        file.write(json.dumps({"input": "Is a third even?", "output": "perhaps"}) + "\n")
    return case


def marked(app: TuneproofApp) -> str:
    """The line of the highlighted finding."""
    listed = app.screen.query_one("#findings", OptionList)
    assert listed.highlighted is not None
    return str(listed.get_option_at_index(listed.highlighted).prompt)


def decided(case: Path) -> tuple[list[str], dict[str, str]]:
    data = yaml.safe_load(case.read_text())["data"]
    return data.get("leave_out", []), data.get("accept", {})


@pytest.mark.asyncio
async def test_the_mark_goes_to_what_still_blocks_the_list_stays_and_every_decision_is_undone(blocked_twice: Path) -> None:
    case, app = blocked_twice, TuneproofApp(blocked_twice)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, "3")
        await until(pilot, lambda: "the gate is closed: 2 blocking findings." in shown(pilot), "the closed gate")
        assert "■ format" in marked(app)
        assert app.session is not None and app.dry_run_state.launched is not None
        worker = psutil.Process(app.dry_run_state.launched.pid)
        # Like a worker that has a million rows to check again.
        worker.suspend()
        await pilot.press("x")
        assert not app.session.report, "the audit is not made again yet"
        listed = app.screen.query_one("#findings", OptionList)
        assert "■ conflict" in marked(app) and "format left out; u undoes" in shown(pilot)
        assert "✓ format" in str(listed.get_option_at_index(listed.option_count - 1).prompt)
        worker.resume()
        await dry_run_ended(pilot)
        await until(pilot, lambda: "the gate is closed: 1 blocking finding." in shown(pilot), "one finding less")
        assert "■ conflict" in marked(app)
        await pilot.press("x")
        await dry_run_ended(pilot)
        await until(pilot, lambda: "the gate is open; 3 rows are left out" in shown(pilot), "the open gate")
        await pilot.press("x")
        assert decided(case) == (["format", "conflict"], {}) and "are left out already" in shown(pilot)
        await pilot.press("u", "u", "w")
        assert decided(case) == (["format"], {}) and (case.parent / "rows.quarantine.jsonl").is_file()
        await pilot.press("a")
        await arrive(pilot, "AskText")
        await typed(pilot, "rare")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: decided(case) == (["format"], {"conflict": "rare"}), "the finding accepted")
        await pilot.press("u", "u")
        assert decided(case) == ([], {}) and not (case.parent / "rows.quarantine.jsonl").exists()
        assert "■ format" in marked(app)


@pytest.mark.asyncio
async def test_of_a_conflict_only_the_wrong_row_is_left_out_and_is_put_back(case: Path) -> None:
    app = TuneproofApp(case)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, "3")
        await until(pilot, lambda: "rows.jsonl:5 = rows.jsonl:62" in shown(pilot), "the conflict")
        await pilot.press("i")
        await arrive(pilot, "ReadingScreen")
        assert "For example rows.jsonl:5" in shown(pilot) and '"is 4 EVEN?"' in shown(pilot) and "data.leave_out" not in shown(pilot)
        await pilot.press("escape")
        assert "o leaves this row out" not in shown(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "o leaves this row out" in shown(pilot), "the key for one side")
        await pilot.press("o")
        await until(pilot, lambda: "rows.jsonl:62 left out; u undoes" in shown(pilot), "the decision")
        await dry_run_ended(pilot)
        await until(pilot, lambda: "the gate is open; 1 row is left out" in shown(pilot), "the open gate")
        assert decided(case) == (["rows.jsonl:62"], {})
        assert "✓ by-hand" in picture(pilot) and " conflict " not in picture(pilot)
        await pilot.press("end", "b")
        await dry_run_ended(pilot)
        await until(pilot, lambda: "the gate is closed" in shown(pilot), "the gate, closed again")
        assert decided(case) == ([], {})


@pytest.mark.asyncio
@pytest.mark.long
async def test_groups_that_were_found_are_kept_together_by_a_key(tmp_path: Path) -> None:
    rows = [{"input": f"what is {n} and {n * 7919 % 997}?", "output": "yes" if n % 2 else "no", "user_id": f"u{n // 3}"} for n in range(90)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    case = tmp_path / "own.yaml"
    case.write_text(yaml.safe_dump(CASE))
    app = TuneproofApp(case)
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot, "DataScreen")
        await dry_run_ended(pilot)
        await pilot.press("c")
        await until(pilot, lambda: "split-groups" in shown(pilot), "the finding")
        await pilot.press("home", "t")
        await dry_run_ended(pilot)
        assert yaml.safe_load(case.read_text())["data"]["split"]["group_by"] == "user_id"
        await until(pilot, lambda: "split-groups" not in shown(pilot), "the audit of the split by groups")
        await pilot.press("u")
        await dry_run_ended(pilot)
        await until(pilot, lambda: "split-groups" in shown(pilot), "the finding again")
