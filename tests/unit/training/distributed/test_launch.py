"""Several processes train as one does, stop and resume together, and none outlives the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.unit.training.failing_rows import FailingRows, KillingRows
from tests.unit.training.recorded_training import Recorder, assert_same_curve, assert_same_weights, trained
from tests.unit.training.tiny_training import training_of
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.errors import Interrupted, RunFailed
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.events import StepLogged
from tuneproof.engine.run.limits import is_out_of_memory
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.training.distributed.launch import train_in_processes


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


@pytest.mark.long
def test_two_processes_have_the_losses_of_one_at_every_step_even_the_incomplete_last_one(base: BaseCheckpoint, tmp_path: Path) -> None:
    assert_same_curve(base, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(
    "settings",
    [
        {"packing": True, "repeats": 6, "batch_size": 20, "epochs": 2},
        {"repeats": 2, "batch_size": 8, "accumulation": 2, "epochs": 3},
        {"method": "full", "learning_rate": 1e-4, "epochs": 2},
        {"method": "prompt_tuning", "epochs": 2},
        {"repeats": 3, "batch_size": 5, "epochs": 2, "group_by_length": True},
    ],
    ids=["packed", "accumulated", "full", "soft prompt", "grouped by length"],
)
def test_two_processes_have_the_losses_of_one_however_it_is_trained(base: BaseCheckpoint, tmp_path: Path, settings: dict[str, Any]) -> None:
    assert_same_curve(base, tmp_path, **settings)


@pytest.mark.long
def test_a_training_grouped_by_length_resumes_to_the_same_weights(base: BaseCheckpoint, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"repeats": 3, "batch_size": 5, "epochs": 2, "group_by_length": True}
    whole = trained(base, tmp_path / "whole", 1, **settings)
    with pytest.raises(Interrupted):
        trained(base, tmp_path / "broken", 1, recorder=Recorder(stop_at=3), **settings)
    assert_same_weights(whole, trained(base, tmp_path / "broken", 1, **settings))


@pytest.mark.long
@pytest.mark.parametrize("stop_at", [2, 6])
def test_processes_that_were_stopped_resume_together_to_the_same_weights(base: BaseCheckpoint, tmp_path: Path, stop_at: int) -> None:
    settings: dict[str, Any] = {"batch_size": 2, "epochs": 5, "probe_every": 20}
    whole = trained(base, tmp_path / "whole", 2, **settings)
    first, second = Recorder(stop_at=stop_at), Recorder()
    with pytest.raises(Interrupted):
        trained(base, tmp_path / "broken", 2, recorder=first, **settings)
    resumed = trained(base, tmp_path / "broken", 2, recorder=second, **settings)
    assert [event.step for recorder in (first, second) for event in recorder.steps] == list(range(1, 21))
    assert_same_weights(whole, resumed)


def train_on(rows: type[FailingRows], base: BaseCheckpoint, folder: Path) -> None:
    encoded, probe = training_of(base)
    plan = make_plan(MethodChoice(name="lora"), Training(batch_size=4, processes=2))
    train_in_processes(base, rows(encoded), probe, plan, folder, Recorder(), StopRequest())


@pytest.mark.long
def test_a_process_that_runs_out_of_memory_ends_all_with_its_error(base: BaseCheckpoint, tmp_path: Path) -> None:
    with pytest.raises(Exception) as failed:
        train_on(FailingRows, base, tmp_path)
    assert is_out_of_memory(failed.value)


@pytest.mark.long
def test_a_process_that_is_killed_ends_all(base: BaseCheckpoint, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="one of the 2 training processes was killed"):
        train_on(KillingRows, base, tmp_path)


@dataclass
class NamesListeners(Recorder):
    """Names at every step the addresses on which this process and all that it started listen."""

    addresses: set[str] = field(default_factory=set)

    def emit(self, event: Event, *, sync: bool = False) -> None:
        super().emit(event, sync=sync)
        me = psutil.Process()
        for process in (me, *me.children(recursive=True)):
            found = process.net_connections(kind="inet")
            self.addresses |= {connection.laddr.ip for connection in found if connection.status == psutil.CONN_LISTEN}


@pytest.mark.long
def test_the_processes_of_one_machine_listen_only_to_that_machine(base: BaseCheckpoint, tmp_path: Path) -> None:
    recorder = NamesListeners()
    trained(base, tmp_path, 2, recorder=recorder)
    assert recorder.addresses <= {"127.0.0.1", "::1"}


@dataclass
class TerminatesTorchrun(Recorder):
    """Signals torchrun at the first step, as Slurm signals every process of a job."""

    def emit(self, event: Event, *, sync: bool = False) -> None:
        super().emit(event, sync=sync)
        if isinstance(event, StepLogged) and event.step == 1:
            (torchrun,) = psutil.Process().children()
            torchrun.terminate()


@pytest.mark.long
def test_a_signal_to_torchrun_does_not_end_the_training(base: BaseCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # How long torchrun would otherwise give its processes.
    monkeypatch.setenv("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "1")
    assert trained(base, tmp_path, 2, recorder=TerminatesTorchrun(), epochs=60, probe_every=1000).steps == 180


@pytest.mark.long
def test_a_loss_that_is_not_finite_stops_all(base: BaseCheckpoint, tmp_path: Path) -> None:
    recorder = Recorder()
    with pytest.raises(RunFailed, match="is not finite at step"):
        trained(base, tmp_path, 2, recorder=recorder, learning_rate=1e30, epochs=9)
    assert len(recorder.curve) < 2 * 27
