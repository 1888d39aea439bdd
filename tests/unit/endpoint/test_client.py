"""Requests to a real server on loopback: retries, rate limits, giving up, the cache of answers, and the API key."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.server import LoopbackServer, loopback
from tuneproof.engine.case.endpoint import Endpoint
from tuneproof.engine.core.errors import CaseError, ExitCode, Interrupted, RunFailed
from tuneproof.engine.data.example import Message
from tuneproof.engine.decoding.completion import Completion
from tuneproof.engine.endpoint.client import EndpointClient
from tuneproof.engine.endpoint.server import resolve_server
from tuneproof.engine.run.stop import StopRequest

KEY = "sk-very-secret-0123456789"
KEY_ENV = "TUNEPROOF_TEST_KEY"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    monkeypatch.setenv(KEY_ENV, KEY)
    with loopback() as serving:
        yield serving


def client(server: LoopbackServer | str, folder: Path, **settings: Any) -> EndpointClient:
    url = server if isinstance(server, str) else server.url
    given = {"url": url, "model": "m", "key_env": KEY_ENV, "timeout_seconds": 0.5, "retries": 1, **settings}
    return EndpointClient(resolve_server(Endpoint.model_validate(given)), 16, folder / "kept.jsonl", StopRequest())


def complete(client: EndpointClient, ways: Sequence[str]) -> list[Completion]:
    """One completion a way in which the server is to answer."""
    prompts = [client.prompt([Message("user", f"Answer.\nway={way} {at}")]) for at, way in enumerate(ways)]
    return client.complete(prompts, lambda done, of: None)[0]


@pytest.mark.parametrize(
    ("way", "error", "attempts"),
    [
        ("ok", "", 1),
        ("once_busy", "", 2),
        ("once_broken", "", 2),
        ("without_usage", "", 1),
        ("slow", "no reply within 0.5 s", 2),
        ("busy", "429 Too Many Requests", 2),
        ("busy_for_a_day", "429 Too Many Requests", 1),
        ("broken", "500 Internal Server Error", 2),
        ("rejected", "400 Bad Request", 1),
        ("drops_connection", "connection lost", 2),
        ("torn", "connection lost", 2),
        ("not_json", "reply is not JSON", 2),
        ("unknown_format", "reply has an unknown format", 2),
        ("without_text", "reply without text", 1),
    ],
)
def test_a_failure_is_retried_if_that_can_help_and_has_its_reason(
    server: LoopbackServer, tmp_path: Path, way: str, error: str, attempts: int
) -> None:
    # A good answer too: the client gives up on a server that answers nothing.
    completion, _ = complete(client(server, tmp_path), [way, "ok"])
    assert (completion.error, completion.attempts, server.requests[f"way={way} 0"]) == (error, attempts, attempts)
    assert completion.text == ("" if error else "yes")
    assert completion.usage_known == (not error and way != "without_usage")


def test_an_error_has_the_message_of_the_server(server: LoopbackServer, tmp_path: Path) -> None:
    broken, busy, not_json, _ = complete(client(server, tmp_path), ["broken", "busy_for_a_day", "not_json", "ok"])
    assert broken.error_detail == "it broke" and busy.error_detail == "come back tomorrow"
    assert not_json.error_detail.isprintable() and "garbage" in not_json.error_detail


def test_requests_decode_greedily_and_limit_the_tokens_of_the_answer(server: LoopbackServer, tmp_path: Path) -> None:
    complete(client(server, tmp_path), ["ok"])
    assert {"model": "m", "temperature": 0, "max_tokens": 16}.items() <= server.bodies[0].items()


def test_an_answer_that_the_server_cut_off_is_truncated(server: LoopbackServer, tmp_path: Path) -> None:
    (found,) = complete(client(server, tmp_path), ["truncated"])
    assert (found.text, found.truncated, found.prompt_tokens, found.completion_tokens) == ("ye", True, 30, 2)


def test_no_more_requests_are_open_than_the_case_allows(server: LoopbackServer, tmp_path: Path) -> None:
    server.delay = 0.05
    complete(client(server, tmp_path, concurrency=3), ["ok"] * 12)
    assert server.most_open_requests == 3


def test_no_more_requests_a_minute_are_sent_than_the_case_allows(server: LoopbackServer, tmp_path: Path) -> None:
    complete(client(server, tmp_path, requests_per_minute=600, concurrency=8), ["ok"] * 6 + ["once_broken"])
    # Eight requests, each at least 0.1 s after the one before, less the resolution of the clock.
    assert len(server.times) == 8
    assert all(later - earlier > 0.07 for earlier, later in zip(server.times, server.times[1:], strict=False))


def test_all_requests_wait_if_the_server_asks_one_to_wait(server: LoopbackServer, tmp_path: Path) -> None:
    complete(client(server, tmp_path, concurrency=1), ["once_busy", "ok"])
    assert server.times[1] - server.times[0] >= 0.28


@pytest.mark.parametrize("key", [None, "sk-wrong-key-987654321"])
def test_a_missing_or_wrong_api_key_fails_the_run_at_the_first_request(
    server: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    server.api_key = KEY
    monkeypatch.delenv(KEY_ENV) if key is None else monkeypatch.setenv(KEY_ENV, key)
    with pytest.raises(RunFailed, match="401 Unauthorized") as raised:
        complete(client(server, tmp_path, concurrency=1), ["ok"] * 9)
    problem = f"{KEY_ENV} is not set" if key is None else f"{KEY_ENV} has the wrong key"
    assert raised.value.exit_code is ExitCode.FAILED and problem in raised.value.fix and "--resume" in raised.value.fix
    assert sum(server.requests.values()) == 1 and (key is None or key not in str(raised.value))


def test_a_server_that_is_not_running_fails_the_run_at_once(tmp_path: Path) -> None:
    with loopback() as stopped:
        url = stopped.url
    started = time.monotonic()
    with pytest.raises(RunFailed, match="no connection") as raised:
        complete(client(url, tmp_path), ["ok"] * 40)
    assert raised.value.where == url and "--resume" in raised.value.fix and time.monotonic() - started < 5


@pytest.mark.parametrize("url", ["http://127.0.0.1:1.x/v1", "http://a..b/v1", "http://" + "x" * 300 + "/v1"])
def test_an_invalid_url_is_an_error_in_the_case_or_no_connection(tmp_path: Path, url: str) -> None:
    with pytest.raises((CaseError, RunFailed, ValueError), match=r"endpoint|not the URL of a server"):
        complete(client(url, tmp_path, retries=0), ["ok"] * 2)


def test_a_server_that_rejects_every_request_is_an_error_in_the_case(server: LoopbackServer, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="rejects every request") as raised:
        complete(client(server, tmp_path), ["rejected"] * 3)
    assert "`model` (m)" in raised.value.fix


def stop_answering(server: LoopbackServer, folder: Path) -> None:
    """A run in which the server answers five cases and no more."""
    with pytest.raises(RunFailed, match="500 Internal Server Error: it broke"):
        complete(client(server, folder, retries=0), ["ok"] * 5 + ["broken"] * 30)


def test_a_server_that_stops_answering_fails_the_run_after_some_cases(server: LoopbackServer, tmp_path: Path) -> None:
    stop_answering(server, tmp_path)
    assert 15 <= sum(server.requests.values()) < 25


def test_answers_are_kept_for_the_next_attempt_and_a_torn_line_is_dropped(server: LoopbackServer, tmp_path: Path) -> None:
    stop_answering(server, tmp_path)
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(kept.read_bytes() + b'{"request": "torn')
    server.requests.clear()
    found = complete(client(server, tmp_path), ["ok"] * 5 + ["wrong"])
    assert server.requests == {"way=wrong 5": 1} and [completion.text for completion in found] == ["yes"] * 5 + ["no"]


def test_answers_of_another_url_are_not_reused(server: LoopbackServer, tmp_path: Path) -> None:
    complete(client(server, tmp_path), ["ok"] * 2)
    server.requests.clear()
    complete(client(server.url.replace("127.0.0.1", "localhost"), tmp_path), ["ok"] * 2)
    assert sum(server.requests.values()) == 2


def test_a_stop_waits_for_open_requests_and_sends_no_more(server: LoopbackServer, tmp_path: Path) -> None:
    stopping = client(server, tmp_path, concurrency=2)
    server.delay = 0.2

    def stop(done: int, of: int) -> None:
        stopping.stop.check()
        stopping.stop.request()

    prompts = [stopping.prompt([Message("user", f"way=ok {at}")]) for at in range(20)]
    with pytest.raises(Interrupted):
        stopping.complete(prompts, stop)
    assert 2 <= sum(server.requests.values()) <= 6
    assert len((tmp_path / "kept.jsonl").read_text().splitlines()) == sum(server.requests.values())


def test_an_api_key_that_the_server_sends_back_is_written_nowhere(
    server: LoopbackServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        found = complete(client(server, tmp_path), ["echoes_key", "answers_key", "ok"])
    assert [completion.error for completion in found] == ["500 Internal Server Error", "reply contains the API key", ""]
    assert found[0].error_detail == "not with Bearer [API key], not with you"
    assert KEY not in repr(found) + caplog.text + (tmp_path / "kept.jsonl").read_text()
