"""`tuneproof plan` and `plan.md`: a plan for every case, also one that ends before anything is measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tuneproof.engine.core.errors import ExitCode
from tuneproof.tui.cli import main

ANSWERS = "decision: {private_facts: false, format_drift: true, stable_task: true}\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with rows of which two contradict each other, and a case without a base."""
    monkeypatch.chdir(tmp_path)
    rows = [{"input": f"Is {i} even?", "output": "no" if i % 2 else "yes"} for i in range(60)]
    rows += [{"input": "Is 3 even?", "output": "yes"}]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("even.yaml").write_text(f"name: even\n{ANSWERS}data: {{examples: rows.jsonl}}\n")
    return tmp_path


def test_data_that_block_end_with_a_plan_that_says_what_to_do(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--replay", "even.yaml", "--run-dir", "run"]) == ExitCode.REFUSED
    said = capsys.readouterr()
    assert "# Plan: even" in said.out and "settle what blocks. conflict" in said.out
    assert "plan: run/plan.md" in said.err
    page = Path("run/plan.md").read_text()
    assert "Next:\n\n- Settle first what blocks" in page
    assert said.out.strip().splitlines()[-1] in page
    assert "set data.leave_out: [conflict]" in page and "rows.jsonl:4" in page


def test_a_plan_reads_and_audits_the_data_and_leaves_nothing_behind(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "even.yaml", "--set", "data.leave_out=[conflict]", "--json"]) == ExitCode.DONE
    page = json.loads(capsys.readouterr().out)
    assert sum(part["rows"] for part in page["data"]["parts"]) + page["data"]["left_out"] == 61
    assert page["training"]["base"] is None and page["cost"]["needs"] is None
    assert sorted(path.name for path in here.iterdir()) == ["even.yaml", "rows.jsonl"]


def test_an_unfinished_case_without_data_is_planned_without_a_deep_learning_library(here: Path) -> None:
    Path("idea.yaml").write_text("name: idea\nmodel: {base: sample}\n")
    command = [sys.executable, "-m", "tests.loaded_modules", "plan", str(here / "idea.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    page, _, loaded = done.stdout.partition("LOADED")
    assert "Does the model need private facts" in page and "2,066,112 parameters" in page
    assert not {"torch", "transformers", "peft", "datasets"} & set(loaded.split())


@pytest.mark.long
def test_a_measured_plan_has_hours_and_money_before_anything_is_spent(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "support_tickets.yaml", "--measure", "--set", "budget.usd_per_gpu_hour=2", "--json"]) == ExitCode.DONE
    page = json.loads(capsys.readouterr().out)
    assert page["cost"]["usd"] > 0 and page["cost"]["needs"]["hours"] > 0 and page["training"]["trained"] == 233_472
    assert main(["--replay", "support_tickets.yaml", "--until", "split", "--run-dir", "run"]) == ExitCode.DONE
    capsys.readouterr()
    assert main(["plan", "run", "--json"]) == ExitCode.DONE
    of_run = json.loads(capsys.readouterr().out)
    assert of_run["data"]["parts"] == page["data"]["parts"], "a run freezes the parts with the digests that the plan has named"
