"""Training: TRL's trainer is handed rows that this project built, and its callbacks are turned into events."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback, TrainerControl, TrainerState, set_seed
from trl import SFTConfig

from tuneproof.engine.core.atomic_write import write_atomically
from tuneproof.engine.core.errors import Interrupted, RunFailed
from tuneproof.engine.core.hashing import sha256_data, sha256_file
from tuneproof.engine.methods.adapters import adapter_config, load_for_training, quantisation
from tuneproof.engine.methods.parameters import count_parameters
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.base_model import QUANTISATION_FILE, BaseCheckpoint, best_device
from tuneproof.engine.run.artifacts import Optimizer
from tuneproof.engine.run.event import EventSink
from tuneproof.engine.run.events import CheckpointSaved, Probed, StepLogged, TrainingFinished, TrainingStarted
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.training.checkpoints import (
    Checkpoint,
    ProbeResult,
    best_checkpoint,
    prune_checkpoints,
    seal_checkpoint,
    sealed_checkpoints,
)
from tuneproof.engine.training.distributed.collectives import barrier, from_rank_zero, is_rank_zero, sum_over_ranks
from tuneproof.engine.training.distributed.fsdp import run_on_rank_zero
from tuneproof.engine.training.packing import trainer_data
from tuneproof.engine.training.result import TrainingResult
from tuneproof.engine.training.sampler import PaddedBatchSampler, with_dummy_row
from tuneproof.engine.training.tokenize import EncodedRow
from tuneproof.engine.training.trainer import CountingTrainer, ShardedConfig, ShardedTrainer
from tuneproof.engine.training.validation_probe import ValidationProbe, is_probe_step

KEPT = ["adapter_config.json", "config.json", "generation_config.json", "*.safetensors", "*.safetensors.index.json"]
"""What makes an adapter, or a whole model, among the files of a checkpoint."""

OPTIMIZERS = {Optimizer.ADAMW: "adamw_torch_fused", Optimizer.ADAMW_8BIT: "adamw_8bit", Optimizer.PAGED_8BIT: "paged_adamw_8bit"}
"""What transformers calls them."""


def train(
    base: BaseCheckpoint,
    rows: Sequence[EncodedRow],
    probe: ValidationProbe,
    plan: Plan,
    folder: Path,
    log: EventSink,
    stop: StopRequest,
) -> TrainingResult:
    """Trains as the plan says, from the newest whole checkpoint where there is one, and keeps the best step's.

    Raises Interrupted after a checkpoint where a stop was asked for, and RunFailed where the loss is not finite.
    """
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    trainer = make_trainer(base, rows, plan, checkpoints)
    resumable = from_rank_zero(lambda: sealed_checkpoints(checkpoints))
    live = ProgressCallback(trainer, probe, plan, log, stop, examples=len(rows), resumable=resumable)
    trainer.add_callback(live)
    # Every step is an event; the printed copy would only fill the log.
    trainer.remove_callback(PrinterCallback)
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(resumable[-1].path) if resumable else None)
    if live.interrupted:
        raise Interrupted("stopped as asked", fix="add --resume to go on")
    chosen, adapter = from_rank_zero(lambda: best_checkpoint(sealed_checkpoints(checkpoints))), folder / "adapter"
    files = from_rank_zero(lambda: _keep(chosen.path, adapter, plan))
    weights = [sha256_file(adapter / name) for name in files if name.endswith(".safetensors")]
    assert chosen.seal.probe is not None
    seconds = round(time.monotonic() - started, 3)
    log.emit(
        TrainingFinished(
            steps=trainer.state.global_step,
            best_step=chosen.seal.step,
            seconds=seconds,
            adapter_sha256=weights[0] if len(weights) == 1 else sha256_data(weights),
        ),
        sync=True,
    )
    return TrainingResult(
        adapter,
        trainer.state.global_step,
        chosen.seal.step,
        chosen.seal.probe,
        live.parameters.trained,
        live.parameters.all,
        files,
        seconds,
    )


def _keep(checkpoint: Path, folder: Path, plan: Plan) -> list[str]:
    """Copies what was trained out of a checkpoint, and writes down how its base was held."""
    folder.mkdir(exist_ok=True)
    found = sorted(path for pattern in KEPT for path in checkpoint.glob(pattern))
    for path in found:
        shutil.copyfile(path, folder / path.name)
    kind = METHODS[plan.method].quantisation
    if kind is None:
        return [path.name for path in found]
    write_atomically(folder / QUANTISATION_FILE, json.dumps(quantisation(kind), indent=1) + "\n")
    return [*(path.name for path in found), QUANTISATION_FILE]


def make_trainer(base: BaseCheckpoint, rows: Sequence[EncodedRow], plan: Plan, checkpoints: Path) -> CountingTrainer:
    """The trainer of a plan, the same for training and for a trial step."""
    # Where an adapter begins is drawn at random, and TRL before 1.15 seeds only what comes after.
    set_seed(plan.seed)
    device, dtype = best_device()
    model = load_for_training(base, plan)
    fed = trainer_data(model, base, rows, plan)
    share = math.ceil(fed.batch_size / plan.processes)
    micro_batch = _micro_batch(share, plan.accumulation)
    steps = plan.max_steps or math.ceil(math.ceil(len(fed.dataset) / fed.batch_size) * plan.epochs)
    arguments = (ShardedConfig if plan.sharded else SFTConfig)(
        output_dir=str(checkpoints),
        per_device_train_batch_size=micro_batch,
        gradient_accumulation_steps=share // micro_batch,
        num_train_epochs=plan.epochs,
        max_steps=plan.max_steps or -1,
        learning_rate=plan.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(plan.warmup * steps),
        max_grad_norm=plan.clip,
        optim=OPTIMIZERS[plan.optimizer],
        seed=plan.seed,
        data_seed=plan.seed,
        # TRL turns both of these on by itself.
        bf16=dtype is torch.bfloat16,
        gradient_checkpointing=plan.checkpointing,
        # The rows come whole and encoded; nothing may cut or re-tokenise them.
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        # The probes decide when to save; a loss that is no number must be seen and not be shown as zero.
        save_strategy="no",
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=device.type == "cuda",
        # Without it accelerate sees one process, however many have met.
        use_cpu=plan.processes > 1 and device.type == "cpu",
    )
    trainer = (ShardedTrainer if plan.sharded else CountingTrainer)(
        model=model,
        args=arguments,
        train_dataset=with_dummy_row(fed.dataset, base.tokenizer.pad_token_id),
        data_collator=fed.collator,
        processing_class=base.tokenizer,
        peft_config=adapter_config(plan),
    )
    trainer.even = PaddedBatchSampler(
        fed.lengths,
        fed.batch_size,
        plan.processes * share,
        plan.seed,
        lambda: int(trainer.state.global_step),
        grouped=plan.group_by_length,
    )
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            # TRL casts adapters over a quantised base to bfloat16, in which small steps are lost.
            parameter.data = parameter.data.float()
    return trainer


def _micro_batch(batch_size: int, parts: int) -> int:
    """The largest size that divides the batch in at least so many parts; packed sequences may be fewer than these."""
    return max(size for size in range(1, batch_size + 1) if batch_size % size == 0 and size <= max(1, batch_size // parts))


class ProgressCallback(TrainerCallback):
    """Every step told, every few steps a probe and a checkpoint, and an end where one is asked for."""

    def __init__(
        self,
        trainer: Any,
        probe: ValidationProbe,
        plan: Plan,
        log: EventSink,
        stop: StopRequest,
        *,
        examples: int,
        resumable: list[Checkpoint],
    ) -> None:
        self._trainer, self._probe, self._plan, self._log, self._stop = trainer, probe, plan, log, stop
        self._examples, self._resumed_at = examples, resumable[-1].seal.step if resumable else 0
        self._result: ProbeResult | None = None
        self._best = best_checkpoint(resumable).seal.probe if any(c.seal.probe for c in resumable) else None
        self._step_began = self._step_ended = 0.0
        self._tokens_seen = 0.0
        self.interrupted = False
        self.parameters = count_parameters(trainer.model)

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._log.emit(
            TrainingStarted(
                method=self._plan.method,
                examples=self._examples,
                steps=state.max_steps,
                resumed_at=self._resumed_at,
                trained_parameters=self.parameters.trained,
                all_parameters=self.parameters.all,
            ),
            sync=True,
        )

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step_began = time.monotonic()

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step_ended = time.monotonic()

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """The trainer logs once after each optimizer step, and once more, without a loss, at the end."""
        if not logs or "loss" not in logs:
            return
        self._tell_step(state, logs, sum_over_ranks(float(self._trainer.tokens_read)))
        step = state.global_step
        if is_probe_step(step, state.max_steps, self._plan.probe_every):
            self._run_probe(step)
            control.should_save = True
        # They all leave after the same step.
        asked = sum_over_ranks(self._stop.asked) > 0
        if asked:
            control.should_save = True
        if asked and step < state.max_steps:
            self.interrupted = True
            control.should_training_stop = True

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        # Each process writes a part of it: where its random numbers are.
        barrier()
        saved = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if is_rank_zero():
            seal_checkpoint(saved, state.global_step, self._result)
            prune_checkpoints(saved.parent)
        self._result = None
        self._log.emit(CheckpointSaved(step=state.global_step, path=f"checkpoints/{saved.name}"), sync=True)

    def _tell_step(self, state: TrainerState, logs: dict[str, Any], tokens: float) -> None:
        loss, grad_norm = float(logs["loss"]), float(logs.get("grad_norm", 0.0))
        if not (math.isfinite(loss) and math.isfinite(grad_norm)):
            raise RunFailed(
                f"the {'loss' if not math.isfinite(loss) else 'gradient'} is not finite at step {state.global_step}",
                where="training.learning_rate",
                fix=f"{self._plan.learning_rate:g} is probably too high: lower it and start a new run",
            )
        seconds = max(self._step_ended - self._step_began, 1e-9)
        self._log.emit(
            StepLogged(
                step=state.global_step,
                of=state.max_steps,
                epoch=float(state.epoch or 0.0),
                loss=loss,
                learning_rate=float(logs["learning_rate"]),
                grad_norm=grad_norm,
                tokens_per_second=round((tokens - self._tokens_seen) / seconds, 1),
            )
        )
        self._tokens_seen = tokens

    def _run_probe(self, step: int) -> None:
        model = self._trainer.model
        share = partial(run_on_rank_zero, model) if self._plan.sharded else from_rank_zero
        result, samples = share(lambda: self._probe.run(model))
        self._result = result
        better = self._best is None or result.quality > self._best.quality
        if better:
            self._best = result
        self._log.emit(
            Probed(
                step=step,
                n=result.n,
                format_valid=result.format_valid,
                correct=result.correct,
                loss=result.loss,
                best=better,
                samples=samples,
            )
        )
