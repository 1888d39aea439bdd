"""An answer about overfitting or style that was changed is noticed, even with its digest forged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.snapshots.record import FINISHED
from tuneproof.engine.behaviour.drift import ANSWERS
from tuneproof.engine.behaviour.overfitting import AnswerSet
from tuneproof.engine.card.verify_overfitting import check_drift, check_overfitting
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.data.split import Part
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.graders import make_grader


def checked(folder: Path) -> int:
    """The number of answers that were checked, whatever their digests."""
    run = RunSnapshot(RunStore(folder))
    task = run.case.task
    assert task is not None
    grader = make_grader(task, [row.output for _, row in run.part(Part.TRAIN)], run.grading_rules)
    return check_overfitting(run, task, grader, run_script=False) + check_drift(run)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FINISHED, tmp_path / "run"))


def test_the_answers_of_a_run_are_graded_again(copy: Path) -> None:
    assert checked(copy) > 400


@pytest.mark.parametrize(
    ("file", "change"),
    [
        (AnswerSet.SCORED.file, lambda text: text.replace('"correct":true', '"correct":false', 1)),
        (AnswerSet.SCORED.file, lambda text: text + text.splitlines(keepends=True)[0]),
        (AnswerSet.COMPLETED.file, lambda text: text.replace('"left":"', '"left":"x', 1)),
        (AnswerSet.COMPLETED_EVAL.file, lambda text: text.replace('"id":"', '"id":"0', 1)),
        (ANSWERS, lambda text: "".join(reversed(text.splitlines(keepends=True)))),
        (ANSWERS, lambda text: text.replace('"output":"', '"output":"x', 1)),
    ],
    ids=["grade", "row twice", "answer of no row", "row of no part", "order of requests", "answer of another axis"],
)
def test_a_change_is_named_with_its_file(copy: Path, file: str, change: Callable[[str], str]) -> None:
    path = copy / file
    before = path.read_text(encoding="utf-8")
    path.write_text(change(before), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != before
    with pytest.raises(VerifyFailed) as found:
        checked(copy)
    assert found.value.where == file
