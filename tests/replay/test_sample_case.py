"""The sample case goes from the first question to a verified card, by the real command."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml
from safetensors import safe_open

from tests.conftest import Result, sample_case, tuneproof
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.state import RunState, RunStatus

FIELDS = ["decision", "data_shape", "method", "eval_set", "risk", "verdict", "arms", "provenance"]


def test_the_text_starts_with_the_two_lines_of_the_contract(finished: tuple[Path, Result]) -> None:
    lines = finished[1].out.splitlines()
    assert lines[0] == "route: fine-tuning candidate"
    assert lines[1] == "minimum_before_training: ['prompt baseline', 'validation set', 'failure log']"
    assert sum("->" in line for line in lines[2:]) == 13
    assert lines[lines.index("what to do next:") + 1].startswith("  Measure the best prompt first")


def test_the_case_ends_in_tune_because_the_format_drifts_untuned(finished: tuple[Path, Result]) -> None:
    card = json.loads((finished[0] / "card.json").read_text())
    arms = {arm["arm"]: arm for arm in card["arms"]}
    assert set(FIELDS) <= card.keys()
    assert card["verdict"]["answer"] == "tune" and card["verdict"]["meets_target"] is True
    assert 0.2 <= arms["zero_shot"]["format_valid"]["rate"] <= 0.8
    assert arms["tuned"]["correct"]["rate"] >= 0.9
    assert all(arms["tuned"]["correct"]["rate"] > arms[name]["correct"]["rate"] for name in ("zero_shot", "few_shot"))
    assert all(arm["n"] >= 60 and arm["correct"]["low"] <= arm["correct"]["rate"] <= arm["correct"]["high"] for arm in card["arms"])


def test_the_card_says_whether_what_will_be_served_is_what_was_measured(finished: tuple[Path, Result]) -> None:
    run = finished[0]
    card = json.loads((run / "card.json").read_text())
    served, tuned = card["served"], next(arm for arm in card["arms"] if arm["arm"] == "tuned")
    answers = [
        {row["id"]: row["output"] for row in map(json.loads, (run / name / "predictions.jsonl").read_text().splitlines())}
        for name in ("training/merged", "arms/tuned")
    ]
    assert served["answers_changed"] == sum(answers[0][name] != answers[1][name] for name in answers[1])
    assert abs(served["correct"]["rate"] - tuned["correct"]["rate"]) == abs(served["difference"]["estimate"])
    with safe_open(run / "training" / "merged" / "model" / "model.safetensors", "np") as file:
        assert "model.layers.0.mlp.up_proj.weight" in file.keys()  # noqa: SIM118 - it is no dict
    assert f"## Served Model\n\n{served['summary']}\n" in (run / "card.md").read_text()


def test_every_prediction_has_its_prompt_and_every_wrong_one_is_in_the_failure_log(finished: tuple[Path, Result]) -> None:
    run = finished[0]
    logged = Counter(json.loads(line)["arm"] for line in (run / "failures.jsonl").read_text().splitlines())
    for arm in ("zero_shot", "few_shot", "tuned"):
        rows = [json.loads(line) for line in (run / "arms" / arm / "predictions.jsonl").read_text().splitlines()]
        assert all(row["prompt"].endswith("<|assistant|>") for row in rows)
        assert sum(not row["correct"] for row in rows) == logged[arm]
        assert all((row["failure_class"] is None) == row["correct"] for row in rows)


def test_the_events_give_the_state_of_the_finished_run(finished: tuple[Path, Result]) -> None:
    state = RunState()
    for event in EventReader(finished[0] / "events.jsonl").read():
        state.apply(event)
    assert state.status is RunStatus.FINISHED and state.card is not None and state.card.answer == "tune"
    assert list(state.tuned.steps.step) == list(range(1, len(state.tuned.steps) + 1))
    assert state.tuned.probes and all(probe.samples for probe in state.tuned.probes[-2:])
    assert all(rate > 0 for rate in state.tuned.steps.tokens_per_second)


def test_the_stored_case_has_every_default_and_replays_the_same_route(finished: tuple[Path, Result], tmp_path: Path) -> None:
    stored = finished[0] / "case.yaml"
    case = yaml.safe_load(stored.read_text())
    assert case["decision"]["needs_actions"] is False and case["training"]["seed"] == 0
    result = tuneproof("--replay", stored, "--until", "route", "--run-dir", tmp_path / "run")
    assert result.code == 0 and result.out.startswith("route: fine-tuning candidate\n")


@pytest.mark.long
def test_a_finished_run_resumes_to_the_same_card_without_doing_anything_again(finished: tuple[Path, Result]) -> None:
    run = finished[0]
    before = (run / "card.json").read_bytes()
    result = tuneproof("--replay", sample_case(), "--run-dir", run, "--resume", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["card"]["verdict"]["answer"] == "tune"
    assert result.err.count("already done with the same inputs") >= 6
    assert (run / "card.json").read_bytes() == before


def test_another_case_is_not_resumed_into_a_run(finished: tuple[Path, Result]) -> None:
    result = tuneproof("--replay", sample_case(), "--run-dir", finished[0], "--resume", "--set", "training.epochs=1")
    assert result.code == 3 and "the model is trained already, with another method or other settings" in result.err
