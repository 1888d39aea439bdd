"""Which choices of a case may change in a run whose eval set is frozen."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Result
from tests.manifests import forget_steps
from tests.unit.session.tickets import CASE, changed
from tuneproof.engine.case.data import Data
from tuneproof.engine.case.evaluate import Evaluate, MethodToCompare, Target
from tuneproof.engine.case.schema import DecisionAnswers, ModelChoice
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.errors import DataRefused, GateClosed, RunGone, UsageError
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """A run of the case, with nothing done yet."""
    return RunStore.create(tmp_path / "runs" / "tickets-1", CASE)


FROZEN: list[dict[str, Any]] = [
    {"name": "other"},
    {"decision": DecisionAnswers(private_facts=True, format_drift=True, stable_task=True)},
    {"task": Task(instruction="Answer well.", output=CASE.task.output if CASE.task else OutputFormat(kind=OutputKind.TEXT))},
    {"data": Data(examples="rows.jsonl", leave_out=["conflict"])},
    {"model": ModelChoice(base="other")},
    {"target": Target(at_least=0.9)},
]


@pytest.mark.parametrize("other", FROZEN, ids=[next(iter(part)) for part in FROZEN])
def test_what_is_scored_and_how_it_is_judged_cannot_change_once_it_is_frozen(store: RunStore, other: dict[str, Any]) -> None:
    store.write_step(StepId(StepKind.SPLIT), Inputs(), {})
    with pytest.raises(GateClosed, match=f"the eval set is frozen under another `{next(iter(other))}`; start a new run for it"):
        store.amend(changed(**other))
    assert store.case == CASE


@pytest.mark.parametrize("other", FROZEN, ids=[next(iter(part)) for part in FROZEN])
def test_before_the_freeze_everything_may_change(store: RunStore, other: dict[str, Any]) -> None:
    store.amend(changed(**other))
    assert store.case == changed(**other)


def test_a_data_file_that_is_gone_is_named_and_not_taken_for_another_case(store: RunStore, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("")
    store.amend(changed(data=Data(examples=str(file))))
    file.unlink()
    with pytest.raises(DataRefused, match=r"rows.jsonl: the data file is gone; put it back"):
        store.amend(changed(data=Data(examples="rows.jsonl")))


def test_a_deleted_run_folder_is_not_made_again(store: RunStore) -> None:
    shutil.rmtree(store.path)
    with pytest.raises(RunGone, match="the run folder was deleted"):
        store.write("arms/a/scores.json", "{}")
    with pytest.raises(RunGone):
        store.lock()
    assert not store.path.exists()


def test_later_choices_are_stored_and_the_plan_made_before_them_is_dropped(store: RunStore) -> None:
    for kind in (StepKind.AUDIT, StepKind.METHOD, StepKind.CARD):
        store.write_step(StepId(kind), Inputs(), {f"{kind.value}.json": "{}\n"})
    later = changed(baselines=["zero_shot"], method=MethodChoice(name="lora"), training=Training(epochs=1.0))
    store.amend(later)
    assert store.case == later and RunStore.open(store.path).case == later
    assert set(store.manifest.steps) == {StepId(StepKind.CASE), StepId(StepKind.AUDIT)}
    store.check("case.yaml")


def test_the_same_choices_again_change_nothing(store: RunStore) -> None:
    store.write_step(StepId(StepKind.METHOD), Inputs(), {"method.json": "{}\n"})
    before = {path.name: path.read_bytes() for path in store.path.iterdir()}
    store.amend(changed())
    assert {path.name: path.read_bytes() for path in store.path.iterdir()} == before


def test_a_comparison_that_is_not_trained_yet_may_change(store: RunStore) -> None:
    compared = changed(evaluate=Evaluate(compare=[MethodToCompare(name="full"), MethodToCompare(name="dora")]))
    store.amend(compared)
    store.write_step(StepId(StepKind.SPLIT), Inputs(), {})
    for step in (
        StepId(StepKind.COMPARED_METHOD, "full"),
        StepId(StepKind.COMPARED_METHOD, "dora"),
        StepId(StepKind.COMPARED_TRAIN, "dora"),
    ):
        store.write_step(step, Inputs(), {})
    with pytest.raises(GateClosed, match="the model of dora is trained for a comparison, and stays in the evidence"):
        store.amend(CASE)
    store.amend(changed(evaluate=Evaluate(compare=[MethodToCompare(name="dora")])))
    assert set(store.manifest.names(StepKind.COMPARED_METHOD)) == {"dora"}


def test_how_much_may_be_read_may_change_after_the_freeze_and_keeps_the_plan(store: RunStore) -> None:
    assert CASE.data is not None
    for kind in (StepKind.SPLIT, StepKind.METHOD):
        store.write_step(StepId(kind), Inputs(), {})
    allowed = changed(data=CASE.data.model_copy(update={"allow_large": True}))
    store.amend(allowed)
    assert store.case == allowed and StepId(StepKind.METHOD) in store.manifest.steps
    with pytest.raises(GateClosed, match="the eval set is frozen under another `data`"):
        store.amend(changed(data=CASE.data.model_copy(update={"allow_large": False, "leave_out": ["conflict"]})))


def test_a_scored_arm_stays_and_other_arms_may_be_added_and_removed(store: RunStore) -> None:
    store.write_step(StepId(StepKind.SPLIT), Inputs(), {})
    store.write_step(StepId.arm("zero_shot"), Inputs(), {"arms/zero_shot/scores.json": "{}\n"})
    with pytest.raises(GateClosed, match="zero_shot is scored already, and stays in the evidence"):
        store.amend(changed(baselines=["few_shot"]))
    assert store.case == CASE
    store.amend(changed(baselines=["zero_shot"]))
    store.amend(changed(baselines=["zero_shot", "few_shot"]))
    assert StepId.arm("zero_shot") in store.manifest.steps


@pytest.mark.parametrize("other", [{"method": MethodChoice(name="lora")}, {"training": Training(epochs=9.0)}])
def test_once_the_model_is_trained_method_and_settings_cannot_change(store: RunStore, other: dict[str, Any]) -> None:
    store.amend(changed(**other))
    store.amend(CASE)
    store.write_step(StepId(StepKind.SPLIT), Inputs(), {})
    (store.path / "training").mkdir()
    store.amend(changed(**other))
    store.amend(CASE)
    store.write_step(StepId(StepKind.TRAIN), Inputs(), {})
    with pytest.raises(GateClosed, match="the model is trained already, with another method or other settings"):
        store.amend(changed(**other))
    store.amend(changed(baselines=["zero_shot"]))
    assert store.case.baselines == ["zero_shot"]


def test_choices_do_not_change_while_a_worker_runs(store: RunStore) -> None:
    with RunStore(store.path).lock(), pytest.raises(UsageError, match="another process is working on this run"):
        store.amend(changed(baselines=["zero_shot"]))
    assert store.case == CASE


@pytest.fixture
def run(finished: tuple[Path, Result], tmp_path: Path) -> RunStore:
    shutil.copytree(finished[0], tmp_path / "run")
    return RunStore(tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": Target(at_least=0.1)}, "frozen under another `target`"),
        ({"baselines": ["zero_shot"]}, "few_shot is scored already"),
        ({"method": MethodChoice(name="auto", even_if_met=True)}, "the model is trained already"),
    ],
)
def test_a_refused_change_leaves_every_file_as_it_was(run: RunStore, change: dict[str, Any], message: str) -> None:
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    with pytest.raises(GateClosed, match=message):
        run.amend(run.case.model_copy(update=change))
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_before_training_the_method_may_change(run: RunStore) -> None:
    forget_steps(run, StepId(StepKind.TRAIN))
    wanted = run.case.model_copy(update={"method": MethodChoice(name="auto")})
    run.amend(wanted)
    assert run.case == wanted and not {StepId(StepKind.METHOD), StepId(StepKind.CARD)} & run.manifest.steps.keys()
    assert StepId.arm("zero_shot") in run.manifest.steps
