"""Conversations that a split by rows would tear apart are named before the freeze and counted after it, and `group_by` keeps them whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import WriteCase, WriteJsonl, set_options, tuneproof

CASE = {
    "version": 1,
    "name": "unrolled",
    "decision": {"private_facts": False, "format_drift": True, "stable_task": True, "labeled_examples": 120},
    "task": {"instruction": "Help the caller with what they ask.", "output": {"kind": "text"}},
    "data": {"examples": "rows.jsonl"},
}


def unrolled(conversations: int = 40, turns: int = 3) -> list[dict[str, object]]:
    """Every turn of each conversation as a row of its own."""
    rows: list[dict[str, object]] = []
    for number in range(conversations):
        messages: list[dict[str, str]] = []
        for turn in range(turns):
            asked = f"Caller {number * 7919 % 997} says that machine {number * 31 + turn * 577 % 91} in hall {turn * 13 + number} stopped."
            messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": f"Send form {number}-{turn} to desk {turn}."}]
            rows.append({"messages": list(messages), "conversation_id": f"conv-{number}"})
    return rows


@pytest.fixture
def case(write_case: WriteCase, write_jsonl: WriteJsonl) -> Path:
    write_jsonl(unrolled())
    return write_case(CASE)


def test_a_replay_names_the_groups_before_the_freeze_and_the_eval_rows_after_it(case: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = tuneproof("--replay", case, "--until", "split", "--run-dir", run)
    assert result.code == 0, result.err
    shown = result.out + result.err
    assert "split-groups: `conversation_id` joins 120 of 120 rows in 40 groups" in shown
    assert "set data.split.group_by=conversation_id" in shown
    [found] = json.loads((run / "splits" / "audit.json").read_text())["findings"]
    assert found["check"] == "group-leakage" and f"group-leakage: {found['message']}" in shown
    parts = {part: (run / "splits" / f"{part}.jsonl").read_text().splitlines() for part in ("train", "eval")}
    ids = {part: [json.loads(line)["metadata"]["conversation_id"] for line in lines] for part, lines in parts.items()}
    assert found["message"].startswith(f"{sum(each in ids['train'] for each in ids['eval'])} of {len(ids['eval'])} eval rows")


@pytest.mark.long
def test_a_replay_with_groups_finds_nothing_and_no_conversation_is_in_two_parts(case: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = set_options("data.split.group_by=conversation_id")
    result = tuneproof("--replay", case, "--until", "split", "--run-dir", run, *options)
    assert result.code == 0, result.err
    assert "split-groups" not in result.out + result.err and not (run / "splits" / "audit.json").exists()
    parts = [(run / "splits" / f"{part}.jsonl").read_text().splitlines() for part in ("train", "validation", "eval")]
    train, validation, scored = ({json.loads(line)["metadata"]["conversation_id"] for line in lines} for lines in parts)
    assert not train & validation and not train & scored and not validation & scored
