"""Each shipped case ends as it was made to end, by what was measured, and its run verifies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Result, set_options, tuneproof
from tuneproof.sample_cases import make_fixed_labels, make_policy_questions, make_support_tickets, make_too_few

FOLDER = ROOT / "sample_cases"


def card_of(run: Path, case: str, *overrides: str) -> dict[str, Any]:
    words = set_options(*overrides)
    result = tuneproof("--replay", FOLDER / f"{case}.yaml", "--run-dir", run, "--json", *words)
    assert result.code == 0, result.err
    verified = tuneproof("verify", run)
    assert verified.code == 0, verified.err
    card: dict[str, Any] = json.loads(result.out)["card"]
    return card


def rate(card: dict[str, Any], arm: str, what: str = "correct") -> float:
    return next(float(each[what]["rate"]) for each in card["arms"] if each["arm"] == arm)


def test_support_tickets_a_grammar_fixes_the_format_but_not_all_values_and_tuning_wins(finished: tuple[Path, Result]) -> None:
    card = json.loads((finished[0] / "card.json").read_text())
    assert rate(card, "constrained", "format_valid") == 1 and rate(card, "constrained") < 0.9
    assert card["verdict"]["answer"] == "tune" and card["verdict"]["best_untuned_arm"] == "constrained"
    assert card["verdict"]["difference"]["low"] > 0 and card["verdict"]["lightest_arm"] == "tuned"
    assert "The measurement agrees" in card["decision"]["measured"]


@pytest.mark.long
def test_policy_questions_retrieval_beats_tuning(tmp_path: Path) -> None:
    card = card_of(tmp_path / "run", "policy_questions")
    assert card["decision"]["route"] == "RAG first" and "The measurement agrees" in card["decision"]["measured"]
    assert card["verdict"]["answer"] == "do not tune" and card["verdict"]["best_untuned_arm"] == "retrieval"
    assert card["verdict"]["difference"]["high"] < 0
    assert card["verdict"]["reason"].startswith("retrieval is shown to meet the target of 0.8 without any training. tuned: 0 of 60 right")


@pytest.mark.long
def test_fixed_labels_a_parser_is_enough_and_so_is_a_grammar(tmp_path: Path) -> None:
    card = card_of(tmp_path / "run", "fixed_labels")
    assert card["verdict"]["answer"] == "do not tune" and card["verdict"]["lightest_arm"] == "zero_shot + repair"
    assert card["verdict"]["headline"] == "a parser fixes it" and "A parser fixes it" in card["verdict"]["reason"]
    assert rate(card, "zero_shot") < 0.5 and rate(card, "zero_shot + repair") == rate(card, "constrained") == 1
    assert not (tmp_path / "run" / "training").exists()
    assert card["decision"]["route"] == "tooling first", "the format is all that is wrong, as the case answers"
    assert card["arms"][-1]["format_valid"]["rate"] == 1


@pytest.mark.long
def test_too_few_recommends_a_prompt_first_and_a_forced_training_is_inconclusive(tmp_path: Path) -> None:
    card = card_of(tmp_path / "a", "too_few")
    assert card["decision"]["route"] == "prompt baseline first" and "tuned arm" in card["verdict"]["missing"]
    forced = card_of(tmp_path / "b", "too_few", "method.even_if_routed_elsewhere=true")
    assert forced["verdict"]["answer"] == "inconclusive" and forced["verdict"]["difference"]["low"] <= 0
    assert forced["verdict"]["cases_to_tell"] > forced["eval_set"]["n"]


@pytest.mark.parametrize("script", [make_support_tickets, make_policy_questions, make_fixed_labels, make_too_few])
def test_the_data_are_what_the_script_beside_them_makes(script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["make", "--to", str(tmp_path)])
    script.main()
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert made and all(path.read_bytes() == (FOLDER / path.relative_to(tmp_path)).read_bytes() for path in made)
