"""`verify` judges every stored answer again by the task's comparison, and notices a judgement that does not follow."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.manifests import write_manifest
from tests.replay.test_earlier_version import RECORDED
from tuneproof.engine.card.verify import verify
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.core.hashing import sha256_file
from tuneproof.engine.run.artifacts import predictions_file
from tuneproof.engine.run.manifest import StepRecordV1
from tuneproof.engine.run.step_id import StepKind
from tuneproof.engine.run.store import CASE, RunStore

ARM = "zero_shot"
PREDICTIONS = predictions_file(ARM)


@pytest.fixture
def recorded(tmp_path: Path) -> RunStore:
    """A whole run of an earlier version, to break."""
    return RunStore(Path(shutil.copytree(RECORDED, tmp_path / "run")))


def predictions(store: RunStore) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store.read(PREDICTIONS).splitlines()]


def as_text(lines: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def difference(store: RunStore, changed: dict[str, str]) -> VerifyFailed:
    """What verify says of a run in which files were changed, and every digest of them forged."""
    for file, text in changed.items():
        assert text != store.read(file)
        store.write(file, text)
    digests, manifest = {file: sha256_file(store.path / file) for file in changed}, store.manifest
    for step, record in manifest.steps.items():
        assert isinstance(record, StepRecordV1)
        for files in (record.files, record.made_from):
            files.update({file: digest for file, digest in digests.items() if file in files})
        if step.kind is StepKind.CARD:
            record.made_from.update({str(other): digest for other, digest in manifest.step_digests().items()})
    write_manifest(store, manifest)
    with pytest.raises(VerifyFailed) as caught:
        verify(store)
    return caught.value


@pytest.mark.parametrize(
    "judgement",
    [
        {"correct": True, "failure_class": None},
        {"format_valid": False},
        {"failure_class": "refused"},
        {"fields": ["order_id"]},
        {"repaired": "{}"},
    ],
    ids=["correct", "format", "failure class", "wrong fields", "repaired"],
)
def test_a_judgement_that_was_changed_is_noticed(recorded: RunStore, judgement: dict[str, Any]) -> None:
    lines = predictions(recorded)
    next(line for line in lines if any(line.get(key) != value for key, value in judgement.items())).update(judgement)
    assert difference(recorded, {PREDICTIONS: as_text(lines)}).where == PREDICTIONS


@pytest.mark.parametrize(
    ("compare", "is_right"),
    [
        ("{default: exact}", False),
        ("{fields: {priority: ignore}}", False),
        ("{fields: {order_id: ignore}}", True),
        ("{default: ignore, fields: {priority: exact}}", True),
        ("{fields: {order_id: {prose: {metric: chrf, pass_score: 0.2}}}}", True),
        ("{fields: {order_id: {prose: {metric: chrf, pass_score: 0.9}}}}", False),
    ],
)
def test_a_judgement_has_to_follow_by_the_comparison_of_the_case(recorded: RunStore, compare: str, is_right: bool) -> None:
    lines = predictions(recorded)
    right = next(line for line in lines if line["correct"])
    right["output"] = re.sub(r"[0-9](?=\")", lambda last: str((int(last[0]) + 1) % 10), right["output"])
    case = recorded.read(CASE).replace("  metric: exact_match\ndata:", f"  metric: exact_match\n  compare: {compare}\ndata:")
    noticed = difference(recorded, {PREDICTIONS: as_text(lines), CASE: case}).where == PREDICTIONS
    assert noticed == (not is_right)


def test_a_run_says_by_which_rules_it_is_graded_and_one_that_does_not_by_the_first(recorded: RunStore) -> None:
    assert recorded.grading_rules == "1" and recorded.grading_settings == {}
    verify(recorded)
