"""On a CPU only target tokens have logits, and loss and gradients equal those of TRL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, CohereConfig, Gemma2Config, GraniteConfig, LlamaConfig
from trl import SFTTrainer

from tests.unit.training.tiny_training import SMALL, training_of
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.training import trainer as trainers
from tuneproof.engine.training.masked_loss import lm_head, target_logits, target_mask
from tuneproof.engine.training.run import make_trainer
from tuneproof.engine.training.tokenize import IGNORE_INDEX

FAMILIES = {
    "llama": LlamaConfig(**SMALL),
    "gemma2, which caps its scores": Gemma2Config(**SMALL, head_dim=8, final_logit_softcapping=0.5),
    "granite, which divides them": GraniteConfig(**SMALL, logits_scaling=8.0),
    "cohere, which multiplies them": CohereConfig(**SMALL, logit_scale=0.0625),
}


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice())


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_target_logits_equal_the_logits_of_the_model_at_the_same_positions(family: str) -> None:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(FAMILIES[family]).eval()
    ids = torch.randint(3, 64, (3, 12))
    labels = ids.clone()
    labels[:, :7] = IGNORE_INDEX
    labels[1, 9:] = IGNORE_INDEX
    scores = target_logits(model, lm_head(model), {"input_ids": ids}, labels)
    assert scores.shape == (5 + 2 + 5, 64)
    every = model(input_ids=ids).logits
    torch.testing.assert_close(scores, every[:, :-1][target_mask(labels)])
    # The hook on the LM head is gone after one pass.
    assert every.shape == (3, 12, 64)


@pytest.mark.parametrize("name", ["lora", "full", "prompt_tuning", "prefix_tuning"])
def test_loss_and_gradients_are_those_of_trl(base: BaseCheckpoint, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # With the dummy row, which may be the only row of a micro-batch.
    rows = training_of(base)[0][:5]
    trainer = make_trainer(base, rows, make_plan(MethodChoice(name=name), Training(batch_size=6)), tmp_path)
    (batch,) = trainer.get_train_dataloader()
    words = int((batch["labels"][:, 1:] != IGNORE_INDEX).sum())
    own, trl = step(trainer, batch, words, type(trainer)), step(trainer, batch, words, SFTTrainer)
    assert own[0] == pytest.approx(trl[0], rel=1e-5)
    assert len(own[1]) == len(trl[1]) > 0
    for mine, theirs in zip(own[1], trl[1], strict=True):
        assert (mine - theirs).norm() <= 1e-5 * theirs.norm()
    monkeypatch.setattr(trainers, "MAX_LOGITS_PER_CALL", words)
    monkeypatch.setattr(trainers, "target_logits", None)
    assert step(trainer, batch, words, type(trainer))[0] == trl[0]


def test_a_micro_batch_without_targets_has_no_gradient(base: BaseCheckpoint, tmp_path: Path) -> None:
    trainer = make_trainer(base, training_of(base)[0], make_plan(MethodChoice(name="lora"), Training()), tmp_path)
    nothing = {"input_ids": torch.zeros(1, 2, dtype=torch.long), "labels": torch.full((1, 2), IGNORE_INDEX)}
    loss, gradients = step(trainer, nothing, 7, type(trainer))
    assert loss == 0
    assert not any(gradient.any() for gradient in gradients)


def step(trainer: Any, batch: dict[str, torch.Tensor], words: int, kind: Any) -> tuple[float, list[torch.Tensor]]:
    """Loss and gradients of a batch, as that kind of trainer computes them."""
    trainer.model.zero_grad()
    loss = kind.compute_loss(trainer, trainer.model, dict(batch), num_items_in_batch=words)
    loss.backward()
    return loss.item(), [p.grad.clone() for p in trainer.model.parameters() if p.grad is not None]
