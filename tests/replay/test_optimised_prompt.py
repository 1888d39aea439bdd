"""A run that searches its prompt with a server as the proposer: stored, resumed, verified, and blind to the eval rows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.manifests import forge_card_inputs, forge_digests, write_manifest
from tests.server import LoopbackServer, loopback
from tuneproof.engine.card.verify import verify
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core import hardware
from tuneproof.engine.core.errors import ExitCode, VerifyFailed
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.step_id import StepId
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.worker import work
from tuneproof.tui.cli import main

ARM = "arms/optimised_prompt"
LABELS = ["billing", "shipping", "returns", "technical", "account"]


def write(folder: Path, url: str | None, eval_output: str = "billing", metric_calls: int = 60) -> Path:
    """A case that searches its prompt with few metric calls, and trains nothing."""
    folder.mkdir(exist_ok=True)
    rows = [json.loads(line) for line in (ROOT / "sample_cases" / "fixed_labels.jsonl").read_text().splitlines()[:24]]
    held_out = [{"input": f"Secret question {at}?", "output": eval_output} for at in range(4)]
    for name, written in (("rows", rows), ("eval", held_out)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in written))
    accepted = ("near-leakage", "near-duplicate", "template-leakage")
    case = {
        "name": "searched",
        "decision": {"private_facts": False, "format_drift": True, "stable_task": False},
        "task": {"instruction": "Sort this support ticket.", "output": {"kind": "choice", "choices": LABELS}},
        "data": {
            "examples": "rows.jsonl",
            "eval": "eval.jsonl",
            "split": {"train": 0.8, "validation": 0.2, "eval": 0.0},
            "accept": dict.fromkeys(accepted, "made up"),
        },
        "model": {"base": "sample"},
        "baselines": ["optimised_prompt"],
        "evaluate": {"max_new_tokens": 4, "prompt_search": {"metric_calls": metric_calls, "seed": 1}},
        **({} if url is None else {"endpoint": {"url": url, "model": "theirs", "retries": 0}}),
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False))
    return folder / "case.yaml"


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    with loopback() as serving:
        serving.answer = "```\nName the topic of the message in one word.\n```"
        yield serving


@pytest.fixture(scope="module")
def store(server: LoopbackServer, tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    folder = tmp_path_factory.mktemp("searched")
    store = RunStore.create(folder / "run", load_case(write(folder, server.url)))
    assert work(store.path, Stage.CARD, StopRequest()) == ExitCode.DONE, store.read("events.jsonl")
    return store


def search_of(store: RunStore) -> dict[str, Any]:
    """How the prompt was searched, but for the time that it took."""
    found: dict[str, Any] = json.loads(store.read(f"{ARM}/search.json"))
    return {key: value for key, value in found.items() if key != "seconds"}


def test_the_search_its_cost_and_its_prompt_are_on_the_card_and_in_the_run_folder(store: RunStore, server: LoopbackServer) -> None:
    card = json.loads(store.read("card.json"))
    arms = {arm["arm"]: arm for arm in card["arms"]}
    search = search_of(store)
    assert next(iter(arms)) == "optimised_prompt"
    assert search["proposer"] == f"theirs at {server.url}" and 10 <= search["metric_calls"] <= 60 and search["proposals"] > 0
    told = arms["optimised_prompt"]["asked"]
    assert f"(gepa {search['version']}, seed 1) took {search['metric_calls']} of 60 metric calls, {search['tokens']:,} tokens" in told
    assert f"theirs at {server.url} was asked for {search['proposals']} instructions" in store.read("card.md")
    assert "{input}" in store.read(f"{ARM}/prompt.txt")
    written = store.manifest.steps[StepId.arm("optimised_prompt")].files
    assert {f"{ARM}/search.json", f"{ARM}/prompt.txt", f"{ARM}/validation.jsonl"} <= written.keys()
    assert not store.has(f"{ARM}/kept.jsonl")
    verify(store)


def test_the_search_never_sees_an_eval_row(store: RunStore, server: LoopbackServer) -> None:
    sent = [json.dumps(body) for body in server.bodies]
    assert sent and any("support ticket" in body for body in sent) and not any("Secret question" in body for body in sent)
    assert "Secret question" not in store.read(f"{ARM}/validation.jsonl") + store.read(f"{ARM}/search.json")


def test_a_search_that_was_cut_off_finds_the_same_and_other_right_answers_to_the_eval_cases_change_nothing(
    store: RunStore, server: LoopbackServer, tmp_path: Path
) -> None:
    cut = RunStore.create(tmp_path / "run", load_case(write(tmp_path, server.url, eval_output="returns")))
    before = len(server.bodies)
    server.remaining = 1
    assert work(cut.path, Stage.CARD, StopRequest()) == ExitCode.FAILED
    server.remaining = None
    assert "the endpoint does not answer (connection lost" in cut.read("events.jsonl")
    assert len(cut.read(f"{ARM}/kept.jsonl").splitlines()) > 10, "answers so far are kept"
    assert work(cut.path, Stage.CARD, StopRequest()) == ExitCode.DONE
    assert search_of(cut) == search_of(store)
    assert len(server.bodies) - before == search_of(store)["proposals"] + 1, "only the request that failed is repeated"


def test_a_base_that_cannot_write_a_prompt_ends_with_the_first_one(tmp_path: Path) -> None:
    run = RunStore.create(tmp_path / "run", load_case(write(tmp_path, None, metric_calls=30)))
    assert work(run.path, Stage.CARD, StopRequest()) == ExitCode.DONE
    search = search_of(run)
    assert search["proposer"] == "the base itself" and search["proposals"] > 0
    (arm, *_) = json.loads(run.read("card.json"))["arms"]
    assert "no better prompt was found" in arm["asked"] and "of 30 metric calls" in arm["asked"]
    verify(run)


def test_a_search_beyond_its_limits_is_noticed(store: RunStore, tmp_path: Path) -> None:
    forged = RunStore(Path(shutil.copytree(store.path, tmp_path / "run")))
    search = json.loads(forged.read(f"{ARM}/search.json"))
    forged.write(f"{ARM}/search.json", json.dumps(search | {"metric_calls": 61}, indent=1) + "\n")
    forge_digests(forged, StepId.arm("optimised_prompt"))
    manifest = forged.manifest
    forge_card_inputs(manifest)
    write_manifest(forged, manifest)
    with pytest.raises(VerifyFailed, match="did not keep to the limits"):
        verify(forged)


def test_without_the_library_the_case_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hardware, "is_installed", lambda _: False)
    assert main(["--replay", str(write(tmp_path, None)), "--run-dir", str(tmp_path / "run")]) == 2
    assert "pip install 'tuneproof[optimise]'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_case_without_validation_rows_is_refused_before_anything_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case, split = write(tmp_path, None), "data.split={train: 1.0, validation: 0, eval: 0}"
    assert main(["--replay", str(case), "--run-dir", str(tmp_path / "run"), "--set", split]) == 2
    assert "the search needs validation cases" in capsys.readouterr().err
