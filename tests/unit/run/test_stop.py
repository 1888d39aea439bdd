"""A request to stop is taken in once, however often it comes, and ends even what never comes to a safe place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.unit.models.broken_folders import ENDLESS
from tests.waiting import events_of, wait_for_event
from tuneproof.engine.case.schema import Case, DecisionAnswers
from tuneproof.engine.core.errors import Interrupted
from tuneproof.engine.data.example import Message
from tuneproof.engine.models.chat_format import ChatFormat
from tuneproof.engine.models.files import local_folder
from tuneproof.engine.models.pretrained import read_tokenizer
from tuneproof.engine.run.events import StageStarted, Stopped
from tuneproof.engine.run.stop import GRACE_SECONDS, STOP_SIGNALS, StoppedAtOnce, StopRequest
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.answer_pattern import AnswerPattern


def test_a_second_signal_while_the_first_is_handled_does_not_hang_the_worker() -> None:
    """A cluster signals every process of a job, and the process that started the worker passes its own signal on."""
    assert subprocess.run([sys.executable, "-m", "tests.unit.run.stop_while_stopping"], timeout=120).returncode == 0


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Iterator[StopRequest]:
    """A request that the signals of this process make, and that waits a moment for a safe place."""
    monkeypatch.setattr("tuneproof.engine.run.stop.GRACE_SECONDS", 0.1)
    before = {number: signal.getsignal(number) for number in (*STOP_SIGNALS, signal.SIGALRM)}
    stop = StopRequest()
    stop.obey_signals()
    yield stop
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


HARD = "a" * 5000 + "!"


@pytest.mark.parametrize("pattern", [r"^((a|aa)+)(?!b)$", r"(a+)+(?<=b)\1"])
def test_a_stop_ends_a_pattern_in_exponential_time(stop: StopRequest, monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    monkeypatch.setattr("tuneproof.engine.scoring.answer_pattern.MATCH_SECONDS", 60.0)
    slow = AnswerPattern(pattern)
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(StoppedAtOnce):
        slow.is_whole(HARD)


def test_a_stop_ends_a_template_in_nested_loops(stop: StopRequest) -> None:
    sample = local_folder("sample")
    assert sample is not None
    tokenizer = read_tokenizer(sample)
    chat = ChatFormat(tokenizer, own=True)
    assert chat.prompt([Message("user", "once")])
    tokenizer.chat_template = ENDLESS
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(StoppedAtOnce):
        chat.prompt([Message("user", "forever")])


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("stuck", ["pattern", "template"])
def test_a_worker_inside_something_that_never_ends_ends_when_it_is_asked_to(tmp_path: Path, stuck: str, number: signal.Signals) -> None:
    decision = DecisionAnswers(private_facts=False, format_drift=True, stable_task=True, labeled_examples=60)
    run = RunStore.create(tmp_path / "run", Case(name="some", decision=decision)).path
    worker = subprocess.Popen([sys.executable, "-m", "tests.stuck_worker", stuck, str(run)], cwd=ROOT)
    wait_for_event(run, StageStarted)
    worker.send_signal(number)
    assert worker.wait(timeout=GRACE_SECONDS + 60) == 130 and len(events_of(run, Stopped)) == 1


def test_what_saves_its_work_first_is_not_cut_short() -> None:
    stop = StopRequest()
    stop.cut_short()
    stop.request()
    with stop.until_saved():
        stop.cut_short()
        with pytest.raises(Interrupted):
            stop.check()
    with pytest.raises(StoppedAtOnce):
        stop.cut_short()
