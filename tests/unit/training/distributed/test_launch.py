"""Several processes learn from each step what one process learns from it, stop and go on together, and never leave one another behind."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain, islice, pairwise
from pathlib import Path

import psutil
import pytest
from accelerate.data_loader import BatchSamplerShard, SeedableRandomSampler
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import BatchSampler

from tests.unit.training.tiny_training import RowsOfWoe, RowsThatKill, training_of
from tuneproof.engine.case.schema import Case, DecisionAnswers, ModelChoice
from tuneproof.engine.case.slurm import Slurm
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core import hardware
from tuneproof.engine.core.errors import GateClosed, Interrupted, RestartWorker, RunFailed
from tuneproof.engine.methods.plan import check_trainable, make_plan
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import Probed, StepLogged, Warned
from tuneproof.engine.run.limits import is_out_of_memory
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import EVENTS, RunStore
from tuneproof.engine.stages.oom_fallback import increase_accumulation, parts_so_far
from tuneproof.engine.training.distributed.launch import train_in_processes
from tuneproof.engine.training.result import TrainingResult
from tuneproof.engine.training.run import train
from tuneproof.engine.training.sampler import PaddedBatchSampler

ROUNDING = 1e-5
"""How far a loss may lie from that of one process: sums in float32 in another order. Up to 7e-7 was measured."""


@dataclass
class Heard:
    """What a training told; it is asked to stop once it has told of a step."""

    stop: StopRequest = field(default_factory=StopRequest)
    stop_at: int | None = None
    events: list[Event] = field(default_factory=list)

    def emit(self, event: Event, *, sync: bool = False) -> None:
        self.events.append(event)
        if isinstance(event, StepLogged) and event.step == self.stop_at:
            self.stop.request()

    @property
    def curve(self) -> list[float]:
        """Loss and gradient of every step, and the loss of every probe."""
        steps = [number for event in self.events if isinstance(event, StepLogged) for number in (event.loss, event.grad_norm)]
        return steps + [event.loss for event in self.events if isinstance(event, Probed)]


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


def trained(
    base: BaseCheckpoint,
    folder: Path,
    processes: int,
    *,
    heard: Heard | None = None,
    parts: int = 1,
    checkpointing: bool = False,
    **more: object,
) -> TrainingResult:
    """Trains on eight rows, or on so many `times` that."""
    heard, times = heard or Heard(), more.pop("times", 1)
    asked = {"batch_size": 3, "epochs": 1, "probe_every": 2, "learning_rate": 2e-3, **more, "processes": processes}
    wanted = make_plan(MethodChoice(name=str(asked.pop("method", "lora"))), Training.model_validate(asked))
    chosen = replace(wanted, accumulation=parts, checkpointing=checkpointing)
    rows, probe = training_of(base)
    return (train if processes == 1 else train_in_processes)(base, rows * int(str(times)), probe, chosen, folder, heard, heard.stop)


@given(st.lists(st.integers(2, 200), min_size=1, max_size=50), st.integers(1, 9), st.integers(0, 3))
def test_rows_of_like_length_share_a_step_and_each_row_comes_once_an_epoch(lengths: list[int], rows_a_step: int, epoch: int) -> None:
    even = PaddedBatchSampler(lengths, rows_a_step, rows_a_step, 0, lambda: epoch * -(-len(lengths) // rows_a_step), grouped=True)
    order = list(even)
    assert sorted(row for row in order if row < len(lengths)) == list(range(len(lengths))) and len(order) == len(even)
    steps = [[row for row in order[at : at + rows_a_step] if row < len(lengths)] for at in range(0, len(order), rows_a_step)]
    assert all(len(step) == rows_a_step for step in steps[:-1]) and list(even) == order
    spans = sorted((min(lengths[row] for row in step), max(lengths[row] for row in step)) for step in steps)
    assert all(shorter[1] <= longer[0] or shorter[0] == longer[0] for shorter, longer in pairwise(spans))


def test_the_steps_of_grouped_rows_come_in_another_order_in_every_epoch() -> None:
    lengths = [length for length in range(2, 66) for _ in range(4)]
    first, second = (list(PaddedBatchSampler(lengths, 4, 4, 0, lambda done=done: done, grouped=True)) for done in (0, 64))
    assert first != second and sorted(first) == sorted(second)


@pytest.mark.long
def test_grouped_rows_are_learned_alike_by_two_processes_and_after_a_stop(base: BaseCheckpoint, tmp_path: Path) -> None:
    settings = {"times": 3, "batch_size": 5, "epochs": 2, "group_by_length": True}
    assert_one_curve(base, tmp_path, **settings)
    whole = trained(base, tmp_path / "whole", 1, **settings)
    with pytest.raises(Interrupted):
        trained(base, tmp_path / "broken", 1, heard=Heard(stop_at=3), **settings)
    again = trained(base, tmp_path / "broken", 1, **settings)
    assert (again.adapter / "adapter_model.safetensors").read_bytes() == (whole.adapter / "adapter_model.safetensors").read_bytes()


def assert_one_curve(base: BaseCheckpoint, folder: Path, **settings: object) -> None:
    alone, shared = Heard(), Heard()
    one = trained(base, folder / "one", 1, heard=alone, **settings)
    two = trained(base, folder / "two", 2, heard=shared, **settings)
    assert shared.curve == pytest.approx(alone.curve, rel=ROUNDING) and len(alone.curve) >= 6
    assert (two.steps, two.best_step, two.files) == (one.steps, one.best_step, one.files)


def test_two_processes_have_the_losses_of_one_at_every_step_the_incomplete_last_one_too(base: BaseCheckpoint, tmp_path: Path) -> None:
    assert_one_curve(base, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(
    "settings",
    [
        {"packing": True, "times": 6, "batch_size": 20, "epochs": 2},
        {"times": 2, "batch_size": 8, "parts": 2, "epochs": 3},
        {"method": "full", "learning_rate": 1e-4, "epochs": 2},
        {"method": "prompt_tuning", "epochs": 2},
    ],
    ids=["packed", "in parts", "full", "learned prompt"],
)
def test_two_processes_have_the_losses_of_one_however_it_is_trained(
    base: BaseCheckpoint, tmp_path: Path, settings: dict[str, object]
) -> None:
    assert_one_curve(base, tmp_path, **settings)


@given(st.lists(st.integers(2, 200), min_size=1, max_size=40), st.integers(1, 12), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3))
def test_each_step_has_the_rows_that_one_process_would_have_had_in_it_the_longest_together(
    lengths: list[int], batch: int, processes: int, parts: int, epoch: int
) -> None:
    rows = len(lengths)
    order = SeedableRandomSampler(range(rows), data_seed=7)
    order.set_epoch(epoch)
    alone = list(BatchSampler(order, batch, drop_last=False))
    micro = -(-batch // (processes * parts))
    dealt = PaddedBatchSampler(lengths, batch, processes * micro * parts, 7, lambda: epoch * len(alone) + len(alone) - 1)
    shards = [iter(BatchSamplerShard(BatchSampler(dealt, micro, drop_last=False), processes, rank)) for rank in range(processes)]
    for step in alone:
        dealt_in_turn = chain.from_iterable(zip(*(islice(shard, parts) for shard in shards), strict=True))
        shared = [[row for row in part if row != rows] for part in dealt_in_turn]
        assert sorted(chain.from_iterable(shared)) == sorted(step)
        spans = [[lengths[row] for row in part] for part in shared if part]
        assert all(min(longer) >= max(shorter) for longer, shorter in pairwise(spans))
    assert [list(shard) for shard in shards] == [[]] * processes


@pytest.mark.long
@pytest.mark.parametrize("stop_at", [2, 6])
def test_processes_that_were_stopped_go_on_together_to_the_same_weights(base: BaseCheckpoint, tmp_path: Path, stop_at: int) -> None:
    settings: dict[str, object] = {"batch_size": 2, "epochs": 5, "probe_every": 20}
    whole = trained(base, tmp_path / "whole", 2, **settings)
    first = Heard(stop_at=stop_at)
    with pytest.raises(Interrupted):
        trained(base, tmp_path / "broken", 2, heard=first, **settings)
    again = Heard()
    resumed = trained(base, tmp_path / "broken", 2, heard=again, **settings)
    steps = [event.step for heard in (first, again) for event in heard.events if isinstance(event, StepLogged)]
    assert steps == list(range(1, 21))
    for file in (file for file in whole.files if file.endswith(".safetensors")):
        assert (resumed.adapter / file).read_bytes() == (whole.adapter / file).read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("rows", [RowsOfWoe, RowsThatKill])
def test_one_process_that_fails_ends_all_and_what_it_failed_of_is_told(base: BaseCheckpoint, tmp_path: Path, rows: type[RowsOfWoe]) -> None:
    encoded, probe = training_of(base)
    chosen = make_plan(MethodChoice(name="lora"), Training(batch_size=4, processes=2))
    with pytest.raises(Exception) as failed:
        train_in_processes(base, rows(encoded), probe, chosen, tmp_path, Heard(), StopRequest())
    if rows is RowsThatKill:
        assert isinstance(failed.value, RunFailed) and "processes was killed" in str(failed.value)
    else:
        assert is_out_of_memory(failed.value)


@dataclass
class HeardWhileTold(Heard):
    """What a training told whose torchrun was told to end at its first step, as Slurm tells all that is in a job."""

    def emit(self, event: Event, *, sync: bool = False) -> None:
        super().emit(event, sync=sync)
        if isinstance(event, StepLogged) and event.step == 1:
            (torchrun,) = psutil.Process().children()
            torchrun.terminate()


@pytest.mark.long
def test_a_torchrun_that_is_told_to_end_leaves_that_to_the_worker(
    base: BaseCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By itself it would give its processes so many seconds.
    monkeypatch.setenv("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "1")
    heard = HeardWhileTold()
    assert trained(base, tmp_path, 2, heard=heard, epochs=60, probe_every=1000).steps == 180


@pytest.mark.long
def test_a_loss_that_is_no_number_stops_all(base: BaseCheckpoint, tmp_path: Path) -> None:
    heard = Heard()
    with pytest.raises(RunFailed, match="is not finite at step"):
        trained(base, tmp_path, 2, heard=heard, learning_rate=1e30, epochs=9)
    assert len(heard.curve) < 2 * 27


def test_more_processes_than_rows_of_a_batch_or_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "gpu_count", lambda: 0)
    check_trainable(MethodChoice(name="lora"), Training(processes=16))
    with pytest.raises(GateClosed, match="17 processes cannot share a batch of 16"):
        check_trainable(MethodChoice(name="lora"), Training(processes=17))
    monkeypatch.setattr(hardware, "gpu_count", lambda: 2)
    with pytest.raises(GateClosed, match=r"need a GPU each, and there are 2; set it to 2 at most"):
        check_trainable(MethodChoice(name="lora"), Training(processes=4))
    # What the machine has on which a job is submitted says nothing of the nodes; on one of these, its own processes count.
    shared = Training(processes=4, launcher="slurm", slurm=Slurm(nodes=2))
    check_trainable(MethodChoice(name="lora"), shared)
    check_trainable(MethodChoice(name="lora"), shared.for_one_node)
    with pytest.raises(GateClosed, match="3 processes need a GPU each, and there are 2"):
        check_trainable(MethodChoice(name="lora"), Training(processes=6, launcher="slurm", slurm=Slurm(nodes=2)).for_one_node)
    one_each = Training(processes=2, sharding="full", launcher="slurm", slurm=Slurm(nodes=2))
    check_trainable(MethodChoice(name="lora"), one_each.for_one_node)


def test_how_many_processes_share_a_batch_is_nothing_that_is_learned() -> None:
    alone, shared = (make_plan(MethodChoice(name="lora"), Training(batch_size=10, processes=processes)) for processes in (1, 4))
    assert shared.digest == alone.digest and shared.settings == alone.settings and shared.rows_per_process == 3


def test_a_share_that_does_not_fit_is_run_in_parts_until_each_process_has_one_row(tmp_path: Path) -> None:
    decision = DecisionAnswers(private_facts=False, format_drift=True, stable_task=True, labeled_examples=60)
    store = RunStore.create(tmp_path / "run", Case(name="some", decision=decision))
    shared = make_plan(MethodChoice(name="lora"), Training(batch_size=16, processes=2))
    with EventLog(store.path / EVENTS) as log:
        with pytest.raises(RestartWorker):
            increase_accumulation(store, log, shared)
        assert parts_so_far(store) == 2
        assert "one row at a time" in str(increase_accumulation(store, log, replace(shared, accumulation=8)))
    told = [event.message for event in EventReader(store.path / EVENTS).read() if isinstance(event, Warned)]
    assert told == ["out of memory with 8 rows at a time: continuing with 4, 2 accumulation steps"]
