"""The endpoint arm asks a real server on loopback: again where that can help, never too often, and what gets no answer is told apart."""

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


def ask(asking: EndpointClient, ways: Sequence[str]) -> list[Completion]:
    prompts = [asking.prompt([Message("user", f"Answer.\nway={way} {at}")]) for at, way in enumerate(ways)]
    return asking.complete(prompts, lambda done, of: None)[0]


def test_each_failure_is_retried_as_it_should_be_and_then_told_for_what_it_is(server: LoopbackServer, tmp_path: Path) -> None:
    expected = {
        "well": ("", 1),
        "once_busy": ("", 2),
        "once_broken": ("", 2),
        "untold": ("", 1),
        "slow": ("no reply within 0.5 s", 2),
        "busy": ("429 Too Many Requests", 2),
        "busy_for_long": ("429 Too Many Requests", 1),
        "broken": ("500 Internal Server Error", 2),
        "bad": ("400 Bad Request", 1),
        "drops": ("connection lost", 2),
        "half": ("connection lost", 2),
        "garbage": ("reply is not JSON", 2),
        "shape": ("reply has an unknown format", 2),
        "silent": ("reply without text", 1),
    }
    # Good answers between the bad ones: a server that answers nothing at all is given up.
    ways = [way for bad in expected for way in (bad, "well")]
    found = ask(client(server, tmp_path), ways)[::2]
    for at, (way, (reason, attempts)) in enumerate(expected.items()):
        got = found[at]
        assert (got.error, got.attempts, server.asked[f"way={way} {2 * at}"]) == (reason, attempts, attempts), way
        assert got.text == ("" if reason else "yes") and got.usage_known == (not reason and way != "untold"), way
    by_way = dict(zip(expected, found, strict=True))
    assert by_way["broken"].error_detail == "it broke" and by_way["busy_for_long"].error_detail == "come back tomorrow"
    assert by_way["garbage"].error_detail.isprintable() and "garbage" in by_way["garbage"].error_detail
    assert {"model": "m", "temperature": 0, "max_tokens": 16}.items() <= server.bodies[0].items()


def test_what_was_cut_off_is_an_answer_and_told_as_such(server: LoopbackServer, tmp_path: Path) -> None:
    (found,) = ask(client(server, tmp_path), ["cut"])
    assert (found.text, found.truncated, found.prompt_tokens, found.completion_tokens) == ("ye", True, 30, 2)


def test_no_more_requests_at_a_time_than_the_case_says(server: LoopbackServer, tmp_path: Path) -> None:
    server.takes = 0.05
    ask(client(server, tmp_path, concurrency=3), ["well"] * 12)
    assert server.most_at_once == 3


def test_no_more_requests_a_minute_than_the_case_says(server: LoopbackServer, tmp_path: Path) -> None:
    ask(client(server, tmp_path, requests_per_minute=600, concurrency=8), ["well"] * 6 + ["once_broken"])
    # Eight requests, each at least a tenth of a second after the one before; a tick of the clock is allowed for.
    assert len(server.times) == 8
    assert all(later - earlier > 0.07 for earlier, later in zip(server.times, server.times[1:], strict=False))


def test_all_wait_when_the_server_asks_one_to_wait(server: LoopbackServer, tmp_path: Path) -> None:
    ask(client(server, tmp_path, concurrency=1), ["once_busy", "well"])
    assert server.times[1] - server.times[0] >= 0.28


@pytest.mark.parametrize("key", [None, "sk-wrong-key-987654321"])
def test_who_is_not_let_in_is_told_so_at_once_and_how_to_go_on(
    server: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    server.key = KEY
    monkeypatch.delenv(KEY_ENV) if key is None else monkeypatch.setenv(KEY_ENV, key)
    with pytest.raises(RunFailed, match="401 Unauthorized") as raised:
        ask(client(server, tmp_path, concurrency=1), ["well"] * 9)
    told = f"{KEY_ENV} is not set" if key is None else f"{KEY_ENV} has the wrong key"
    assert raised.value.exit_code is ExitCode.FAILED and told in raised.value.fix and "--resume" in raised.value.fix
    assert sum(server.asked.values()) == 1 and (key is None or key not in str(raised.value))


def test_a_server_that_is_not_there_fails_the_run_at_once(tmp_path: Path) -> None:
    with loopback() as gone:
        url = gone.url
    started = time.monotonic()
    with pytest.raises(RunFailed, match="no connection") as raised:
        ask(client(url, tmp_path), ["well"] * 40)
    assert raised.value.where == url and "--resume" in raised.value.fix and time.monotonic() - started < 5


@pytest.mark.parametrize("url", ["http://127.0.0.1:1.x/v1", "http://a..b/v1", "http://" + "x" * 300 + "/v1"])
def test_an_address_that_is_none_is_a_mistake_in_the_case_or_no_connection(tmp_path: Path, url: str) -> None:
    with pytest.raises((CaseError, RunFailed, ValueError), match=r"endpoint|not the URL of a server"):
        ask(client(url, tmp_path, retries=0), ["well"] * 2)


def test_a_server_that_goes_away_is_given_up_and_what_it_answered_is_not_asked_again(server: LoopbackServer, tmp_path: Path) -> None:
    ways = ["well"] * 5 + ["broken"] * 30
    with pytest.raises(RunFailed, match="500 Internal Server Error: it broke"):
        ask(client(server, tmp_path, retries=0), ways)
    assert 15 <= sum(server.asked.values()) < 25
    before = (tmp_path / "kept.jsonl").read_bytes()
    (tmp_path / "kept.jsonl").write_bytes(before + b'{"request": "torn')
    server.asked.clear()
    found = ask(client(server, tmp_path), ["well"] * 5 + ["wrong"])
    assert server.asked == {"way=wrong 5": 1} and [one.text for one in found] == ["yes"] * 5 + ["no"]
    # What another address answered is not what this one would.
    server.asked.clear()
    ask(client(server.url.replace("127.0.0.1", "localhost"), tmp_path), ["well"] * 2)
    assert sum(server.asked.values()) == 2


def test_a_stop_lets_what_is_under_way_be_answered_and_sends_nothing_more(server: LoopbackServer, tmp_path: Path) -> None:
    asking = client(server, tmp_path, concurrency=2)
    server.takes = 0.2

    def told(done: int, of: int) -> None:
        asking.stop.check()
        asking.stop.ask()

    prompts = [asking.prompt([Message("user", f"way=well {at}")]) for at in range(20)]
    with pytest.raises(Interrupted):
        asking.complete(prompts, told)
    assert 2 <= sum(server.asked.values()) <= 6
    assert len((tmp_path / "kept.jsonl").read_text().splitlines()) == sum(server.asked.values())


def test_a_server_that_sends_the_key_back_does_not_get_it_written_down(
    server: LoopbackServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        found = ask(client(server, tmp_path), ["echoes", "answers_the_key", "well"])
    assert [one.error for one in found] == ["500 Internal Server Error", "reply contains the API key", ""]
    assert found[0].error_detail == "not with Bearer [API key], not with you"
    assert KEY not in repr(found) + caplog.text + (tmp_path / "kept.jsonl").read_text()
