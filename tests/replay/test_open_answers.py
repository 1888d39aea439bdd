"""Whole cases whose answers are several labels or free texts: they end in a verified card, and a changed judgement is noticed."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, set_options, tuneproof
from tests.manifests import forge_digests
from tuneproof.engine.card.verify import verify
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.run.step_id import StepId
from tuneproof.engine.run.store import RunStore
from tuneproof.sample_cases.make_too_few import report
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


PROSE_CASE = """
version: 1
name: open-answers
decision: {private_facts: true, format_drift: false, stable_task: true}
task: {instruction: Answer the question about our policies in a few words.}
data:
  examples: train.jsonl
  eval: eval.jsonl
  split: {train: 0.8, validation: 0.2, eval: 0.0, seed: 0}
model: {base: sample}
baselines: [zero_shot, few_shot]
"""


def write_open_answers(folder: Path) -> Path:
    """Questions with short texts as answers, a few of each part."""
    for name, source, count in (("train", "policy_questions.jsonl", 40), ("eval", "policy_questions_eval.jsonl", 12)):
        lines = (ROOT / "sample_cases" / source).read_text(encoding="utf-8").splitlines()[:count]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "case.yaml").write_text(PROSE_CASE, encoding="utf-8")
    return folder / "case.yaml"


RULES = "task.rules=[{max_words: 12}, {name: no excuse, not_contains: sorry}]"


@pytest.mark.long
@pytest.mark.parametrize("metric", ["chrf", "rouge_l", "token_f1", "contains", "exact_match", "micro_f1", "macro_f1"])
def test_a_changed_judgement_is_noticed_in_every_metric(tmp_path: Path, metric: str) -> None:
    several = metric.endswith("_f1") and metric != "token_f1"
    case, run = (write_several_labels if several else write_open_answers)(tmp_path), tmp_path / "run"
    settings = ["decision.private_facts=true"] if several else [RULES]
    card_of(case, run, f"task.metric={metric}", "baselines=[zero_shot]", *settings)
    for file, key in (("predictions.jsonl", "correct"), ("predictions.jsonl", "format_valid"), ("scores.json", metric)):
        store = RunStore(Path(shutil.copytree(run, tmp_path / f"{file} {key}")))
        name = f"arms/zero_shot/{file}"
        found = re.search(rf'"{key}": ?(true|false|[\d.]+)', store.read(name))
        assert found is not None
        changed = {"true": "false", "false": "true"}.get(found[1], "0.987654")
        store.write(name, store.read(name).replace(found[0], found[0].replace(found[1], changed), 1))
        forge_digests(store, StepId.arm("zero_shot"))
        with pytest.raises(VerifyFailed):
            verify(store)


@pytest.mark.long
def test_free_texts_with_rules_are_tuned_and_end_in_a_verified_card(tmp_path: Path) -> None:
    settings = ["task.metric=chrf", "task.pass_score=0.4", RULES, "method.even_if_routed_elsewhere=true", "training.epochs=2"]
    card = card_of(write_open_answers(tmp_path), tmp_path / "run", *settings, "target.at_least=0.9", "evaluate.merged=false")
    tuned = next(arm for arm in card["arms"] if arm["arm"] == "tuned")
    assert tuned["score"] == tuned["metrics"]["chrf"] and set(tuned["rules"]) == {"at most 12 words", "no excuse"}
    assert card["verdict"]["difference"]["metric"] == "chrf" and "chrf" in card["verdict"]["reason"]
    text = (tmp_path / "run" / "card.md").read_text()
    assert "An answer is correct if its chrf is 0.4 or more and it keeps all 2 rules." in text
    assert "## Rules" in text and "no excuse: zero_shot" in text
    probes = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines() if '"probed"' in line]
    assert probes and all(probe["metric"] == "chrf" for probe in probes)


NUMBERS_CASE = r"""
version: 1
name: numbers-in-prose
decision: {private_facts: false, format_drift: true, stable_task: true}
task:
  instruction: What does the sensor read?
  output: {kind: pattern, pattern: 'reads ([-\d.,]*\d)'}
  compare: number
data:
  examples: train.jsonl
  eval: eval.jsonl
  split: {train: 0.8, validation: 0.2, eval: 0.0, seed: 0}
model: {base: sample}
baselines: [zero_shot, few_shot]
training: {epochs: 8, learning_rate: 0.002}
evaluate: {merged: false}
"""


def write_numbers_in_prose(folder: Path) -> Path:
    """Sensor reports and a sentence with their value, which the eval answers write with two decimals, as another person would."""
    scenes = distinct_scenes(report, 140, 3)
    for name, part, decimals in (("train", scenes[:110], ""), ("eval", scenes[110:], ".00")):
        rows = [{"input": scene.text, "output": f"The sensor reads {scene.facts['value']}{decimals} today."} for scene in part]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "case.yaml").write_text(NUMBERS_CASE, encoding="utf-8")
    return folder / "case.yaml"


@pytest.mark.long
def test_numbers_in_prose_count_by_their_value_and_end_in_a_verified_card(tmp_path: Path) -> None:
    card = card_of(write_numbers_in_prose(tmp_path), tmp_path / "run")
    tuned = next(arm for arm in card["arms"] if arm["arm"] == "tuned")
    assert tuned["metrics"]["pattern_match"] == pytest.approx(tuned["correct"]["rate"]) and tuned["correct"]["rate"] > 0.5
    assert tuned["metrics"]["exact_match"] == 0, "no answer is written as the eval answers are, and the numbers are equal"
    assert card["verdict"]["difference"]["metric"] == "pattern_match"
