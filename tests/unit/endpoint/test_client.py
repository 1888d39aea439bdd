"""The endpoint arm asks a real server on loopback: again where that can help, never too often, and what gets no answer is told apart."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.server import LoopbackServer, loopback
from tuneproof.engine.arms.endpoint import EndpointArm
from tuneproof.engine.case.endpoint import Endpoint
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.schema import Case
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.core.errors import CaseError, ExitCode, Interrupted, RunFailed
from tuneproof.engine.data.example import Message
from tuneproof.engine.decoding.completion import Completion
from tuneproof.engine.endpoint.client import EndpointClient
from tuneproof.engine.endpoint.server import resolve_server
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.scoring.case_changes import compare_cases
from tuneproof.engine.scoring.judges import FailureClass, make_judge
from tuneproof.engine.scoring.partial_credit import partial_credit_difference
from tuneproof.engine.scoring.predictions import (
    Prediction,
    failure_log,
    judge_again,
    judge_output,
    read_predictions,
    score_predictions,
    to_jsonl,
    unanswered_prediction,
)
from tuneproof.engine.scoring.verdict import ScoredArm, VerdictAnswer, decide_verdict, meets_target, paired_difference

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


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        ({"url": "http://me:hunter2@localhost/v1", "model": "m"}, "a user or a password in it"),
        ({"url": "http://localhost/v1?key=hunter2", "model": "m"}, "has a `?` or `#` in it"),
        ({"url": "hunter2", "model": "m"}, "not the URL of a server"),
        ({"url": "http://localhost/v1", "model": "m", "key_env": "hunter2"}, "never the key itself"),
        ({"url": "http://localhost/v1", "model": "m", "key": "hunter2"}, "unknown key `endpoint.key`"),
        ({"url": "http://localhost/v1", "model": "m", "body": {"stream": True}}, "`body` cannot have `stream`"),
        ("http://me:hunter2@localhost/v1", "endpoint"),
    ],
)
def test_a_secret_in_the_case_is_refused_without_being_shown(write_case: Any, endpoint: Any, told: str) -> None:
    decision = {"private_facts": False, "format_drift": True, "stable_task": True}
    for path, overrides in (
        (write_case({"name": "x", "decision": decision, "endpoint": endpoint}), []),
        (write_case({"name": "x", "decision": decision}, "other.yaml"), [f"endpoint={endpoint!r}"]),
    ):
        with pytest.raises(CaseError) as raised:
            load_case(path, overrides)
        assert told in str(raised.value) and "hunter2" not in str(raised.value)


def test_the_url_of_the_environment_serves_where_the_case_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Endpoint(model="m")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(CaseError, match="OPENAI_BASE_URL"):
        resolve_server(settings)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1/")
    assert resolve_server(settings).url == "http://localhost:8000/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:hunter2@localhost/v1")
    with pytest.raises(CaseError) as raised:
        resolve_server(settings)
    assert "hunter2" not in str(raised.value)


TASK = Task.model_validate({"output": {"kind": "choice", "choices": ["yes", "no"]}})
JUDGE = make_judge(TASK, [])


def answer(at: int, output: str, **told: Any) -> Prediction:
    return judge_output(str(at), "?", output, "yes", JUDGE, truncated=False, prompt_tokens=30, output_tokens=2, **told)


def endpoint_arm(right: int, wrong: int, gone: int, reason: str = "no reply within 60 s") -> ScoredArm:
    rows = [answer(at, "yes" if at < right else "no") for at in range(right + wrong)]
    rows += [unanswered_prediction(str(right + wrong + at), "?", "yes", reason, "busy", 5) for at in range(gone)]
    return ScoredArm(score_predictions("endpoint", rows, TASK.output.kind, JUDGE, 7.0), rows, is_external=True)


def local_arm(name: str, right: Sequence[bool]) -> ScoredArm:
    rows = [answer(at, "yes" if good else "no") for at, good in enumerate(right)]
    return ScoredArm(score_predictions(name, rows, TASK.output.kind, JUDGE, 1.0), rows)


def test_what_has_no_answer_counts_neither_as_right_nor_as_wrong() -> None:
    arm = endpoint_arm(right=60, wrong=10, gone=10)
    scores = arm.scores
    assert (scores.n, scores.asked, scores.unanswered) == (70, 80, {"no reply within 60 s": 10})
    assert scores.correct.rate == pytest.approx(60 / 70, abs=1e-6) and scores.metrics[Metric.CHOICE_ACCURACY] == scores.correct.rate
    assert (scores.tokens_per_case, scores.seconds_per_case, scores.attempts) == (32, 0.1, 70 + 50)
    assert scores.failures == {FailureClass.WRONG_VALUE: 10}
    logged = failure_log("endpoint", arm.predictions)
    assert [row.failure_class for row in logged] == [FailureClass.WRONG_VALUE] * 10 + [FailureClass.ENDPOINT_ERROR] * 10
    assert logged[-1].unanswered == "no reply within 60 s" and logged[-1].server_said == "busy"
    assert read_predictions(to_jsonl(arm.predictions)) == arm.predictions
    assert [judge_again(p, JUDGE, p.expected) for p in arm.predictions] == arm.predictions


def test_the_tokens_that_are_not_told_are_not_counted_as_none() -> None:
    rows = [
        answer(0, "yes"),
        judge_output("1", "?", "yes", "yes", JUDGE, truncated=False, prompt_tokens=0, output_tokens=0, tokens_told=False),
    ]
    scores = score_predictions("endpoint", rows, TASK.output.kind, JUDGE, 1.0)
    assert (scores.tokens_per_case, scores.tokens_untold) == (32, 1)


def test_a_target_is_met_only_if_it_would_be_with_what_has_no_answer_as_wrong() -> None:
    arm = endpoint_arm(right=66, wrong=4, gone=10)
    assert not meets_target(arm.scores, TASK, Target(at_least=0.9)) and meets_target(arm.scores, TASK, Target(at_least=0.82))
    found = decide_verdict([arm], None, TASK, Target(at_least=0.82), ["tuned arm"])
    assert found.answer is VerdictAnswer.DO_NOT_TUNE
    assert "choice_accuracy 0.943 (0.825 if what has no answer is wrong), asked for 0.82" in found.reason
    macro = endpoint_arm(right=66, wrong=4, gone=10).scores
    assert macro.metrics_at_worst[Metric.MACRO_F1] < macro.metrics[Metric.MACRO_F1]


def test_arms_are_compared_on_the_cases_that_both_answered() -> None:
    # Tuning is wrong exactly where the server gave no answer: that says nothing about the two.
    arm, tuned = endpoint_arm(right=70, wrong=0, gone=10), local_arm("tuned", [at < 70 for at in range(80)])
    difference = paired_difference(tuned, arm)
    assert (difference.estimate, difference.only_tuned_right, difference.only_untuned_right) == (0, 0, 0)
    assert compare_cases(arm.predictions, tuned.predictions) == []
    graded = partial_credit_difference(Metric.MACRO_F1, tuned.predictions, arm.predictions, JUDGE, [str(at % 9) for at in range(80)])
    assert graded is not None and graded.estimate == 0
    found = decide_verdict([arm], tuned, TASK, None, [])
    assert "the best untuned arm (endpoint) 70 of the 70 frozen cases that have an answer" in found.reason
    assert found.cost is not None and "its tokens do not compare" in found.cost


def test_what_1000_requests_cost_follows_from_the_tokens_and_the_prices() -> None:
    decision = {"private_facts": False, "format_drift": True, "stable_task": True}
    prices = {"usd_per_million_input_tokens": 2, "usd_per_million_output_tokens": 10}
    scores = endpoint_arm(right=60, wrong=10, gone=10).scores
    for given, usd in ((prices, 0.08), ({}, None), ({"usd_per_million_input_tokens": 2}, None)):
        case = Case.model_validate({"name": "x", "decision": decision, "endpoint": {"model": "m", **given}})
        assert EndpointArm.usd_per_1000_requests(case, scores) == usd
