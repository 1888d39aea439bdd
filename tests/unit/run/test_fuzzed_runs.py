"""Whatever bytes a log or a manifest has, reading it gives events, steps or a sentence, at once."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.replay.test_earlier_version import RECORDED
from tests.unit.run.event_samples import arm_scored, folded, launched, probe, step, training_from
from tuneproof.engine.card.verify import open_stored, verify
from tuneproof.engine.core.errors import UsageError, VerifyFailed
from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import (
    CheckpointSaved,
    Failed,
    Finished,
    Progressed,
    StageStarted,
    StopRequested,
    TrainingDropped,
    TrainingSkipped,
    Warned,
)
from tuneproof.engine.run.killed import last_killed
from tuneproof.engine.run.listing import list_runs
from tuneproof.engine.run.store import CASE, EVENTS, MANIFEST
from tuneproof.engine.run.training_seconds import seconds_so_far
from tuneproof.engine.run.work import Unit, Work
from tuneproof.tui.progress import progress_line
from tuneproof.tui.runs import runs_json, runs_text

LONGEST_SECONDS = 5

FIRST_LOG = Path(__file__).with_name("events_v1.jsonl").read_bytes()
LOG = b"".join(
    event.model_dump_json().encode() + b"\n"
    for event in (
        launched(os.getpid(), 1.0),
        StageStarted(stage=Stage.TRAIN),
        Progressed(work=Work.ANSWERING, about="zero_shot", done=3, of=9, unit=Unit.ANSWERS),
        StopRequested(),
        arm_scored("zero_shot"),
        TrainingSkipped(reason="no need"),
        TrainingDropped(changed=["epochs"], checkpoints=1),
        training_from(0),
        step(1, ts=2.0),
        probe(1),
        CheckpointSaved(step=1, path="checkpoints/checkpoint-1"),
        Warned(message="slow"),
        Failed(exit_code=4, message="full"),
        Finished(),
    )
)
MANIFEST_BYTES = (RECORDED / MANIFEST).read_bytes()

FRAGMENTS = [
    *(b"\0", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\\u001b[2J", b"\\u202e", b"\n", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\"),
    *(b"NaN", b"Infinity", b"1e999", b"-1", b"0", b"9" * 5000, b"[" * 3000, b'{"a":' * 2000, b"null", b"true", b'"kind":"launched",'),
    *(b'"pid":-1,', b'"v":9,', b'"version": 3,', b"../", b"/etc/passwd", b"arm ", b"card", b'"model":"tuned_25",', b'"step":0,'),
]


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A file that was right before a few of its bytes were changed."""
    content = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        end = min(len(content), at + draw(st.sampled_from([0, 0, 1, 2, 6, 60, 600])))
        content = content[:at] + draw(st.sampled_from(FRAGMENTS) | st.binary(max_size=5)) + content[end:]
    return content


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose files are overwritten."""
    return Path(shutil.copytree(RECORDED, tmp_path_factory.mktemp("runs") / "run"))


def check_log(run: Path, content: bytes) -> None:
    (run / MANIFEST).write_bytes(MANIFEST_BYTES)
    (run / EVENTS).write_bytes(content)
    begun = time.monotonic()
    events = EventReader(run / EVENTS).read()
    state = folded(*events)
    state.check_alive()
    state.time_left(0.0)
    for event in events:
        line = sanitize(progress_line(event), one_line=True)
        assert line.isprintable()
    last_killed(run / EVENTS)
    seconds_so_far(run / EVENTS, "tuned")
    assert [each.name for each in list_runs(run.parent)] == ["run"]
    assert "run" in runs_text(run.parent) and runs_json(run.parent)
    assert time.monotonic() - begun < LONGEST_SECONDS


def check_manifest(run: Path, content: bytes) -> None:
    (run / MANIFEST).write_bytes(content)
    begun = time.monotonic()
    try:
        verify(open_stored(run))
    except (VerifyFailed, UsageError) as refused:
        assert len(str(refused)) < 2000
    else:
        assert (run / CASE).is_file()
    assert time.monotonic() - begun < LONGEST_SECONDS


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=mutated([LOG, FIRST_LOG]))
def test_any_log_is_read(run: Path, content: bytes) -> None:
    check_log(run, content)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=mutated([MANIFEST_BYTES]))
def test_any_manifest_is_verified_or_refused(run: Path, content: bytes) -> None:
    check_manifest(run, content)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=mutated([LOG, FIRST_LOG]))
def test_thousands_of_logs_are_read(run: Path, content: bytes) -> None:
    check_log(run, content)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=mutated([MANIFEST_BYTES]))
def test_thousands_of_manifests_are_verified_or_refused(run: Path, content: bytes) -> None:
    check_manifest(run, content)
