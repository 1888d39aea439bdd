"""A run takes over what the run that it follows has measured from the same inputs, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.session.tickets import CASE, changed
from tuneproof.engine.case.training import Training
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.predecessor import predecessor_of, take_over
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore

STEP = StepId.arm("zero_shot")
FILES = {"arms/zero_shot/predictions.jsonl": "{}\n", "arms/zero_shot/scores.json": "{}\n"}
INPUTS = Inputs(settings={"base": "b", "task": "t"})


@pytest.fixture
def runs(tmp_path: Path) -> tuple[RunStore, RunStore]:
    """A run with a measured arm, and a run that follows it."""
    earlier = RunStore.create(tmp_path / "tickets-1", CASE)
    earlier.write_step(STEP, INPUTS, FILES, {"prompts": "p"})
    return earlier, RunStore.create(tmp_path / "tickets-2", changed(training=Training(epochs=2)), follows="tickets-1")


def test_what_was_measured_from_the_same_inputs_is_taken_over_as_it_was_recorded(runs: tuple[RunStore, RunStore]) -> None:
    earlier, later = runs
    assert take_over(later, STEP, INPUTS)
    assert later.is_done(STEP, INPUTS)
    assert later.manifest.steps[STEP] == earlier.manifest.steps[STEP]
    assert all(later.read(file) == text for file, text in FILES.items())


def test_what_was_measured_from_other_inputs_is_measured_again(runs: tuple[RunStore, RunStore]) -> None:
    other = Inputs(settings={"base": "b", "task": "another"})
    assert not take_over(runs[1], STEP, other)
    assert not take_over(runs[1], StepId.arm("few_shot"), INPUTS)
    assert runs[1].manifest.names(StepKind.ARM) == []


def test_a_file_that_was_changed_since_is_not_taken_over(runs: tuple[RunStore, RunStore]) -> None:
    earlier, later = runs
    (earlier.path / "arms/zero_shot/scores.json").write_text("{ }\n")
    assert not take_over(later, STEP, INPUTS)
    assert not later.has("arms/zero_shot/predictions.jsonl")


def test_a_run_still_follows_another_after_its_choices_have_changed(runs: tuple[RunStore, RunStore]) -> None:
    earlier, later = runs
    later.amend(changed(training=Training(epochs=3)))
    followed = predecessor_of(later)
    assert followed is not None and followed.path == earlier.path


@pytest.mark.parametrize("name", [None, "gone", "../tickets-1", "/"])
def test_a_run_that_is_not_there_or_not_beside_it_is_not_followed(tmp_path: Path, name: str | None) -> None:
    RunStore.create(tmp_path / "tickets-1", CASE)
    assert predecessor_of(RunStore.create(tmp_path / "runs" / "tickets-2", CASE, follows=name)) is None
