"""Prompts of the user's own are scored as arms, chosen on validation, and verified."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, tuneproof
from tuneproof.engine.case.arm_names import arm_of_row

PROMPTS = {"rules": "rules.txt", "bare": {"system": "You sort support tickets.", "user": "{input}"}}
RULES = "Sort this support ticket.\nAnswer with one of: billing, shipping, returns, technical, account\n\n{input}\n"


def case_in(folder: Path, **changes: Any) -> Path:
    for name in ("fixed_labels.jsonl", "fixed_labels_eval.jsonl"):
        shutil.copy(ROOT / "sample_cases" / name, folder / name)
    (folder / "rules.txt").write_text(RULES)
    case = yaml.safe_load((ROOT / "sample_cases" / "fixed_labels.yaml").read_text())
    (folder / "case.yaml").write_text(yaml.safe_dump({**case, "baselines": [], "prompts": PROMPTS, **changes}, sort_keys=False))
    return folder / "case.yaml"


@pytest.mark.long
def test_each_prompt_is_an_arm_and_the_best_is_chosen_on_validation(tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = tuneproof("--replay", case_in(tmp_path), "--run-dir", run, "--json")
    assert result.code == 0, result.err
    card = json.loads(result.out)["card"]
    arms = {arm["arm"]: arm for arm in card["arms"]}
    assert {arm_of_row(name) for name in arms} == {"prompt_rules", "prompt_bare"}
    tried = {name: json.loads((run / "arms" / name / "arm.json").read_text())["tried"][0] for name in ("prompt_rules", "prompt_bare")}
    best = max(tried, key=lambda name: (tried[name]["correct"], tried[name]["format_valid"], name == "prompt_rules"))
    assert next(iter(arms)) == best and "the best of your 2 prompts" in arms[best]["asked"]
    assert sum("the best of your" in arm["asked"] for name, arm in arms.items() if arm_of_row(name) == name) == 1
    prompt = json.loads((run / "arms" / "prompt_bare" / "predictions.jsonl").read_text().splitlines()[0])["prompt"]
    assert "You sort support tickets." in prompt and "Answer with" not in prompt
    assert card["verdict"]["best_untuned_arm"] in arms
    assert tuneproof("verify", run).code == 0
    (tmp_path / "rules.txt").write_text("Another prompt: {input}")
    changed = tuneproof("--replay", tmp_path / "case.yaml", "--run-dir", run, "--resume")
    assert changed.code == 3, "a prompt that is scored cannot be changed in its run"


@pytest.mark.long
def test_a_missing_instruction_is_reported_before_the_freeze_and_as_a_risk(tmp_path: Path) -> None:
    task = {"output": {"kind": "choice"}, "metric": "choice_accuracy"}
    run = tmp_path / "run"
    result = tuneproof("--replay", case_in(tmp_path, task=task, prompts={"only": RULES}), "--run-dir", run)
    assert result.code == 0, result.err
    assert result.err.index("task.instruction is missing") < result.err.index("frozen as")
    risks = json.loads((run / "card.json").read_text())["risk"]["items"]
    assert any(item.startswith("task.instruction is missing") for item in risks)
