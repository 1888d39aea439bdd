"""Planning a training of the sample model: what is predicted, what a measured step shows, and what closes the gate."""

from __future__ import annotations

import json
import resource
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import sample_case, set_options, tuneproof
from tests.disks import fill
from tests.unit.run.event_samples import RememberedEvents
from tests.unit.stages.planned_disk import disk_of
from tuneproof.engine.card.build import make_card
from tuneproof.engine.card.markdown import card_text
from tuneproof.engine.card.plan_text import planned_lines
from tuneproof.engine.case.evaluate import Evaluate
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.schema import Budget, ModelChoice
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.methods.padding import fastest_accumulation
from tuneproof.engine.methods.plan import Plan, make_plan
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.stages.plan_training import Planner, TrainRowLengths
from tuneproof.engine.training import memory_probe
from tuneproof.engine.training.memory_probe import MemoryProbeResult, ProbeLengths, probe_memory

OUT_OF_MEMORY = "ran out of memory in a trial step"


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice())


@pytest.fixture
def planner(base: BaseCheckpoint, tmp_path: Path) -> Planner:
    rows = TrainRowLengths(whole=[60, 89] * 47, targets=[20] * 94)
    disk = disk_of(base, tmp_path, {"lora": 233_472})
    return Planner(MethodChoice(), Training(epochs=6), Budget(), base, rows, {"lora": 233_472}, StopRequest(), disk, RememberedEvents())


class Measurements(Protocol):
    """Sets what the next measured steps give, and returns the list of the ways in which steps are then run."""

    def __call__(self, *results: MemoryProbeResult | str) -> list[tuple[int, bool]]: ...


@pytest.fixture
def measurements(monkeypatch: pytest.MonkeyPatch) -> Measurements:
    """Results in place of the processes that would measure a step, one after the other: accumulation and checkpointing of each."""

    def prepare(*results: MemoryProbeResult | str) -> list[tuple[int, bool]]:
        waiting, run = list(results), []

        def measure(_: object, plan: Plan, *__: object) -> MemoryProbeResult | str:
            run.append((plan.accumulation, plan.checkpointing))
            return waiting.pop(0)

        monkeypatch.setattr(memory_probe, "probe_memory", measure)
        return run

    return prepare


def test_a_training_smaller_than_a_measured_step_is_predicted_and_not_measured(planner: Planner, measurements: Measurements) -> None:
    run = measurements()
    settled, facts = planner.settle()
    assert settled.method == "lora" and "lightest" in settled.why and not run
    assert facts.memory is not None and facts.measured is None and facts.hours is None and facts.steps == 36 and facts.length == 89
    assert facts.memory.adapters == 4 * 233_472 and facts.memory.total < facts.available_memory


def test_hours_and_cost_follow_from_the_seconds_of_a_usual_step(planner: Planner, measurements: Measurements) -> None:
    measurements(MemoryProbeResult(10**9, True, 4.0, 2.0))
    _, facts = replace(planner, budget=Budget(hours=1, usd_per_gpu_hour=3)).settle()
    assert facts.hours == pytest.approx(36 * 2 / 3600) and facts.usd == pytest.approx(0.06)
    assert facts.measured is not None and (facts.measured.worst_length, facts.measured.usual_length) == (89, 80)
    lines = planned_lines(facts)
    assert any("1.2 minutes in all, 0.06 USD" in line for line in lines)
    assert any("1.00 GB for the whole process" in line and "predicted (-" in line for line in lines)


def test_a_learning_curve_takes_three_quarters_more(planner: Planner, measurements: Measurements) -> None:
    measurements(MemoryProbeResult(10**9, True, 4.0, 2.0))
    _, facts = replace(planner, budget=Budget(hours=1), learning_curve=True).settle()
    assert facts.hours == pytest.approx(1.75 * 36 * 2 / 3600)
    assert any("2.1 minutes with the learning curve" in line for line in planned_lines(facts))


def test_more_hours_than_the_budget_close_the_gate_and_say_what_to_do(planner: Planner, measurements: Measurements) -> None:
    measurements(MemoryProbeResult(10**9, True, 400.0, 200.0))
    with pytest.raises(GateClosed, match=r"2 hours \(36 steps\)") as caught:
        replace(planner, budget=Budget(hours=1)).settle()
    assert caught.value.where == "budget.hours" and "training.epochs" in caught.value.fix


def test_a_step_that_runs_out_of_memory_is_measured_again_in_the_lightest_way(planner: Planner, measurements: Measurements) -> None:
    run = measurements(OUT_OF_MEMORY, MemoryProbeResult(10**8, True, 4.0, 2.0))
    settled, facts = replace(planner, budget=Budget(hours=1)).settle()
    assert run == [(2, False), (16, True)] and (settled.accumulation, settled.checkpointing) == (16, True)
    assert any("16 accumulation steps and activations are recomputed in the backward pass" in line for line in planned_lines(facts))


def test_the_share_of_one_process_has_to_fit_its_part_of_the_memory(planner: Planner, measurements: Measurements) -> None:
    run = measurements(OUT_OF_MEMORY, MemoryProbeResult(10**8, True, 4.0, 2.0))
    _, alone = planner.settle()
    settled, facts = replace(planner, training=Training(epochs=6, processes=2), budget=Budget(hours=1)).settle()
    assert run == [(1, False), (8, True)] and settled.per_process.batch_size == 8 and facts.steps == alone.steps == 36
    assert (
        facts.available_memory == pytest.approx(alone.available_memory / 2, rel=0.2)
        and facts.available_memory_source == "free on this machine, for each of 2 processes"
    )
    lines = planned_lines(facts)
    assert "each batch is divided among 2 processes; memory is per process" in lines
    assert (
        "to fit, each process's share of a batch runs in 8 accumulation steps and activations are recomputed in the backward pass" in lines
    )


def test_if_no_way_runs_the_gate_closes_with_what_was_measured(planner: Planner, measurements: Measurements) -> None:
    measurements(OUT_OF_MEMORY, OUT_OF_MEMORY)
    with pytest.raises(GateClosed, match=OUT_OF_MEMORY):
        replace(planner, budget=Budget(hours=1)).settle()


def test_a_step_that_takes_more_than_the_budget_does_not_fit(planner: Planner, measurements: Measurements) -> None:
    run = measurements(MemoryProbeResult(2 * 10**9, True, 4.0, 2.0), MemoryProbeResult(10**8, True, 4.0, 2.0))
    _, facts = replace(planner, budget=Budget(hours=1, gpu_memory_gb=1.0)).settle()
    assert len(run) == 2 and facts.available_memory == 10**9 and facts.available_memory_source == "budget.gpu_memory_gb"


def test_a_base_of_an_unknown_shape_is_measured_and_not_predicted(planner: Planner, measurements: Measurements, tmp_path: Path) -> None:
    config = json.loads((planner.base.folder / "config.json").read_text()) | {"model_type": "mixtral"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    measurements(MemoryProbeResult(10**9, True, 4.0, 2.0))
    _, facts = replace(planner, base=replace(planner.base, folder=tmp_path)).settle()
    assert facts.memory is None and "mixtral" in str(facts.not_predicted) and facts.measured is not None
    assert "not predicted" in planned_lines(facts)[1] and "1.00 GB for the whole process; the step took 4 s" in planned_lines(facts)[2]


def test_a_row_is_padded_to_the_longest_of_its_micro_batch_and_rows_are_sorted() -> None:
    wanted = make_plan(MethodChoice(), Training(batch_size=16))
    assert TrainRowLengths([10] * 32, [1] * 32).padded(wanted) == 10 and TrainRowLengths([10] * 32, [1] * 32).padding(wanted) == 0
    one_long = TrainRowLengths([10] * 31 + [100], [1] * 32)
    assert one_long.padded(wanted) == 55 and one_long.padded(replace(wanted, accumulation=16)) == sum(one_long.whole) / 32
    assert one_long.padded(replace(wanted, accumulation=4)) == (28 * 10 + 4 * 100) / 32


@given(st.lists(st.integers(2, 400), min_size=1, max_size=60), st.integers(1, 16), st.integers(1, 3), st.booleans())
def test_more_accumulation_never_adds_padding_and_no_row_is_cut(lengths: list[int], batch: int, processes: int, grouped: bool) -> None:
    wanted = make_plan(MethodChoice(), Training(batch_size=batch, processes=processes, group_by_length=grouped))
    share = wanted.rows_per_process
    read = [
        TrainRowLengths(lengths, lengths).padded(replace(wanted, accumulation=parts)) for parts in range(1, share + 1) if share % parts == 0
    ]
    assert all(least >= sum(lengths) / len(lengths) - 1e-9 for least in read) and read[-1] == min(read)
    assert share % fastest_accumulation(wanted, lengths) == 0


def test_rows_of_one_length_run_at_once_and_rows_of_many_lengths_in_micro_batches() -> None:
    wanted = make_plan(MethodChoice(), Training(batch_size=16))
    assert fastest_accumulation(wanted, [100] * 160) == 1 and fastest_accumulation(wanted, [10, 400] * 80) > 1
    assert fastest_accumulation(replace(wanted, packing=True), [10, 400] * 80) == 1


@pytest.mark.long
def test_a_step_that_needs_more_memory_than_there_is_gives_a_reason_and_no_crash(base: BaseCheckpoint) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    # The limit is that of the process that tries the step, which takes it over.
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, hard))
    try:
        answer = probe_memory(base, make_plan(MethodChoice(), Training()), ProbeLengths(worst=2000, usual=500, answer=20), StopRequest())
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert answer == OUT_OF_MEMORY


@pytest.mark.long
def test_a_plan_is_measured_on_the_real_model_shown_on_the_card_and_kept_on_resume(measured: Path, tmp_path: Path) -> None:
    """With a budget that the batch at once does not fit, in the command, by a real step in a process of its own."""
    store = RunStore.open(shutil.copytree(measured, tmp_path / "run"))
    settings = ["budget.gpu_memory_gb=0.5", "budget.hours=1", "budget.usd_per_gpu_hour=2"]
    store.amend(load_case(sample_case(), settings))
    words = ["--replay", sample_case(), "--run-dir", store.path, "--resume", "--until", "method"]
    words += set_options(*settings)
    result = tuneproof(*words)
    assert result.code == 0, result.err
    written = store.read(artifacts.METHOD)
    facts = artifacts.MethodFacts.model_validate_json(written).planned
    assert facts is not None and facts.memory is not None and facts.measured is not None and facts.hours and facts.usd
    assert facts.accumulation > 1 and facts.memory.total <= 0.45e9
    assert 0.3 < facts.memory.total / facts.measured.peak < 3 and 0 < facts.measured.peak <= facts.available_memory
    text = card_text(make_card(store))
    assert f"memory predicted for rows of {facts.length} tokens" in text and "memory measured in a trial step" in text and "USD" in text
    # The memory that is free now may be another: the plan is kept.
    again = tuneproof(*words)
    assert again.code == 0 and store.read(artifacts.METHOD) == written


def test_a_plan_names_hours_memory_and_disk_next_to_each_other(planner: Planner, measurements: Measurements) -> None:
    measurements(MemoryProbeResult(10**9, True, 400.0, 200.0))
    facts = replace(planner, budget=Budget(hours=9)).settle()[1]
    assert facts.disk is not None and facts.free_disk is not None and facts.disk.total < facts.free_disk
    assert (facts.needs.hours, facts.needs.disk, facts.needs.free_disk) == (facts.hours, facts.disk.total, facts.free_disk)
    headline = planned_lines(facts)[0]
    assert headline.startswith("needs: 0.36 GB of memory (") and "9.2 MB of disk (" in headline and headline.endswith("free), 2.0 hours")


def test_a_plan_that_its_disk_has_no_room_for_closes_the_gate_and_says_what_to_do(planner: Planner, small_disk: Path) -> None:
    disk = disk_of(planner.base, small_disk, {"lora": 233_472, "full": 2_066_112}, Evaluate())
    _, facts = replace(planner, disk=disk).settle()
    assert facts.disk is not None and facts.free_disk == 24 << 20 and facts.disk.merged > 2 * 2_066_112
    fill(small_disk, leave=facts.disk.total - 4096)
    with pytest.raises(GateClosed, match=r"the run would write 11.\d MB from here on, and 11.\d MB are free: checkpoints") as caught:
        replace(planner, disk=disk).settle()
    assert caught.value.where == str(small_disk) and "evaluate.merged: false, which saves 4.3 MB" in caught.value.fix


def test_what_a_training_has_written_already_counts_as_room_for_it(planner: Planner, small_disk: Path) -> None:
    disk = disk_of(planner.base, small_disk, {"lora": 233_472})
    (small_disk / "training").mkdir()
    (small_disk / "training" / "checkpoint").write_bytes(b"x" * 20_000_000)
    assert replace(planner, disk=disk).settle()[1].free_disk == pytest.approx(24 << 20, abs=4096)


def test_auto_takes_the_method_that_the_disk_has_room_for(planner: Planner, small_disk: Path) -> None:
    trained = {"lora": 233_472, "full": 2_066_112}
    much_to_learn = TrainRowLengths(whole=[60, 89] * 47, targets=[5_000] * 94)
    wanted = replace(planner, choice=MethodChoice(name="auto"), rows=much_to_learn, trained_parameters=trained)
    assert replace(wanted, disk=disk_of(planner.base, small_disk.parent, trained)).settle()[0].method == "full"
    settled, facts = replace(wanted, disk=disk_of(planner.base, small_disk, trained)).settle()
    assert settled.method == "lora" and facts.rejected_methods[0].name == "full"
    assert facts.rejected_methods[0].reason.endswith("MB of disk, more than is free")


def test_models_besides_the_tuned_one_are_counted(planner: Planner, tmp_path: Path) -> None:
    trained, plan = {"lora": 233_472, "full": 2_066_112}, make_plan(MethodChoice(name="lora"), Training())

    def predicted(**evaluate: object) -> int:
        disk = disk_of(planner.base, tmp_path, trained, Evaluate.model_validate(evaluate)).predict(plan)
        assert disk is not None
        return disk.total

    alone = predicted(merged=False)
    assert predicted() > alone + 2 * 2_066_112 - 3_100_000
    assert predicted(seeds=2, merged=False) > alone and predicted(seeds=4, merged=False) > predicted(seeds=3, merged=False)
    assert predicted(learning_curve=True, merged=False) == predicted(seeds=3, merged=False)
    assert predicted(compare=[{"name": "full"}], merged=False) > alone + 2 * 12 * 2_066_112
