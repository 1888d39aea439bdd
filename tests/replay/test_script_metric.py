"""A script of the user's decides a run, its errors end the run by name, and the run is verified."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import WriteJsonl, tuneproof

SCRIPT = """def score(output, row):
    return {"short": float(len(output) < 60), "same": float(output.strip() == row["output"])}
"""
PEOPLE = "Ann Bo Cy Di Ed Flo Gus Hal Ida Jo".split()
THINGS = "order parcel invoice refund ticket card seat lamp".split()
ROWS = [
    {"input": f"{name} asks where the {thing} is.", "output": f"Hello {name}! Your {thing} is on its way."}
    for name in PEOPLE
    for thing in THINGS
]


def case_in(folder: Path, rows: Path, script: str, **sections: Any) -> Path:
    (folder / "score.py").write_text(script)
    case = {
        "decision": {"private_facts": False, "format_drift": False, "stable_task": True, "style_from_examples": True},
        "task": {"instruction": "Answer the customer in the voice of our brand.", "metric": {"script": "score.py"}, "pass_score": 0.4},
        "data": {"examples": str(rows)},
        "model": {"base": "sample"},
        "baselines": ["zero_shot"],
        "training": {"epochs": 1},
        "evaluate": {"merged": False, "max_new_tokens": 24},
        **sections,
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(case))
    return folder / "case.yaml"


@pytest.mark.long
def test_a_script_that_fails_on_a_row_ends_the_run_before_any_arm_and_names_it(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    case = case_in(tmp_path, write_jsonl(ROWS), "def score(output, row):\n    return row['gone']\n")
    result = tuneproof("--replay", case, "--run-dir", tmp_path / "run", "--until", "baselines")
    assert result.code == 2
    assert "task.metric.script, line 2" in result.err and "KeyError: 'gone'" in result.err and "rows.jsonl:" in result.err
    assert not (tmp_path / "run" / "arms").exists()


@pytest.mark.long
def test_a_script_decides_and_verify_runs_it_only_when_asked(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    run = tmp_path / "run"
    result = tuneproof("--replay", case_in(tmp_path, write_jsonl(ROWS), SCRIPT), "--run-dir", run, "--json")
    assert result.code == 0, result.err
    card = json.loads(result.out)["card"]
    assert card["verdict"]["difference"]["metric"] == "script"
    assert all({"script", "script: short", "script: same"} <= arm["metrics"].keys() for arm in card["arms"])
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    assert any(event["kind"] == "probed" for event in events)
    not_run, was_run = tuneproof("verify", run), tuneproof("verify", run, "--run-script")
    assert not_run.code == was_run.code == 0
    assert "script of the case was not run" in not_run.out and "gave the stored scores" in was_run.out
    (tmp_path / "score.py").write_text(SCRIPT.replace("60", "50"))
    assert tuneproof("--replay", tmp_path / "case.yaml", "--run-dir", run, "--resume").code == 3, "the script is part of what is frozen"
