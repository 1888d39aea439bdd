"""TRL's trainer as it is used here: what it reads is counted, the order of the rows may be given, a CPU scores only what is to be learned,
and the model may be divided.

Imports TRL, so only the processes that train import this module.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import datasets
import torch
from accelerate.utils import AutocastKwargs
from torch.utils.data import Sampler
from transformers.trainer import OPTIMIZER_NAME, SCHEDULER_NAME
from trl import SFTConfig, SFTTrainer

from tuneproof.engine.methods.memory import LOGITS_AT_ONCE
from tuneproof.engine.training.distributed.collectives import is_rank_zero
from tuneproof.engine.training.distributed.fsdp import full_state_dict, gathered_root, load_optimizer_state, save_optimizer_state, shard
from tuneproof.engine.training.masked_loss import lm_head, summed_cross_entropy, target_logits, target_mask
from tuneproof.engine.training.packing import TOKEN_COUNT
from tuneproof.engine.training.sampler import PaddedBatchSampler


class CountingTrainer(SFTTrainer):
    """TRL's trainer with a count of the tokens that were read, padding aside: its own takes a packed batch for one sequence.

    `even` is the order of the rows; without it the trainer has its own.
    """

    tokens_read = 0
    even: PaddedBatchSampler | None = None

    def _get_train_sampler(self, train_dataset: datasets.Dataset | None = None) -> Sampler[int] | None:
        if self.even is not None:
            return self.even
        sampler: Sampler[int] | None = super()._get_train_sampler(train_dataset)
        return sampler

    def training_step(self, model: Any, inputs: dict[str, Any], *more: Any, **named: Any) -> torch.Tensor:
        told = inputs.pop(TOKEN_COUNT, None)
        self.tokens_read += inputs["attention_mask"].sum() if told is None else told
        loss: torch.Tensor = super().training_step(model, inputs, *more, **named)
        return loss

    def compute_loss(self, model: Any, inputs: dict[str, Any], *more: Any, num_items_in_batch: Any = None, **named: Any) -> Any:
        """The share of a part in the mean loss of its step.

        TRL's fused head is for GPUs: elsewhere it scores what is only read too, and all of it a second time in the backward pass
        (`compact` in `trl/trainer/utils.py`).
        """
        labels = inputs["labels"]
        head = lm_head(self.accelerator.unwrap_model(model))
        scores = int(target_mask(labels).sum()) * len(head.weight) if labels.device.type == "cpu" else math.inf
        if scores > LOGITS_AT_ONCE or num_items_in_batch is None or self.aux_loss_enabled:
            return super().compute_loss(model, inputs, *more, num_items_in_batch=num_items_in_batch, **named)
        read = {name: value for name, value in inputs.items() if name != "labels"}
        # Gradients of processes are averaged, and the tokens are those of all.
        return summed_cross_entropy(target_logits(model, head, read, labels), labels) * self.accelerator.num_processes / num_items_in_batch


class ShardedConfig(SFTConfig):
    """TRL's settings for a model that is divided: a device has room for its share alone, of the model and of what gradients add up to."""

    def __post_init__(self) -> None:
        self.accelerator_config = {"gradient_accumulation_kwargs": {"sync_each_batch": True}}
        super().__post_init__()

    @property
    def place_model_on_device(self) -> bool:
        return False


class ShardedTrainer(CountingTrainer):
    """The same for a model that is divided when training begins, after a checkpoint was loaded into it; checkpoints are whole.

    accelerate divides one by itself only on a GPU, so that no test without one could hold it to anything.
    """

    def __init__(self, *more: Any, **named: Any) -> None:
        super().__init__(*more, **named)
        # What transformers calls a model that is divided already, and adds up the gradients of itself.
        self.is_distributed_loading_by_transformers = True
        # Else autocast keeps a copy of every weight that learns until all layers have run, which so were gathered in vain.
        self.accelerator.autocast_handler = AutocastKwargs(cache_enabled=False)

    def _prepare_for_training(self, *more: Any, **named: Any) -> Any:
        shard(self.model)
        return super()._prepare_for_training(*more, **named)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        whole = full_state_dict(self.model)
        # PEFT asks a learned prompt itself for what is to be saved of it.
        with gathered_root(self.model):
            if is_rank_zero():
                super()._save(output_dir, whole)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        save_optimizer_state(self.optimizer, Path(output_dir, OPTIMIZER_NAME))
        if is_rank_zero():
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir, SCHEDULER_NAME))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            load_optimizer_state(self.optimizer, Path(checkpoint, OPTIMIZER_NAME))
            self.lr_scheduler.load_state_dict(torch.load(Path(checkpoint, SCHEDULER_NAME), weights_only=True))
