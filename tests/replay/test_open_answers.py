"""Whole cases whose answers are several labels or free texts: they end in a verified card, and a changed judgement is noticed."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import set_options, tuneproof
from tuneproof.sample_cases.rows import distinct_scenes
from tuneproof.sample_cases.scenes import ticket

LABELS = ["billing", "shipping", "returns", "technical", "account"]
TRAIN, EVAL = 160, 60

CASE = """
version: 1
name: several-labels
decision: {private_facts: false, format_drift: true, stable_task: true}
task:
  instruction: Which desks does this message go to?
  output: {kind: labels}
data:
  examples: train.jsonl
  eval: eval.jsonl
  split: {train: 0.8, validation: 0.2, eval: 0.0, seed: 0}
model: {base: sample}
baselines: [zero_shot, few_shot, constrained]
training: {epochs: 8, learning_rate: 0.002}
evaluate: {merged: false}
target: {at_least: 0.95}
"""


def write_several_labels(folder: Path) -> Path:
    """Messages of one to three tickets, and the desks that they go to, in the order of LABELS; the seed is fixed."""
    rng, scenes = random.Random(5), distinct_scenes(ticket, 3 * (TRAIN + EVAL), 21)
    rows, at = [], 0
    for _ in range(TRAIN + EVAL):
        parts = scenes[at : at + rng.choice((1, 1, 2, 2, 3))]
        at += len(parts)
        desks = {str(scene.facts["category"]) for scene in parts}
        rows.append({"input": " ".join(scene.text for scene in parts), "output": ", ".join(label for label in LABELS if label in desks)})
    for name, part in (("train", rows[:TRAIN]), ("eval", rows[TRAIN:])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part), encoding="utf-8")
    (folder / "case.yaml").write_text(CASE, encoding="utf-8")
    return folder / "case.yaml"


def card_of(case: Path, run: Path, *overrides: str) -> dict[str, Any]:
    result = tuneproof("--replay", case, "--run-dir", run, "--json", *set_options(*overrides))
    assert result.code == 0, result.err
    assert tuneproof("verify", run).code == 0
    card: dict[str, Any] = json.loads(result.out)["card"]
    return card


@pytest.mark.long
def test_several_labels_are_tuned_and_end_in_a_verified_card(tmp_path: Path) -> None:
    card = card_of(write_several_labels(tmp_path), tmp_path / "run")
    tuned = next(arm for arm in card["arms"] if arm["arm"] == "tuned")
    constrained = next(arm for arm in card["arms"] if arm["arm"] == "constrained")
    assert constrained["format_valid"]["rate"] == 1
    assert tuned["score"] == tuned["metrics"]["micro_f1"] > constrained["score"]
    assert set(tuned["labels"]) == set(LABELS)
    assert card["verdict"]["difference"]["metric"] == "micro_f1"
    text = (tmp_path / "run" / "card.md").read_text()
    assert "## Labels" in text and "| micro_f1 |" in text and "How tuned answers each label" in text
