"""A case is completed with keys alone, with the real worker and the sample model; its files can be replayed and verified."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Result, tuneproof
from tests.wizard.driving import arrive, dry_run_ended, stage_done, until, until_shown
from tuneproof.engine.core.stage import Stage
from tuneproof.tui.app import TuneproofApp


@pytest.mark.asyncio
async def test_the_tour_leads_from_home_to_a_verdict_with_keys_alone(
    finished: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = TuneproofApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "support_tickets")
        await pilot.press("t")
        await arrive(pilot, "DecideScreen")
        await until_shown(pilot, "Tour The tickets of a shop", "c goes on.")
        # For time, as in the run that this one is compared with.
        await pilot.press("k", "slash", *"risk.minutes", "enter", "enter")
        await arrive(pilot, "AskLine")
        await pilot.press("ctrl+u", "0", "enter")
        await arrive(pilot, "CaseFileScreen")
        await pilot.press("escape", "escape")
        await arrive(pilot, "DecideScreen")
        await pilot.press("c")
        await arrive(pilot, "DataScreen")
        await dry_run_ended(pilot)
        await until_shown(pilot, "120 rows, input/output", "read; no finding blocks")
        await pilot.press("c")
        await arrive(pilot, "AuditScreen")
        await until_shown(pilot, "0 findings in 120 rows", "the gate is open")
        await pilot.press("c")
        await arrive(pilot, "TaskScreen")
        await until_shown(pilot, "94 training cases, 26 validation cases, 80 eval cases", "press f to freeze")
        await pilot.press("f")
        await stage_done(pilot, Stage.SPLIT)
        await until_shown(pilot, "frozen; press c to continue to the baselines", "Tour Frozen:")
        await pilot.press("c")
        await arrive(pilot, "BaselinesScreen")
        await pilot.press("c")
        assert type(app.screen).__name__ == "BaselinesScreen"
        await pilot.press("r")
        await stage_done(pilot, Stage.BASELINES)
        await until_shown(pilot, "None reaches the target. The best so far is constrained")
        await pilot.press("down", "enter")
        await arrive(pilot, "CasesScreen")
        await until_shown(pilot, "few_shot: 46 of 80 cases wrong", "few_shot answered")
        await pilot.press("escape", "c")
        await arrive(pilot, "MethodScreen")
        await until_shown(pilot, "lora", "233,472")
        await pilot.press("c")
        await arrive(pilot, "TrainScreen")
        await pilot.press("t")
        await until(pilot, lambda: bool(app.state.tuned.probes), "a probe")
        await until_shown(pilot, "safe to close this", "On 24 validation cases")
        await stage_done(pilot, Stage.CARD)
        await until_shown(pilot, "48 of 48", "done; press c to go to the card", "Tour Trained, and scored")
        await pilot.press("c")
        await arrive(pilot, "CardScreen")
        await until_shown(pilot, "tune: better than prompting", "Good enough?", "tuneproof verify runs/support-tickets-1")
        await pilot.press("v")
        await arrive(pilot, "CasesScreen")
        await until_shown(pilot, "tuned against constrained", "15 fixed")
        await pilot.press("escape", "q")
        await until(pilot, lambda: not app.is_running, "the end")
    run = tmp_path / "runs" / "support-tickets-1"
    assert app.farewell == "open it again with: tuneproof attach runs/support-tickets-1"
    verified = tuneproof("verify", run)
    assert verified.code == 0, verified.err
    _check_replay(tmp_path / "support-tickets.yaml", run, finished[0], tmp_path / "replayed")


def _check_replay(draft: Path, run: Path, headless: Path, again: Path) -> None:
    """The saved case file freezes the same eval set in a replay, and a replay of the sample case has the same verdict and scores."""
    replayed: Result = tuneproof("--replay", draft, "--run-dir", again, "--until", "split")
    assert replayed.code == 0, replayed.err
    assert (again / "case.yaml").read_text() == (run / "case.yaml").read_text()
    walked, card = (json.loads((folder / "card.json").read_text()) for folder in (run, headless))
    assert walked["verdict"] == card["verdict"] and walked["verdict"]["answer"] == "tune"
    assert walked["eval_set"]["sha256"] == card["eval_set"]["sha256"]
    assert _rates(walked) == _rates(card)
    repaired = ["zero_shot", "zero_shot + repair", "few_shot", "few_shot + repair"]
    assert list(_rates(walked)) == [*repaired, "constrained", "few_shot_constrained", "tuned", "tuned_constrained"]


def _rates(card: dict[str, Any]) -> dict[str, Any]:
    return {arm["arm"]: arm["correct"] for arm in card["arms"]}


def test_no_screen_loads_a_library_that_only_the_worker_needs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.wizard.loaded_by_screens"]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["DecideScreen", "loaded"]
