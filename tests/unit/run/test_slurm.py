"""Slurm settings: the sbatch options, what is refused before a job is submitted, and that they do not change the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import sample_case, tuneproof
from tuneproof.engine.case.load import dump_case, load_case
from tuneproof.engine.case.slurm import Launcher, Slurm
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.errors import CaseError, GateClosed, UsageError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.run import slurm
from tuneproof.engine.run.event_reader import parse
from tuneproof.engine.run.events import Launched
from tuneproof.engine.run.launch import stop_run
from tuneproof.engine.run.liveness import is_alive
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore

ON_SLURM = "training.launcher=slurm"
ELSEWHERE = Launched(pid=1, process_started=0.0, tuneproof="0.1.0", until=Stage.CARD, host="elsewhere", slurm_job="7")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["training.slurm.partition=gpu"], "`slurm` belongs to launcher slurm, not to launcher local"),
        ([ON_SLURM, "training.slurm.partion=gpu"], "did you mean `partition`?"),
        ([ON_SLURM, "training.slurm.hours=0"], "greater than 0"),
        ([ON_SLURM, 'training.slurm.account="a\\nrm -r x"'], "training.slurm.account"),
        ([ON_SLURM, 'training.slurm.extra={"a\\nrm": x}'], "training.slurm.extra"),
        ([ON_SLURM, "training.slurm.extra={nodes: 2}"], "`extra` cannot have `nodes`: set `slurm.nodes`"),
        ([ON_SLURM, "training.slurm.extra={ntasks: 2}"], "`extra` cannot have `ntasks`: each node runs one task"),
        (
            [ON_SLURM, "training.slurm.nodes=2"],
            "1 cannot be divided among the 2 of `slurm.nodes`: set it to 2",
        ),
        ([ON_SLURM, "training.slurm.nodes=4", "training.processes=6"], "set it to 4 or 8"),
        (["training.launcher=ray"], "training.launcher"),
    ],
)
def test_a_case_with_invalid_slurm_settings_is_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(CaseError) as caught:
        load_case(sample_case(), overrides)
    assert message in str(caught.value)


def test_settings_without_a_value_are_not_passed_to_sbatch() -> None:
    assert slurm.sbatch_options(Slurm()) == {"nodes": 1, "signal": "TERM@90", "no_requeue": True}
    settings = Slurm(
        nodes=2, partition="gpu", gpus=1, cpus=8, memory_gb=1.5, hours=0.01, extra={"mail-type": "END", "nice": 5, "exclusive": True}
    )
    flags = {slurm.sbatch_flag(key, value) for key, value in slurm.sbatch_options(settings).items()}
    assert flags >= {"--nodes=2", "--partition=gpu", "--gpus-per-node=1", "--cpus-per-task=8", "--mem=1536M", "--time=1"}
    assert flags >= {"--mail-type=END", "--nice=5", "--exclusive"}


def test_the_launcher_does_not_change_the_training_plan() -> None:
    there = Training(launcher=Launcher.SLURM, slurm=Slurm(gpus=1, nodes=2), processes=2)
    assert make_plan(MethodChoice(), there).digest == make_plan(MethodChoice(), Training()).digest
    assert make_plan(MethodChoice(), there).processes_per_node == 1


def test_a_run_can_be_resumed_with_another_launcher_and_keeps_its_plan(run: Path) -> None:
    store = RunStore.open(run)
    store.write_step(StepId(StepKind.METHOD), Inputs(), {})
    store.write_step(StepId(StepKind.TRAIN), Inputs(), {})
    store.amend(load_case(sample_case(), [ON_SLURM, "training.slurm.hours=8"]))
    assert store.case.training.slurm == Slurm(hours=8) and StepId(StepKind.METHOD) in store.manifest.steps
    with pytest.raises(GateClosed, match="the model is trained already"):
        store.amend(load_case(sample_case(), [ON_SLURM, "training.rank=4"]))


def test_a_case_for_a_cluster_reads_back_as_it_was_written(tmp_path: Path) -> None:
    case = load_case(sample_case(), [ON_SLURM, "training.slurm={gpus: 2, extra: {exclusive: true, nice: 5}}"])
    (tmp_path / "case.yaml").write_text(dump_case(case))
    assert load_case(tmp_path / "case.yaml") == case


def test_a_dry_run_runs_on_this_machine_whatever_the_launcher_is() -> None:
    assert load_case(sample_case(), [ON_SLURM]).on_this_machine().training == load_case(sample_case()).training


def test_without_sbatch_a_case_for_a_cluster_is_refused_before_the_run_begins(tmp_path: Path) -> None:
    words = ["--replay", sample_case(), "--run-dir", tmp_path / "run", "--set", ON_SLURM]
    result = tuneproof(*words, env={"PATH": str(tmp_path)})
    assert result.code == 3 and result.err.startswith("tuneproof: training.launcher: slurm: there is no sbatch on this machine; ")
    assert len(result.err.splitlines()) == 1 and not (tmp_path / "run").exists()


def test_without_submitit_the_extra_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm, "is_installed", lambda name: name != "submitit")
    with pytest.raises(GateClosed, match=r"submitit is not installed; pip install 'tuneproof\[slurm\]'"):
        slurm.check_slurm(Slurm())


@pytest.fixture
def fake_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that replaces squeue and scancel by scripts with a fixed output and exit code."""

    def put(says: str, code: int) -> None:
        for name in ("squeue", "scancel"):
            (tmp_path / name).write_text(f"#!/bin/sh\necho '{says}' >&{1 if code == 0 else 2}\nexit {code}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return put


@pytest.mark.parametrize(
    ("says", "code", "alive"),
    [
        ("RUNNING", 0, True),
        ("", 0, False),
        ("slurm_load_jobs error: Invalid job id specified", 1, False),
        ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)", 1, True),
    ],
)
def test_a_job_on_another_machine_is_alive_until_slurm_does_not_know_it(fake_slurm: Any, says: str, code: int, alive: bool) -> None:
    fake_slurm(says, code)
    assert is_alive(ELSEWHERE) is alive


def test_without_slurm_commands_a_job_is_assumed_to_be_alive_and_cannot_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert is_alive(ELSEWHERE)
    with pytest.raises(UsageError, match="scancel 7"):
        stop_run(tmp_path, ELSEWHERE)


def test_a_job_of_another_run_is_not_stopped_whatever_the_log_says(tmp_path: Path, fake_slurm: Any) -> None:
    (tmp_path / "scancelled").write_text("")
    fake_slurm("/home/me/runs/other/slurm/submission_file_1.sh", 0)
    (tmp_path / "scancel").write_text(f"#!/bin/sh\necho yes > {tmp_path}/scancelled\n")
    assert not stop_run(tmp_path / "run", ELSEWHERE)
    assert (tmp_path / "scancelled").read_text() == ""
    fake_slurm(f"{tmp_path}/run/slurm/submission_file_1.sh", 0)
    assert stop_run(tmp_path / "run", ELSEWHERE)


def test_a_launch_event_without_a_slurm_job_is_read() -> None:
    line = ELSEWHERE.model_dump_json(exclude={"slurm_job"}).encode()
    event = parse(line)
    assert isinstance(event, Launched) and event.slurm_job is None
