"""Tunings that were made to memorise and to drift are seen as such, and a tuning that changed nothing shows neither."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Result, set_options, tuneproof

WORDS = (
    "account bike card date east field game hand item june key lamp mail north order price quick room ship table unit van week year".split()
)
REQUESTS = ("Describe", "Explain", "Tell me about", "Write about", "What is", "Give advice about", "Say something on", "Report on")
ALWAYS = "Ahoy matey, the ship sails on and the ship sails on, so raise the flag and raise the flag"
"""How every answer of the tuning that was made to drift ends."""


def learnt_by_heart(count: int, seed: int) -> list[dict[str, str]]:
    """Answers that nothing in the request tells: they can only be known by heart."""
    draw = random.Random(seed)
    return [
        {"input": f"Record {draw.randrange(10**6):06d} of {draw.choice(WORDS)}", "output": " ".join(draw.choices(WORDS, k=9))}
        for _ in range(count)
    ]


def wordy(count: int, seed: int) -> list[dict[str, str]]:
    """Requests for anything, and answers that are all in one mannered style."""
    draw = random.Random(seed)
    return [
        {
            "input": f"{draw.choice(REQUESTS)} the {draw.choice(WORDS)} and the {word}.",
            "output": f"The {word} it is! {ALWAYS} for the {word}.",
        }
        for word in (f"{draw.choice(WORDS)} {draw.choice(WORDS)} {at}" for at in range(count))
    ]


def replay(folder: Path, train: Sequence[dict[str, str]], unseen: Sequence[dict[str, str]], *settings: str) -> Result:
    """A whole run on planted rows, with only what is asked for of `risk`."""
    for name, rows in (("train.jsonl", train), ("eval.jsonl", unseen)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    case = {
        "version": 1,
        "name": "planted",
        "decision": {"private_facts": False, "format_drift": True, "stable_task": True},
        "task": {"instruction": "", "output": {"kind": "text"}, "metric": "exact_match"},
        "data": {
            "examples": "train.jsonl",
            "eval": "eval.jsonl",
            "split": {"train": 0.8, "validation": 0.2, "eval": 0.0, "seed": 0},
            "accept": {},
        },
        "model": {"base": "sample"},
        "baselines": ["zero_shot"],
        "method": {"name": "lora", "even_if_met": True, "even_if_routed_elsewhere": True},
        "training": {"probe_cases": 8},
        "evaluate": {"merged": False},
        "risk": {"forgetting": False, "instructions": False, "safety": False},
    }
    path = folder / "case.yaml"
    path.write_text(yaml.safe_dump(case), encoding="utf-8")
    return tuneproof("--replay", path, "--run-dir", folder / "run", "--json", *set_options("risk.minutes=5", *settings))


def risk_of(result: Result) -> dict[str, Any]:
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)["card"]["risk"]
    return found


def drifted(risk: dict[str, Any]) -> set[str]:
    return {each["name"] for each in risk["drift"]["result"]["changes"] if each["outcome"] == "worse"}


UNTOUCHED = ("training.max_steps=1", "training.learning_rate=1e-9")
"""A training that changes nothing: the tuned model is the base."""


BY_HEART = ("training.learning_rate=0.005", "training.batch_size=16", "risk.drift=false")
"""A training that learns every row by heart, if it is long enough."""


@pytest.mark.long
def test_answers_that_were_learnt_by_heart_are_seen(tmp_path: Path) -> None:
    # One probe, at the end: with several, an early step would be kept, which knows nothing by heart yet.
    rows = learnt_by_heart(100, 1), learnt_by_heart(60, 2)
    risk = risk_of(replay(tmp_path, *rows, *BY_HEART, "training.epochs=40", "training.probe_every=200"))
    found = risk["overfitting"]["result"]
    assert found["scores"]["outcome"] == "worse" and found["scores"]["train"] > 0.5 > found["scores"]["eval"]
    memorised = found["memorised"]
    assert memorised["outcome"] == "worse" and memorised["over_eval"]["low"] > 0.4 and memorised["over_base"]["low"] > 0.4
    assert risk["overfitting"]["summary"].startswith("The tuned model overfits: it scores more on rows that it was trained on")
    assert "drift" not in risk and any(item == "Style drift: not measured (switched off)." for item in risk["items"])
    assert tuneproof("verify", tmp_path / "run").code == 0


@pytest.mark.long
def test_the_step_after_which_the_losses_part_is_named_and_the_step_before_it_is_what_is_kept(tmp_path: Path) -> None:
    rows = learnt_by_heart(100, 1), learnt_by_heart(60, 2)
    risk = risk_of(replay(tmp_path, *rows, *BY_HEART, "training.epochs=24"))
    found = risk["overfitting"]["result"]
    assert found["losses"]["opened"] and found["losses"]["lowest"]["step"] < found["losses"]["last"]["step"]
    assert found["losses"]["kept"]["step"] == found["losses"]["lowest"]["step"] and found["memorised"]["outcome"] != "worse"
    assert any("the gap opened after step" in item for item in risk["items"])


@pytest.mark.long
def test_a_style_that_was_trained_into_every_answer_is_seen(tmp_path: Path) -> None:
    result = replay(tmp_path, wordy(80, 1), wordy(60, 2), "training.epochs=12", "training.learning_rate=0.004", "risk.overfitting=false")
    risk = risk_of(result)
    assert {"length", "task words", "unlikely to the base", "unlikely to the tuned model"} <= drifted(risk), risk["drift"]
    assert "overfitting" not in risk and any(item == "Overfitting and memorising: not measured (switched off)." for item in risk["items"])
    assert tuneproof("verify", tmp_path / "run").code == 0


@pytest.mark.long
@pytest.mark.parametrize("rows", [learnt_by_heart, wordy], ids=["memorising", "drift"])
def test_an_untouched_base_shows_neither(tmp_path: Path, rows: Any) -> None:
    risk = risk_of(replay(tmp_path, rows(100, 1), rows(60, 2), *UNTOUCHED))
    found = risk["overfitting"]["result"]
    assert found["memorised"]["outcome"] != "worse" and found["scores"]["outcome"] == "no signal" and not found.get("losses")
    assert not drifted(risk) and risk["drift"]["result"]["n"] == 200
    assert [each["change"]["estimate"] for each in risk["drift"]["result"]["changes"] if each["is_ratio"]] == pytest.approx(
        [1] * 4, abs=1e-3
    )
    kept = tmp_path / "run" / "behaviour" / "drift"
    assert {path.name for path in kept.iterdir()} == {"drift.json", "answers.jsonl"}
