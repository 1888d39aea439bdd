"""Untuned answers have room to be whole, and the card says how many were cut all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Result, sample_case, tuneproof


def arm_facts(run: Path, arm: str) -> dict[str, object]:
    facts: dict[str, object] = json.loads((run / "arms" / arm / "arm.json").read_text())
    return facts


def test_an_untuned_answer_has_four_times_the_room_of_the_longest_one_and_a_tuned_one_keeps_its_own(finished: tuple[Path, Result]) -> None:
    run, _ = finished
    # The longest answer of the sample case has 20 tokens, and one that ends it.
    for arm in ("zero_shot", "few_shot"):
        assert arm_facts(run, arm)["answer_tokens"] == 256 and arm_facts(run, arm)["ends_with_document"] is True
    tuned = arm_facts(run, "tuned")["answer_tokens"]
    assert isinstance(tuned, int) and 26 <= tuned <= 64


@pytest.mark.long
def test_the_case_can_name_the_room_of_every_answer_and_the_card_counts_those_that_were_cut(tmp_path: Path) -> None:
    run = tmp_path / "run"
    case = ("--replay", sample_case(), "--run-dir", run, "--set", "baselines=[zero_shot]", "--until", "baselines")
    assert tuneproof(*case, "--set", "evaluate.max_new_tokens=6").code == 0
    assert arm_facts(run, "zero_shot")["answer_tokens"] == 6
    again = tuneproof(
        "--replay", sample_case(), "--run-dir", run, "--resume", "--set", "evaluate.max_new_tokens=60", "--until", "baselines"
    )
    assert again.code != 0, "answers that were measured with other room are not used as if they had this one"
    assert tuneproof("card", run).code in (0, 2)
    scores = json.loads((run / "arms/zero_shot/scores.json").read_text())
    assert scores["truncated"] == 80
