"""TRL's trainer with a given order of the rows, a count of the tokens, a loss that is cheaper on a CPU, and weights that may be sharded.

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

from tuneproof.engine.methods.memory import MAX_LOGITS_PER_CALL
from tuneproof.engine.training.distributed.collectives import is_rank_zero
from tuneproof.engine.training.distributed.fsdp import full_state_dict, gathered_root, load_optimizer_state, save_optimizer_state, shard
from tuneproof.engine.training.masked_loss import lm_head, summed_cross_entropy, target_logits, target_mask
from tuneproof.engine.training.packing import TOKEN_COUNT
from tuneproof.engine.training.sampler import PaddedBatchSampler


class CountingTrainer(SFTTrainer):
    """TRL's trainer with a count of the tokens read, padding excluded; TRL itself counts a packed sequence as one row."""

    tokens_read = 0
    train_sampler: PaddedBatchSampler | None = None
    """The order of the rows; None for the trainer's own."""

    def _get_train_sampler(self, train_dataset: datasets.Dataset | None = None) -> Sampler[int] | None:
        if self.train_sampler is not None:
            return self.train_sampler
        sampler: Sampler[int] | None = super()._get_train_sampler(train_dataset)
        return sampler

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        """One forward and backward pass over a micro-batch; returns its share of the step's loss."""
        count = inputs.pop(TOKEN_COUNT, None)
        self.tokens_read += inputs["attention_mask"].sum() if count is None else count
        loss: torch.Tensor = super().training_step(model, inputs, *args, **kwargs)
        return loss

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, num_items_in_batch: Any = None, **kwargs: Any) -> Any:
        """The micro-batch's share of the step's loss, the mean cross-entropy of its target tokens in nats.

        On a CPU only target tokens have logits. TRL's fused LM head is made for GPUs: elsewhere it computes the logits of masked tokens
        too, and all of them again in the backward pass (`compact` in `trl/trainer/utils.py`). It is used here only if the logits are too
        many to be in memory at once.
        """
        labels = inputs["labels"]
        head = lm_head(self.accelerator.unwrap_model(model))
        logits = int(target_mask(labels).sum()) * len(head.weight) if labels.device.type == "cpu" else math.inf
        if logits > MAX_LOGITS_PER_CALL or num_items_in_batch is None or self.aux_loss_enabled:
            return super().compute_loss(model, inputs, *args, num_items_in_batch=num_items_in_batch, **kwargs)
        unlabelled = {name: value for name, value in inputs.items() if name != "labels"}
        summed = summed_cross_entropy(target_logits(model, head, unlabelled, labels), labels)
        # `num_items_in_batch` counts the targets of all processes, and gradients are averaged over the processes.
        return summed * self.accelerator.num_processes / num_items_in_batch


class ShardedSFTConfig(SFTConfig):
    """TRL's settings for a sharded model: a device has room for its share alone, of the weights and of the accumulated gradients."""

    def __post_init__(self) -> None:
        self.accelerator_config = {"gradient_accumulation_kwargs": {"sync_each_batch": True}}
        super().__post_init__()

    @property
    def place_model_on_device(self) -> bool:
        """Never as a whole."""
        return False


class ShardedTrainer(CountingTrainer):
    """The trainer for a model that is sharded when training begins, after a checkpoint was loaded; checkpoints are not sharded.

    accelerate's own FSDP needs a GPU, so no test without one could cover it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # transformers' flag for a model that is sharded already, whose gradients need no further reduction.
        self.is_distributed_loading_by_transformers = True
        # Autocast's cache would keep a copy of every trained weight until all layers have run, and undo what sharding saves.
        self.accelerator.autocast_handler = AutocastKwargs(cache_enabled=False)

    def _prepare_for_training(self, *args: Any, **kwargs: Any) -> Any:
        shard(self.model)
        return super()._prepare_for_training(*args, **kwargs)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        full = full_state_dict(self.model)
        # PEFT reads a soft prompt from the module rather than from the state dict.
        with gathered_root(self.model):
            if is_rank_zero():
                super()._save(output_dir, full)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        save_optimizer_state(self.optimizer, Path(output_dir, OPTIMIZER_NAME))
        if is_rank_zero():
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir, SCHEDULER_NAME))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            load_optimizer_state(self.optimizer, Path(checkpoint, OPTIMIZER_NAME))
            self.lr_scheduler.load_state_dict(torch.load(Path(checkpoint, SCHEDULER_NAME), weights_only=True))
