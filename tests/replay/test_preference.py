"""A judge decides a run: it is checked first, what it said is stored and paid for once, and a judge that fails decides nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import WriteJsonl, tuneproof
from tests.manifests import forge_card_inputs, forge_digests, write_manifest
from tests.replay.test_script_metric import ROWS
from tests.server import LoopbackServer, loopback
from tests.stub_judge import prefers, voice
from tuneproof.engine.card.verify import verify
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with loopback() as found:
        found.rule = prefers(voice)
        yield found


def case_in(folder: Path, rows: Path, judge: dict[str, Any] | None, **sections: Any) -> Path:
    case = {
        "decision": {"private_facts": False, "format_drift": False, "stable_task": True, "style_from_examples": True},
        "task": {"instruction": "Answer the customer in the voice of our brand.", "metric": "preference"},
        "data": {"examples": str(rows)},
        "model": {"base": "sample"},
        "baselines": ["zero_shot"],
        "training": {"epochs": 1},
        "evaluate": {"merged": False, "max_new_tokens": 24},
        **({"judge": judge} if judge is not None else {}),
        **sections,
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(case))
    return folder / "case.yaml"


def endpoint(server: LoopbackServer) -> dict[str, Any]:
    prices = {"usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 2.0}
    return {"url": server.url, "model": "stub", "retries": 0, **prices}


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        (None, "the metric preference needs a judge"),
        pytest.param({"model": "sample", "labelled": "gone.jsonl"}, "there is no such file", marks=pytest.mark.long),
        ({"rubric": "Be brief."}, "give either `endpoint` or `model`"),
        pytest.param({"model": "no/such/folder"}, "no/such/folder", marks=pytest.mark.long),
    ],
)
def test_a_judge_that_is_not_there_is_named_before_any_arm(
    judge: dict[str, Any] | None, said: str, tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    result = tuneproof("--replay", case_in(tmp_path, write_jsonl(ROWS), judge), "--run-dir", tmp_path / "run", "--until", "baselines")
    assert result.code == 2 and said in result.err
    assert not (tmp_path / "run" / "arms").exists()


def change(store: RunStore, step: StepId, name: str, text: str) -> None:
    """Changes a file of a step, and forges every digest of it."""
    store.write(name, text)
    forge_digests(store, step)
    manifest = store.manifest
    forge_card_inputs(manifest)
    write_manifest(store, manifest)


@pytest.mark.long
def test_a_judge_decides_and_verify_notices_a_changed_verdict(tmp_path: Path, write_jsonl: WriteJsonl, server: LoopbackServer) -> None:
    label = {"request": "Ann asks.", "a": "Hello Ann! It is on its way.", "b": "no", "better": "a"}
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(label) + "\n" for _ in range(20)))
    judge = {"endpoint": endpoint(server), "rubric": "The better answer greets by name.", "labelled": "pairs.jsonl"}
    run = tmp_path / "run"
    result = tuneproof("--replay", case_in(tmp_path, write_jsonl(ROWS), judge), "--run-dir", run, "--json")
    assert result.code == 0, result.err
    card = json.loads(result.out)["card"]
    section = card["judge"]
    assert section["may_decide"] and section["check"]["known"]["pairs"] >= 20 and section["check"]["labelled"]["agreed"] == 20
    assert section["usd"] > 0 and "greets by name" in section["judge"]["prompt"]
    difference = card["verdict"]["difference"]
    assert difference["judged"] and difference["metric"] == "preference"
    assert all("preference" in arm["metrics"] for arm in card["arms"])
    assert "by their loss" in card["method"]["summary"]
    assert tuneproof("verify", run).code == 0

    store, name = RunStore(run), "judge/labelled.jsonl"
    labelled = store.read(name)
    first, *others = labelled.splitlines()
    decided = json.dumps({**json.loads(first), "judgement": {"not_asked": "first"}}, separators=(",", ":"))
    change(store, StepId(StepKind.JUDGE), name, "".join(f"{line}\n" for line in [decided, *others]))
    with pytest.raises(VerifyFailed, match="the verdict on pair 1 does not fit its answers"):
        verify(store)
    change(store, StepId(StepKind.JUDGE), name, labelled)

    store, name = RunStore(run), "arms/tuned/judgements_zero_shot.jsonl"
    rows = [json.loads(line) for line in store.read(name).splitlines()]
    asked = next(row for row in rows if "replies" in row["judgement"])
    asked["judgement"]["replies"] = asked["judgement"]["replies"][::-1] if len(set(asked["judgement"]["replies"])) > 1 else ["A", "B"]
    store.write(name, "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    with pytest.raises(VerifyFailed, match="not what the run wrote") as found:
        verify(store)
    assert found.value.where.endswith(name)
    change(store, StepId(StepKind.JUDGED, "tuned:zero_shot"), name, store.read(name))
    with pytest.raises(VerifyFailed, match="do not follow from the stored files"):
        verify(store)


@pytest.mark.long
def test_a_verdict_is_paid_for_once_in_a_run_that_broke_off(tmp_path: Path, write_jsonl: WriteJsonl, server: LoopbackServer) -> None:
    case, run = case_in(tmp_path, write_jsonl(ROWS), {"endpoint": endpoint(server)}), tmp_path / "run"
    server.remaining = 70
    broken = tuneproof("--replay", case, "--run-dir", run, "--until", "baselines")
    assert broken.code == 4 and (run / "judge" / "kept.jsonl").exists()
    answered, before = 70, len(server.bodies)
    server.remaining = None
    resumed = tuneproof("--replay", case, "--run-dir", run, "--resume", "--until", "baselines")
    assert resumed.code == 0, resumed.err
    asked = Counter(json.dumps(body) for body in server.bodies[before:])
    assert set(asked.values()) == {1}
    assert not asked.keys() & {json.dumps(body) for body in server.bodies[:answered]}


@pytest.mark.long
def test_a_judge_on_this_machine_that_fails_its_check_decides_nothing(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    run = tmp_path / "run"
    case = case_in(tmp_path, write_jsonl(ROWS), {"model": "sample"}, target={"at_least": 0.01})
    result = tuneproof("--replay", case, "--run-dir", run, "--json")
    assert result.code == 0, result.err
    card = json.loads(result.out)["card"]
    assert not card["judge"]["may_decide"] and card["judge"]["verdicts"]["unreadable"] == 0
    assert card["verdict"]["answer"] == "inconclusive" and "may not decide" in card["verdict"]["headline"]
    assert "may not decide" in (run / "events.jsonl").read_text()
    assert tuneproof("verify", run).code == 0
