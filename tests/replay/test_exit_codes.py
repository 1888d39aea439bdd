"""The real command ends with each documented exit code, and with one line that says what, where and what to do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import COMMAND, Result, WriteCase, WriteJsonl, sample_case, set_options, tuneproof
from tests.waiting import events_of, wait_for_event
from tuneproof.engine.run.events import Launched, StepLogged

DECISION = {"private_facts": False, "format_drift": True, "stable_task": True, "labeled_examples": 120}
TASK = {"instruction": "Answer.", "output": {"kind": "choice", "choices": ["yes", "no"]}}


def one_line(result: Result) -> str:
    """The error as the user reads it: a single line, no traceback."""
    assert "Traceback" not in result.err
    lines = [line for line in result.err.splitlines() if line.startswith("tuneproof: ")]
    assert len(lines) == 1, result.err
    return lines[0]


def test_0_a_case_with_only_a_decision_gives_its_route(write_case: WriteCase, tmp_path: Path) -> None:
    result = tuneproof("--replay", write_case({"decision": DECISION}), "--json", cwd=tmp_path)
    document = json.loads(result.out)
    assert result.code == 0 and document["route"] == "fine-tuning candidate"
    assert document["card"]["verdict"]["answer"] == "inconclusive"
    assert document["card"]["verdict"]["missing"] == ["data", "prompt baseline", "tuned arm"]
    assert tuneproof("verify", tmp_path / document["run_dir"]).code == 0


def test_0_the_sample_cases_are_found_from_any_folder(tmp_path: Path) -> None:
    result = tuneproof("--replay", "route_only.yaml", cwd=tmp_path)
    assert result.code == 0 and result.out.startswith("route: RAG first\n")
    assert (tmp_path / "runs" / "route-only-1" / "card.json").is_file()


PLANTED_DEFECT = Path(__file__).with_name("planted_defect")


@pytest.mark.parametrize(("module", "name", "until"), [("case.route", "what_if", "route"), ("audit.run_checks", "audit", "audit")])
def test_1_a_defect_leaves_its_traceback_in_the_log_of_the_run(tmp_path: Path, module: str, name: str, until: str) -> None:
    run = tmp_path / "run"
    path = os.pathsep.join([str(PLANTED_DEFECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {"PYTHONPATH": path, "TEST_DEFECT": f"tuneproof.engine.{module}:{name}"}
    result = tuneproof("--replay", sample_case(), "--until", until, "--run-dir", run, env=environment)
    assert result.code == 1
    assert str(run / "worker.log") in one_line(result)
    assert "ZeroDivisionError: planted" in (run / "worker.log").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--replay"], "expected one argument"),
        (["--replay", "none.yaml"], "there is no such case file"),
        (["--replay", "route_only.yaml", "--until", "trian"], "`trian` is not a stage"),
        (["--replay", "route_only.yaml", "--until", "train"], "`data` is missing"),
        (["--replay", "route_only.yaml", "--resume"], "--resume needs --run-dir"),
        (["--replay", "route_only.yaml", "--set", "decision.privat_facts=true"], "did you mean `private_facts`?"),
        (["--frobnicate"], "unrecognized arguments"),
        (["verify", "."], "not a run folder"),
        ([], "the wizard needs a terminal"),
        (["--until", "route"], "--until needs --replay"),
        (["attach", "nowhere"], "there is no such run folder"),
    ],
)
def test_2_usage(tmp_path: Path, words: list[str], message: str) -> None:
    result = tuneproof(*words, cwd=tmp_path)
    assert result.code == 2 and message in one_line(result) and result.out == ""


def test_2_a_run_folder_in_use_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    result = tuneproof("--replay", "route_only.yaml", "--run-dir", tmp_path)
    assert result.code == 2 and "the folder is not empty" in one_line(result)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("case", "message"),
    [({"baselines": ["zero_shto"]}, "no arm `zero_shto`"), ({"method": {"name": "qlroa"}}, "`qlroa` is not a method")],
)
def test_2_an_arm_or_method_that_does_not_exist(
    write_case: WriteCase, write_jsonl: WriteJsonl, tmp_path: Path, case: dict[str, Any], message: str
) -> None:
    write_jsonl([{"input": f"row {i}", "output": "yes"} for i in range(40)])
    whole = {"decision": DECISION, "task": TASK, "data": {"examples": "rows.jsonl"}, "model": {"base": "sample"}, **case}
    result = tuneproof("--replay", write_case(whole), "--run-dir", tmp_path / "run")
    assert result.code == 2 and message in one_line(result)


def rows(count: int) -> list[dict[str, str]]:
    return [{"input": f"Is {i} even?", "output": "yes" if i % 2 == 0 else "no"} for i in range(count)]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([{"input": "Is 3 odd?", "output": "perhaps"}], "format: 1 output"),
        ([{"input": "is 4 EVEN?", "output": "no"}], "conflict: 2 rows"),
        ([{"question": "x"}], None),
    ],
)
def test_3_data_that_blocks_is_refused_and_a_bad_row_is_not(
    write_case: WriteCase, write_jsonl: WriteJsonl, tmp_path: Path, bad: list[dict[str, str]], message: str | None
) -> None:
    write_jsonl(rows(40) + bad)
    case = write_case({"decision": DECISION, "task": TASK, "data": {"examples": "rows.jsonl"}})
    result = tuneproof("--replay", case, "--run-dir", tmp_path / "run")
    report = json.loads((tmp_path / "run" / "audit.json").read_text())
    if message is None:
        assert result.code == 0 and report["findings"][0]["rows"][0]["line"] == 41
    else:
        assert result.code == 3 and message in one_line(result) and "leave_out" in one_line(result)


def test_3_an_eval_row_in_train_is_refused_until_it_is_left_out(write_case: WriteCase, write_jsonl: WriteJsonl, tmp_path: Path) -> None:
    write_jsonl(rows(40))
    write_jsonl([{"input": "is 4 even", "output": "yes"}, {"input": "Is 99 even?", "output": "no"}], "eval.jsonl")
    case = write_case({"decision": DECISION, "task": TASK, "data": {"examples": "rows.jsonl", "eval": "eval.jsonl"}})
    refused = tuneproof("--replay", case, "--run-dir", tmp_path / "a")
    assert refused.code == 3 and "leakage: 1 training row is also in eval (first: rows.jsonl:5)" in one_line(refused)
    assert tuneproof("--replay", case, "--run-dir", tmp_path / "b", "--set", "data.leave_out=[leakage]").code == 0
    kept = (tmp_path / "b" / "splits" / "train.jsonl").read_text() + (tmp_path / "b" / "splits" / "validation.jsonl").read_text()
    assert "Is 4 even?" not in kept and "Is 6 even?" in kept


@pytest.mark.parametrize(
    ("override", "missing"),
    [
        ("baselines=[]", "no training without these: prompt baseline, failure log"),
        pytest.param(
            "data.split={train: 1.0, validation: 0.0, eval: 0.0}",
            "no training without these: validation set",
            marks=pytest.mark.long,
        ),
    ],
)
def test_3_the_gate_says_which_of_the_three_is_missing(tmp_path: Path, override: str, missing: str) -> None:
    result = tuneproof("--replay", sample_case(), "--run-dir", tmp_path / "run", "--set", override)
    assert result.code == 3 and missing in one_line(result)
    assert not (tmp_path / "run" / "training").exists()


@pytest.mark.long
def test_a_failure_log_that_is_gone_is_made_again_from_the_predictions(run: Path) -> None:
    log = run / "failures.jsonl"
    written = log.read_bytes()
    log.unlink()
    assert tuneproof("--replay", sample_case(), "--run-dir", run, "--until", "baselines", "--resume").code == 0
    assert log.read_bytes() == written != b""


@pytest.mark.long
def test_4_a_loss_that_is_not_finite_fails_and_says_what_to_lower(tmp_path: Path) -> None:
    words = set_options("baselines=[zero_shot]", "training.learning_rate=1.0e+30")
    result = tuneproof("--replay", sample_case(), "--run-dir", tmp_path / "run", *words)
    message = one_line(result)
    assert result.code == 4 and "not finite" in message and "training.learning_rate" in message


@pytest.mark.long
def test_4_a_full_disk_fails_and_can_be_resumed(run: Path) -> None:
    limited = ["bash", "-c", 'ulimit -f 200; exec "$@"', "bash", str(COMMAND)]
    words = ["--replay", str(sample_case()), "--run-dir", str(run), "--resume", "--until", "train"]
    full = subprocess.run([*limited, *words], capture_output=True, text=True, timeout=600)
    assert full.returncode == 4, full.stderr
    assert "disk is full" in full.stderr and "Traceback" not in full.stderr
    assert tuneproof(*words).code == 0


def test_5_verify_names_the_file_that_differs(finished: tuple[Path, Result], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished[0], run)
    path = run / "arms" / "tuned" / "predictions.jsonl"
    path.write_bytes(path.read_bytes().replace(b"billing", b"Billing", 1))
    result = tuneproof("verify", run)
    assert result.code == 5 and "arms/tuned/predictions.jsonl" in one_line(result)


@pytest.mark.long
def test_130_an_interrupted_run_stops_at_a_checkpoint_and_resumes_to_the_same_adapter(finished: tuple[Path, Result], run: Path) -> None:
    words = [str(COMMAND), "--replay", str(sample_case()), "--run-dir", str(run), "--resume"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_event(run, StepLogged, lambda event: event.step >= 5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130 and "--resume" in err and "Traceback" not in err, err
    assert not (run / "card.json").exists()
    resumed = tuneproof("--replay", sample_case(), "--run-dir", run, "--resume")
    assert resumed.code == 0, resumed.err
    assert adapter(run) == adapter(finished[0])


@pytest.mark.long
def test_a_killed_run_resumes_to_the_same_adapter(finished: tuple[Path, Result], run: Path) -> None:
    process = subprocess.Popen([str(COMMAND), "--replay", str(sample_case()), "--run-dir", str(run), "--resume"], stderr=subprocess.DEVNULL)
    wait_for_event(run, StepLogged, lambda event: event.step >= 13)
    launched = events_of(run, Launched)[-1]
    os.kill(launched.pid, signal.SIGKILL)
    assert process.wait(timeout=60) == 4
    resumed = tuneproof("--replay", sample_case(), "--run-dir", run, "--resume")
    assert resumed.code == 0, resumed.err
    assert adapter(run) == adapter(finished[0])
    assert tuneproof("verify", run).code == 0


def adapter(run: Path) -> bytes:
    return (run / "training" / "adapter" / "adapter_model.safetensors").read_bytes()
