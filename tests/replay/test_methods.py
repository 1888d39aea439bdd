"""A case with another method than LoRA goes the whole way to a card that can be verified, or is refused before anything is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import sample_case, set_options, tuneproof
from tuneproof.engine.case.load import load_case
from tuneproof.engine.methods.method import Quantisation
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run.store import RunStore

QUICK = ("full", "vera")
"""One whole model, and one adapter that holds more than was trained."""
OTHERS = [name for name, method in METHODS.items() if name not in QUICK and method.quantisation is not Quantisation.NF4]


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.real) for name in OTHERS)])
@pytest.mark.long
def test_another_method_goes_the_whole_way_to_a_card(run: Path, name: str) -> None:
    chosen = [f"method.name={name}", "training.max_steps=2", "training.max_length=88"]
    RunStore.open(run).amend(load_case(sample_case(), chosen))
    result = tuneproof("--replay", sample_case(), "--run-dir", run, "--resume", "--json", *set_options(*chosen))
    assert result.code == 0, result.err
    card = json.loads(result.out)["card"]
    assert card["method"]["name"] == name and [arm["arm"] for arm in card["arms"]] == [
        *("zero_shot", "few_shot", "constrained"),
        *("tuned", "tuned_constrained"),
    ]
    stored = "model.safetensors" if name == "full" else "adapter_model.safetensors"
    assert (run / "training" / "adapter" / stored).is_file() and card["provenance"]["adapter_sha256"]
    assert card["method"]["length"]["limit"] == 88 and card["method"]["length"]["left_out"] > 0
    text = (run / "card.md").read_text()
    assert "learning_rate 0.002: the case" in text and "- warmup 0.05: between QLoRA's 3 %" in text and "- clip 1: " in text
    assert f"{card['method']['length']['left_out']} rows are too long and were left out" in text
    assert tuneproof("verify", run).code == 0


@pytest.mark.parametrize(
    ("overrides", "code", "why"),
    [
        (["method.name=qlora"], 3, "4-bit weights do not train correctly on a CPU"),
        (["method.name=hra"], 2, "merging it into an int8 base gives wrong outputs"),
        (["method.name=prefix_tuning", "training.packing=true"], 3, "cannot be trained on packed rows"),
        (["method.name=ia3", "training.rank=8"], 2, "ia3 has no `rank`"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_run(tmp_path: Path, overrides: list[str], code: int, why: str) -> None:
    result = tuneproof("--replay", sample_case(), "--run-dir", tmp_path / "run", *set_options(*overrides), env={"CUDA_VISIBLE_DEVICES": ""})
    assert result.code == code and why in result.err and "Traceback" not in result.err
    assert not (tmp_path / "run" / "arms").exists()
