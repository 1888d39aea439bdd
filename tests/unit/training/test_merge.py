"""A merged weight is the exact sum, rounded once to its number type."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file

from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.models.pretrained import read_model
from tuneproof.engine.training.merge import DoesNotFit, merge

LAYER = "model.layers.0.self_attn.q_proj"
ALPHA_OVER_RANK = 2.0


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> tuple[BaseCheckpoint, Path]:
    """The sample model stored in bfloat16, and an adapter that changes its weights by less than they are rounded to."""
    folder = tmp_path_factory.mktemp("merging")
    sample = load_base(ModelChoice(base="sample"))
    model = read_model(sample.folder, sample.generation).to(torch.bfloat16)
    model.save_pretrained(folder / "base")
    sample.tokenizer.save_pretrained(folder / "base")
    adapted = get_peft_model(model.float(), LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj"]))
    torch.manual_seed(0)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.002)
    adapted.save_pretrained(folder / "adapter")
    return load_base(ModelChoice(base=str(folder / "base"))), folder / "adapter"


def exact_sum(base: BaseCheckpoint, adapter: Path) -> torch.Tensor:
    weights, trained = load_file(base.folder / "model.safetensors"), load_file(adapter / "adapter_model.safetensors")
    up, down = (trained[f"base_model.model.{LAYER}.lora_{name}.weight"] for name in "BA")
    return weights[f"{LAYER}.weight"].float() + ALPHA_OVER_RANK * (up @ down)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_a_merged_weight_is_rounded_once(adapter: tuple[BaseCheckpoint, Path], dtype: torch.dtype, tmp_path: Path) -> None:
    base, trained = adapter
    merge(base, trained, tmp_path / "merged", dtype)
    weights = load_file(tmp_path / "merged/model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {dtype}
    error = (weights[f"{LAYER}.weight"].float() - exact_sum(base, trained)).abs()
    # Half of the last bit of the type, and what sums in float32 differ by in another order.
    assert bool((error <= exact_sum(base, trained).abs() * torch.finfo(dtype).eps / 2 + 1e-6).all())


def test_a_weight_that_a_type_cannot_hold_is_an_error_and_nothing_is_written(adapter: tuple[BaseCheckpoint, Path], tmp_path: Path) -> None:
    base, trained = adapter
    model = read_model(base.folder, base.generation)
    model.model.norm.weight.data[0] = 70_000.0
    model.save_pretrained(tmp_path / "large")
    base.tokenizer.save_pretrained(tmp_path / "large")
    with pytest.raises(DoesNotFit, match="too large for float16"):
        merge(load_base(ModelChoice(base=str(tmp_path / "large"))), trained, tmp_path / "merged", torch.float16)
    assert not (tmp_path / "merged").exists()
