"""`tuneproof judge` gives a model that was trained elsewhere the same card as one that was trained in the run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Result, sample_case, tuneproof

BASELINE = ("--set", "baselines=[zero_shot]", "--set", "evaluate.merged=false")


def outputs(run: Path) -> list[str]:
    return [json.loads(line)["output"] for line in (run / "arms/tuned/predictions.jsonl").read_text().splitlines()]


@pytest.mark.long
def test_an_adapter_has_the_scores_that_it_had_where_it_was_trained(finished: tuple[Path, Result], tmp_path: Path) -> None:
    trained, adapter, run = finished[0], tmp_path / "adapter", tmp_path / "run"
    shutil.copytree(trained / "training/adapter", adapter)
    history = [{"step": 1, "loss": 2.0}, {"step": 2, "eval_loss": 2.5}]
    (adapter / "trainer_state.json").write_text(json.dumps({"global_step": 2, "log_history": history}))
    done = tuneproof("judge", "--adapter", adapter, "--case", sample_case(), "--run-dir", run, *BASELINE)
    assert done.code == 0, done.err
    assert outputs(run) == outputs(trained)
    shutil.rmtree(adapter)
    assert tuneproof("verify", run).code == 0
    assert json.loads((run / "training/history.json").read_text())["validation_losses"] == [{"step": 2.0, "loss": 2.5}]
    card = (run / "card.md").read_text()
    assert "2.5 first and 2.5 last" in (run / "card.html").read_text()
    assert "trained elsewhere for 2 steps, and measured as it is" in card
    assert "which rows it was trained on is not known" in card and "No log of its training" not in card


@pytest.mark.long
def test_a_merged_model_is_measured_as_a_model_of_its_own(finished: tuple[Path, Result], tmp_path: Path) -> None:
    merged = finished[0] / "training/merged/model"
    done = tuneproof("judge", "--model", merged, "--case", sample_case(), "--run-dir", tmp_path / "run", *BASELINE)
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "run/card.json").read_text())["method"]["name"] == "full"
    assert tuneproof("verify", tmp_path / "run").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "adapter"), "the folder has an adapter; give it with --adapter"),
        (("--adapter", "empty"), "has no adapter_config.json"),
        (("--adapter", "adapter", "--set", "evaluate.seeds=2"), "evaluate.seeds: the model was trained elsewhere"),
    ],
)
def test_what_cannot_be_judged_is_refused_before_a_run_begins(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter/adapter_config.json").write_text('{"peft_type": "LORA"}')
    shutil.copy(sample_case().parent / "model/model.safetensors", tmp_path / "adapter/adapter_model.safetensors")
    done = tuneproof("judge", *words, "--case", sample_case(), "--run-dir", tmp_path / "run", cwd=tmp_path)
    assert done.code == 2 and said in done.err
    assert not (tmp_path / "run").exists()
