"""A model whose answers do not survive rounding to bfloat16 is merged into a finer number type, and the card says what each type lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.conftest import sample_case, set_options, tuneproof
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.models.base_model import load_base
from tuneproof.engine.models.pretrained import read_model

pytestmark = pytest.mark.long

NOISE = 1.3
"""Standard deviations of each matrix: answers become a matter of small differences, so that rounding the merged weights changes many."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the sample model with noise in its weights, stored in bfloat16."""
    folder = tmp_path_factory.mktemp("noisy")
    base = load_base(ModelChoice(base="sample"))
    model = read_model(base.folder, base.generation)
    torch.manual_seed(0)
    for matrix in (parameter for parameter in model.parameters() if parameter.ndim == 2):
        matrix.data += torch.randn_like(matrix) * matrix.std() * NOISE
    model.to(torch.bfloat16).save_pretrained(folder / "base")
    base.tokenizer.save_pretrained(folder / "base")
    chosen = [
        f"model.base={folder / 'base'}",
        "baselines=[zero_shot]",
        "training.max_steps=4",
        "evaluate.max_new_tokens=40",
        "risk.minutes=0",
    ]
    result = tuneproof("--replay", sample_case(), "--run-dir", folder / "run", *set_options(*chosen))
    assert result.code == 0, result.err
    return folder / "run"


def test_the_first_type_that_agrees_is_kept_and_the_others_keep_their_answers_alone(run: Path) -> None:
    served = json.loads((run / "card.json").read_text())["served"]
    rows = {row["form"]: row for row in served["forms"]}
    assert served["form"] in ("merged_float16", "merged_float32") and rows[served["form"]]["agrees"]
    assert not rows["merged_bfloat16"]["agrees"] and "adapter_bfloat16" in rows
    assert "the smallest form tried whose answers agree" in served["summary"]
    assert (run / "training/merged/model/model.safetensors").stat().st_size == served["weights_bytes"]
    assert (run / "training/forms/merged_bfloat16/predictions.jsonl").is_file()
    assert not list((run / "training/forms").rglob("*.safetensors"))


def test_it_can_be_verified_reproduced_and_resumed(run: Path) -> None:
    assert tuneproof("verify", run).code == 0
    again = tuneproof("reproduce", run, "--arm", "tuned_merged")
    assert again.code == 0 and "0 differ from what is stored" in again.out
    before = (run / "manifest.json").read_bytes()
    assert tuneproof("--replay", run / "case.yaml", "--run-dir", run, "--resume").code == 0
    assert (run / "manifest.json").read_bytes() == before


def test_an_answer_of_a_type_that_was_put_aside_cannot_be_changed_unnoticed(run: Path, tmp_path: Path) -> None:
    file = run / "training/forms/merged_bfloat16/predictions.jsonl"
    text = file.read_text()
    file.write_text(text.replace('"correct":false', '"correct":true', 1))
    try:
        assert tuneproof("verify", run).code == 5
    finally:
        file.write_text(text)


def test_another_type_is_refused_once_one_is_measured(run: Path) -> None:
    result = tuneproof("--replay", run / "case.yaml", "--run-dir", run, "--resume", "--set", "evaluate.merged_dtype=bfloat16")
    assert result.code == 3 and "the merged model is measured in its number type" in result.err
