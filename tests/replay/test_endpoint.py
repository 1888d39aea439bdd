"""A run with a server that fails in many ways: its card, `verify`, `--resume`, and an API key that is written nowhere."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, Result, sample_case, tuneproof
from tests.server import LoopbackServer, loopback
from tuneproof.engine.card.verify import verify
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.worker import work

KEY = "sk-very-secret-0123456789"
ENV = {"OPENAI_API_KEY": KEY, "OMP_NUM_THREADS": "1"}
BAD = {
    "slow": "no reply within 0.5 s",
    "busy": "429 Too Many Requests",
    "broken": "500 Internal Server Error",
    "drops_connection": "connection lost",
    "not_json": "reply is not JSON",
    "unknown_format": "reply has an unknown format",
    "without_text": "reply without text",
    "echoes_key": "500 Internal Server Error",
}
"""The ways in which the server fails, and the reason that is recorded."""

GOOD = ["ok", "once_busy", "wrong", "without_usage"]


def write(folder: Path, url: str, ways: list[str], **endpoint: Any) -> Path:
    """A case that trains nothing, with eval rows that name the way in which the server is to answer."""
    folder.mkdir(exist_ok=True)
    rows = {
        "rows": [{"input": f"row {at}", "output": "no" if at % 2 else "yes"} for at in range(12)],
        "eval": [{"input": f"way={way} case {at}", "output": "yes"} for at, way in enumerate(ways)],
    }
    for name, written in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in written))
    case = {
        "name": "endpoint",
        "decision": {"private_facts": False, "format_drift": True, "stable_task": False},
        "task": {"output": {"kind": "choice", "choices": ["yes", "no"]}},
        "data": {
            "examples": "rows.jsonl",
            "eval": "eval.jsonl",
            "split": {"train": 0.8, "validation": 0.2, "eval": 0.0},
            "accept": {"near-leakage": "made up", "near-duplicate": "made up", "template-leakage": "made up"},
        },
        "model": {"base": "sample"},
        "baselines": ["endpoint"],
        "endpoint": {"url": url, "model": "theirs", "timeout_seconds": 0.5, "retries": 1, **endpoint},
        "target": {"at_least": 0.5},
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False))
    return folder / "case.yaml"


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    with loopback() as serving:
        yield serving


@pytest.fixture(scope="module")
def endpoint_run(server: LoopbackServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("endpoint")
    ways = [way for bad in BAD for way in (bad, GOOD[len(bad) % len(GOOD)])] + GOOD
    prices = {"usd_per_million_input_tokens": 2, "usd_per_million_output_tokens": 10}
    result = tuneproof("--replay", write(folder, server.url, ways, **prices), "--run-dir", folder / "run", env=ENV)
    assert result.code == 0, result.err
    return folder / "run", result


def read(run: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / name).read_text().splitlines()]


def test_a_case_without_an_answer_is_an_endpoint_error_and_not_a_wrong_answer(endpoint_run: tuple[Path, Result]) -> None:
    run, _ = endpoint_run
    cases = {row["id"]: row["input"] for row in read(run, "splits/eval.jsonl")}
    rows = read(run, "arms/endpoint/predictions.jsonl")
    for row in rows:
        way = cases[row["id"]].split()[0].removeprefix("way=")
        assert row.get("unanswered", "") == BAD.get(way, ""), way
        assert (row["failure_class"] == "endpoint_error") == (way in BAD), way
        assert row["correct"] == (way not in BAD and way != "wrong"), way
        assert row.get("attempts", 1) == (2 if way == "once_busy" or (way in BAD and way != "without_text") else 1), way
    logged = read(run, "failures.jsonl")
    assert sorted(row["failure_class"] for row in logged if "unanswered" in row) == ["endpoint_error"] * len(BAD)
    (arm,) = json.loads((run / "card.json").read_text())["arms"]
    wrong = sum("way=wrong" in text for text in cases.values())
    answered = len(cases) - len(BAD)
    assert arm["n"] == answered and arm["correct"]["rate"] == pytest.approx((answered - wrong) / answered, abs=1e-6)
    assert sum(arm["unanswered"].values()) == len(BAD) and arm["unanswered"]["500 Internal Server Error"] == 2
    assert arm["failures"] == {"wrong value": wrong}
    assert not (run / "arms/endpoint/kept.jsonl").exists()


def test_the_card_names_the_server_the_missing_answers_and_the_cost(endpoint_run: tuple[Path, Result], server: LoopbackServer) -> None:
    run, result = endpoint_run
    text = (run / "card.md").read_text()
    total = len(read(run, "splits/eval.jsonl"))
    assert f"endpoint: {len(BAD)} of {total} cases have no answer (2 × 500 Internal Server Error, " in text
    assert "they count neither as right nor as wrong." in text and "1 × no reply within 0.5 s" in text
    assert f"- endpoint: theirs at {server.url}" in text and "the server did not report the tokens of" in text
    assert "| endpoint |" in text and "| 0.0800 |" in text
    assert f"theirs at {server.url}" == json.loads((run / "card.json").read_text())["provenance"]["endpoint"]
    assert "endpoint" in result.out


def test_verify_judges_the_answers_again_without_the_server(endpoint_run: tuple[Path, Result], server: LoopbackServer) -> None:
    run, _ = endpoint_run
    before = sum(server.requests.values())
    result = tuneproof("verify", run)
    assert result.code == 0, result.err
    assert sum(server.requests.values()) == before


def test_the_api_key_is_written_nowhere(endpoint_run: tuple[Path, Result]) -> None:
    run, result = endpoint_run
    assert any("echoes_key" in row["input"] for row in read(run, "splits/eval.jsonl")), "the server sends the key back"
    assert KEY not in result.out + result.err
    files = [path for path in run.rglob("*") if path.is_file()]
    assert {"worker.log", "case.yaml", "manifest.json", "events.jsonl"} <= {path.name for path in files}
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_a_run_whose_server_denies_access_or_is_gone_fails_with_a_fix_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "sk-another-key-1234"
    with loopback() as server:
        server.api_key = KEY
        url, port = server.url, server.server_address[1]
        store = RunStore.create(tmp_path / "run", load_case(write(tmp_path, url, ["ok"] * 20, retries=0, concurrency=1)))
        monkeypatch.setenv("OPENAI_API_KEY", wrong)
        assert work(store.path, Stage.CARD, StopRequest()) == ExitCode.FAILED
        message = failure(store)
        assert "401 Unauthorized" in message and "OPENAI_API_KEY has the wrong key: set it and add --resume" in message
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        server.remaining = 5
        assert work(store.path, Stage.CARD, StopRequest()) == ExitCode.FAILED
        assert "the endpoint does not answer (connection lost" in failure(store) and "--resume" in failure(store)
    assert work(store.path, Stage.CARD, StopRequest()) == ExitCode.FAILED
    assert f"{url}: the endpoint does not answer (no connection" in failure(store)
    with loopback(port) as again:
        assert work(store.path, Stage.CARD, StopRequest()) == ExitCode.DONE, failure(store)
        assert sum(again.requests.values()) == 15
    verify(store)
    written = [path.read_bytes() for path in store.path.rglob("*") if path.is_file()]
    assert not [text for text in written if KEY.encode() in text or wrong.encode() in text]


def failure(store: RunStore) -> str:
    """The message of the last failure in the events of a run."""
    message = [event for event in read(store.path, "events.jsonl") if event["kind"] == "failed"]
    return str(message[-1]["message"]) if message else "it did not fail"


def test_the_arm_without_its_section_is_refused_before_the_run_starts(tmp_path: Path) -> None:
    case = write(tmp_path, "http://localhost/v1", ["ok"])
    result = tuneproof("--replay", case, "--run-dir", tmp_path / "run", "--set", "endpoint=null", env=ENV)
    assert result.code == 2 and "names no endpoint" in result.err and "url:" in result.err and not (tmp_path / "run" / "arms").exists()


@pytest.fixture(scope="module")
def transformers_serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a `transformers serve` that has loaded no model yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log"
    command = [
        sys.executable,
        "-m",
        "transformers.cli.transformers",
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--device",
        "cpu",
    ]
    with log.open("wb") as file:
        serving = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, "HF_HUB_OFFLINE": "1", **ENV})
    try:
        deadline = time.monotonic() + 180
        while not _is_up(f"http://127.0.0.1:{port}/health"):
            assert serving.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        serving.terminate()
        serving.wait(30)


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.mark.long
def test_transformers_serve_gives_the_same_answers_as_local_decoding(transformers_serve: str, tmp_path: Path) -> None:
    case = yaml.safe_load(sample_case().read_text())
    for part, name, rows in (("examples", "support_tickets.jsonl", 40), ("eval", "support_tickets_eval.jsonl", 8)):
        (tmp_path / name).write_text("".join((ROOT / "sample_cases" / name).read_text().splitlines(keepends=True)[:rows]))
        case["data"][part] = name
    endpoint = {"url": transformers_serve, "model": str(ROOT / "sample_cases" / "model"), "concurrency": 2}
    (tmp_path / "case.yaml").write_text(yaml.safe_dump({**case, "baselines": ["zero_shot", "endpoint"], "endpoint": endpoint}))
    result = tuneproof("--replay", tmp_path / "case.yaml", "--run-dir", tmp_path / "run", "--until", "baselines", env=ENV)
    assert result.code == 0, result.err
    here, there = (read(tmp_path / "run", f"arms/{arm}/predictions.jsonl") for arm in ("zero_shot", "endpoint"))
    assert len(there) == 8 and not any(row.get("unanswered") for row in there)
    for mine, theirs in zip(here, there, strict=True):
        same = {"id", "output", "expected", "format_valid", "correct", "failure_class", "truncated", "prompt_tokens"}
        assert {key: mine[key] for key in same} == {key: theirs[key] for key in same}
