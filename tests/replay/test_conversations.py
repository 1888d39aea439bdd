"""Whole cases of answers that call tools, and of chats of several turns: both end in a card that verifies."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import tuneproof
from tests.manifests import forge_digests
from tests.unit.models.bases import base_with
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.run.step_id import StepId
from tuneproof.engine.run.store import RunStore

CITIES = "Berlin Lisbon Oslo Vienna Prague Dublin Athens Warsaw".split()
BEFORE = ["Hello. ", "", "Please help: ", "Hi! ", "Good evening. "]
AFTER = ["", " Thanks.", " It is urgent.", " It is for my mother.", " Two people."]
WISHES = {
    "weather": ["Will it rain in {}?", "How warm is {}?", "Is it windy in {}?"],
    "hotels": ["Find me a room in {}.", "Where can I sleep in {}?", "I need a bed in {}."],
    "trains": ["How do I get to {}?", "When is the next train to {}?", "I have to travel to {}."],
}
"""Requests for each tool; each tool takes a city."""

TEAMS = {"late": "delivery", "lost": "delivery", "broken": "returns", "charged twice": "billing"}


def tool(name: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return {"type": "function", "function": {"name": name, "description": f"The {name} of a city.", "parameters": parameters}}


def rows_with_calls(count: int) -> list[dict[str, Any]]:
    """Different requests, each answered by the call of one of three tools."""
    rng, asked, rows = random.Random(0), set[str](), list[dict[str, Any]]()
    while len(rows) < count:
        name, city = rng.choice(list(WISHES)), rng.choice(CITIES)
        request = rng.choice(BEFORE) + rng.choice(WISHES[name]).format(city) + rng.choice(AFTER)
        if request not in asked:
            asked.add(request)
            call = {"id": f"c{len(rows)}", "type": "function", "function": {"name": name, "arguments": json.dumps({"city": city})}}
            turns = [{"role": "user", "content": request}, {"role": "assistant", "content": None, "tool_calls": [call]}]
            rows.append({"messages": turns, "tools": [tool(each) for each in WISHES]})
    return rows


def chats(count: int) -> list[dict[str, Any]]:
    """Conversations of two or three requests, each answered by the team that takes it."""
    rng, rows = random.Random(1), list[dict[str, Any]]()
    for number in range(count):
        turns = []
        for _ in range(rng.choice([2, 3])):
            what = rng.choice(list(TEAMS))
            request = rng.choice(["My parcel {} is {}.", "Parcel {} came, it is {}.", "What about parcel {}, it is {}?"])
            turns += [
                {"role": "user", "content": request.format(rng.randrange(100, 999), what)},
                {"role": "assistant", "content": TEAMS[what]},
            ]
        rows.append({"messages": turns, "number": number})
    return rows


def card_of(folder: Path, rows: list[dict[str, Any]], case: dict[str, Any]) -> dict[str, Any]:
    """The card of a case with these rows, whose run verifies."""
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    whole = {"version": 1, "decision": {"private_facts": False, "format_drift": True, "stable_task": True}, **case}
    (folder / "case.yaml").write_text(yaml.safe_dump(whole))
    result = tuneproof("--replay", folder / "case.yaml", "--run-dir", folder / "run", "--json")
    assert result.code == 0, result.err
    verified = tuneproof("verify", folder / "run")
    assert verified.code == 0, verified.err
    card: dict[str, Any] = json.loads(result.out)["card"]
    return card


@pytest.mark.long
def test_a_model_that_learns_to_call_tools_in_its_own_template_is_tuned_and_verified(tmp_path: Path) -> None:
    base_with("own_tools", tmp_path / "base")
    card = card_of(
        tmp_path,
        rows_with_calls(160),
        {
            "name": "tools",
            "task": {"instruction": "Help with the tools that you have.", "output": {"kind": "tool_calls"}},
            "data": {"examples": "rows.jsonl"},
            "model": {"base": "base"},
            "baselines": ["zero_shot", "few_shot"],
            "method": {"name": "full"},
            "training": {"epochs": 12, "learning_rate": 0.001, "probe_every": 200},
        },
    )
    arms = {each["arm"]: each for each in card["arms"]}
    assert card["verdict"]["answer"] == "tune" and arms["tuned"]["correct"]["rate"] > 0.5 > arms["few_shot"]["correct"]["rate"]
    predictions = [json.loads(line) for line in (tmp_path / "run/arms/tuned/predictions.jsonl").read_text().splitlines()]
    assert all(each["prompt"].startswith("<|system|>weather(city): The weather of a city.") for each in predictions)
    right = next(each for each in predictions if each["correct"])
    assert right["output"].startswith('{"name": ') and right["expected"].startswith("<tool_call>")
    assert json.loads((tmp_path / "run/model.json").read_text())["tools"] == "own"
    _call_another_tool(RunStore(tmp_path / "run"), right["output"])
    assert tuneproof("verify", tmp_path / "run").code == ExitCode.DIFFERS, "a call that is judged otherwise than it was is noticed"


def _call_another_tool(store: RunStore, output: str) -> None:
    """Changes a right answer, and makes its digest fit."""
    file, written = "arms/tuned/predictions.jsonl", json.dumps(output)[1:-1]
    name = json.loads(output)["name"]
    text = store.read(file)
    store.write(file, text.replace(written, written.replace(name, "taxis"), 1))
    forge_digests(store, StepId.arm("tuned"))


@pytest.mark.long
def test_every_turn_of_a_chat_is_learned_and_scored_and_the_interval_counts_chats(tmp_path: Path) -> None:
    card = card_of(
        tmp_path,
        chats(60),
        {
            "name": "chat",
            "task": {"instruction": "Say which team takes the request.", "output": {"kind": "choice"}},
            "data": {"examples": "rows.jsonl", "turns": "all"},
            "model": {"base": "sample"},
            "baselines": ["zero_shot", "constrained"],
            "method": {"name": "lora"},
            "training": {"epochs": 6, "learning_rate": 0.003},
        },
    )
    verdict = card["verdict"]
    assert re.search(r"\d+ examples, the answers of (59|60) conversations, from rows.jsonl", (tmp_path / "run/card.md").read_text())
    assert verdict["answer"] == "tune" and verdict["difference"]["interval"] == "delete-one-cluster jackknife, Student's t"
    frozen = {
        part: [json.loads(line) for line in (tmp_path / f"run/splits/{part}.jsonl").read_text().splitlines()]
        for part in ("train", "validation", "eval")
    }
    chats_of = {part: {row["conversation"] for row in rows} for part, rows in frozen.items()}
    assert not chats_of["train"] & chats_of["eval"] and not chats_of["validation"] & chats_of["eval"]
    assert verdict["difference"]["clusters"] == len(chats_of["eval"]) < len(frozen["eval"])
    assert all(len(row["history"]) in (0, 2, 4) for row in frozen["eval"]) and any(not row["history"] for row in frozen["eval"])
