"""A training: TRL's trainer on rows that are encoded here, with its progress as events of the run."""

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
from tuneproof.engine.core.disk_space import require_room, room_for_files
from tuneproof.engine.core.errors import Interrupted, LossNotFinite, RunFailed, RunGone
from tuneproof.engine.core.hashing import sha256_data, sha256_file
from tuneproof.engine.methods.adapters import adapter_config, load_for_training, quantisation
from tuneproof.engine.methods.disk import checkpoint_bytes
from tuneproof.engine.methods.model_shape import known_shape
from tuneproof.engine.methods.parameters import count_parameters
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.base_model import QUANTISATION_FILE, BaseCheckpoint, best_device
from tuneproof.engine.models.files import tokenizer_bytes
from tuneproof.engine.run.artifacts import Optimizer
from tuneproof.engine.run.begun_training import CHECKPOINTS
from tuneproof.engine.run.event import EventSink
from tuneproof.engine.run.events import CheckpointSaved, Probed, Sample, StepLogged, TrainingFinished, TrainingStarted, Warned
from tuneproof.engine.run.reporting import WorkReport, working
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.work import Unit, Work
from tuneproof.engine.training.checkpoints import (
    Checkpoint,
    ProbeResult,
    best_checkpoint,
    drop_broken_checkpoints,
    prune_checkpoints,
    seal_checkpoint,
    sealed_checkpoints,
)
from tuneproof.engine.training.distributed.collectives import barrier, from_rank_zero, is_rank_zero, sum_over_ranks
from tuneproof.engine.training.distributed.fsdp import run_on_rank_zero
from tuneproof.engine.training.label_faults import check_collator
from tuneproof.engine.training.packing import TrainerData, trainer_data
from tuneproof.engine.training.probe_steps import is_probe_step
from tuneproof.engine.training.result import TrainingResult
from tuneproof.engine.training.sampler import PaddedBatchSampler, with_dummy_row
from tuneproof.engine.training.tokenize import EncodedRow
from tuneproof.engine.training.trainer import CountingTrainer, ShardedSFTConfig, ShardedTrainer
from tuneproof.engine.training.validation_probe import ValidationProbe

ADAPTER_CONFIG = "adapter_config.json"

KEPT_FILES = [ADAPTER_CONFIG, "config.json", "generation_config.json", "*.safetensors", "*.safetensors.index.json"]
"""The files of a checkpoint that make up an adapter or a whole model."""

OPTIMIZERS = {Optimizer.ADAMW: "adamw_torch_fused", Optimizer.ADAMW_8BIT: "adamw_8bit", Optimizer.PAGED_8BIT: "paged_adamw_8bit"}
"""The names of transformers' `OptimizerNames`."""


def train(
    base: BaseCheckpoint,
    rows: Sequence[EncodedRow],
    probe: ValidationProbe,
    plan: Plan,
    folder: Path,
    log: EventSink,
    stop: StopRequest,
) -> TrainingResult:
    """Trains the plan into the folder, from the newest intact checkpoint if there is one, and keeps the weights of the best step.

    Raises Interrupted, after a checkpoint, if a stop is requested, and LossNotFinite if loss or gradient is not.
    """
    checkpoints = folder / CHECKPOINTS
    checkpoints.mkdir(parents=True, exist_ok=True)
    trainer = make_trainer(base, rows, plan, checkpoints)
    check_collator(trainer.train_dataset, trainer.data_collator)
    resumable = from_rank_zero(lambda: _intact_checkpoints(checkpoints, log))
    progress = ProgressCallback(trainer, base, probe, plan, log, stop, examples=len(rows), resumable=resumable)
    trainer.add_callback(progress)
    # Every step is an event; the printed copy would only fill the log.
    trainer.remove_callback(PrinterCallback)
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(resumable[-1].path) if resumable else None)
    if progress.interrupted:
        raise Interrupted("stopped on request", fix="add --resume to continue")
    best, adapter = from_rank_zero(lambda: _best_intact(checkpoints)), folder / "adapter"
    files = from_rank_zero(lambda: _keep(best.path, adapter, plan))
    weights = [sha256_file(adapter / name) for name in files if name.endswith(".safetensors")]
    assert best.seal.probe is not None
    finished = TrainingFinished(
        steps=trainer.state.global_step,
        best_step=best.seal.step,
        seconds=round(time.monotonic() - started, 3),
        adapter_sha256=weights[0] if len(weights) == 1 else sha256_data(weights),
    )
    log.emit(finished, sync=True)
    return TrainingResult(
        adapter=adapter,
        steps=finished.steps,
        best_step=finished.best_step,
        best_probe=best.seal.probe,
        trained_parameters=progress.parameters.trained,
        all_parameters=progress.parameters.all,
        files=files,
        seconds=finished.seconds,
    )


def _intact_checkpoints(folder: Path, log: EventSink) -> list[Checkpoint]:
    """The checkpoints that can be resumed from; says of each broken one that it was dropped."""
    dropped = drop_broken_checkpoints(folder)
    intact = sealed_checkpoints(folder)
    for sentence in dropped:
        goes_on = f"training continues after step {intact[-1].seal.step}" if intact else "training begins again"
        log.emit(Warned(message=f"{sentence}; {goes_on}"), sync=True)
    return intact


def _best_intact(folder: Path) -> Checkpoint:
    """The best of the probed checkpoints. Raises RunFailed if what was best is broken: another one would be another result."""
    dropped = drop_broken_checkpoints(folder)
    if dropped:
        raise RunFailed(
            f"a checkpoint broke while the training ran: {'; '.join(dropped)}",
            where=str(folder),
            fix="see that nothing else writes there and that the disk is sound, then add --resume",
        )
    return best_checkpoint(sealed_checkpoints(folder))


def _keep(checkpoint: Path, folder: Path, plan: Plan) -> list[str]:
    """Copies the trained weights out of a checkpoint, records how the base was quantised, and returns the names of the files.

    Raises DiskFull if there is no room for the copy; the checkpoint stays.
    """
    found = sorted(path for pattern in KEPT_FILES for path in checkpoint.glob(pattern))
    unfinished = folder.with_name(folder.name + ".tmp")
    for leftover in (unfinished, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    require_room(checkpoint, room_for_files(*(path.stat().st_size for path in found)), "the trained weights")
    unfinished.mkdir()
    for path in found:
        if path.name == ADAPTER_CONFIG:
            write_atomically(unfinished / path.name, _in_order(path.read_text(encoding="utf-8")))
        else:
            shutil.copyfile(path, unfinished / path.name)
    kind = METHODS[plan.method].quantisation
    if kind is not None:
        write_atomically(unfinished / QUANTISATION_FILE, json.dumps(quantisation(kind), indent=1) + "\n")
    unfinished.rename(folder)
    return [*(path.name for path in found), *([QUANTISATION_FILE] if kind is not None else [])]


def _in_order(config: str) -> str:
    """PEFT's configuration with its sets of names sorted: a set has another order in every process, and equal runs have equal files."""
    settings = {
        key: sorted(value) if isinstance(value, list) and all(isinstance(name, str) for name in value) else value
        for key, value in json.loads(config).items()
    }
    return json.dumps(settings, indent=2, sort_keys=True) + "\n"


def make_trainer(base: BaseCheckpoint, rows: Sequence[EncodedRow], plan: Plan, checkpoints: Path) -> CountingTrainer:
    """The trainer of a plan, the same for training and for the memory probe."""
    # An adapter starts from random numbers, and TRL before 1.15 seeds only what comes after.
    set_seed(plan.seed)
    model = load_for_training(base, plan)
    data = trainer_data(model, base, rows, plan)
    process_batch = math.ceil(data.batch_size / plan.processes)
    trainer = (ShardedTrainer if plan.sharded else CountingTrainer)(
        model=model,
        args=_arguments(data, plan, process_batch, checkpoints),
        train_dataset=with_dummy_row(data.dataset, base.tokenizer.pad_token_id),
        data_collator=data.collator,
        processing_class=base.tokenizer,
        peft_config=adapter_config(plan),
    )
    trainer.train_sampler = PaddedBatchSampler(
        data.lengths,
        batch_size=data.batch_size,
        padded_batch_size=plan.processes * process_batch,
        seed=plan.seed,
        steps_done=lambda: int(trainer.state.global_step),
        grouped=plan.group_by_length,
    )
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            # TRL casts adapters over a quantised base to bfloat16, which rounds small updates away.
            parameter.data = parameter.data.float()
    return trainer


def _arguments(data: TrainerData, plan: Plan, process_batch: int, checkpoints: Path) -> SFTConfig:
    """TRL's settings for a plan; `process_batch` is the rows that one process takes in a step."""
    device, dtype = best_device()
    micro_batch = _micro_batch(process_batch, plan.accumulation)
    steps = plan.max_steps or math.ceil(math.ceil(len(data.dataset) / data.batch_size) * plan.epochs)
    return (ShardedSFTConfig if plan.sharded else SFTConfig)(
        output_dir=str(checkpoints),
        per_device_train_batch_size=micro_batch,
        gradient_accumulation_steps=process_batch // micro_batch,
        num_train_epochs=plan.epochs,
        max_steps=plan.max_steps or -1,
        learning_rate=plan.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(plan.warmup * steps),
        max_grad_norm=plan.clip,
        optim=OPTIMIZERS[plan.optimizer],
        seed=plan.seed,
        data_seed=plan.seed,
        # On by default in TRL.
        bf16=dtype is torch.bfloat16,
        gradient_checkpointing=plan.checkpointing,
        # The rows are encoded; nothing may truncate or tokenise them again.
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        # A checkpoint follows each probe. A loss that is not finite must show, and by default is logged as zero.
        save_strategy="no",
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=device.type == "cuda",
        # Without it accelerate takes processes on a CPU for a single one.
        use_cpu=plan.processes > 1 and device.type == "cpu",
    )


def _micro_batch(batch_size: int, accumulation: int) -> int:
    """The largest micro-batch that divides the batch into at least `accumulation` parts, or 1 if the batch is smaller than that."""
    return max(size for size in range(1, batch_size + 1) if batch_size % size == 0 and size <= max(1, batch_size // accumulation))


class ProgressCallback(TrainerCallback):
    """Emits the events of a training, probes it, saves checkpoints, and stops it on request."""

    def __init__(
        self,
        trainer: Any,
        base: BaseCheckpoint,
        probe: ValidationProbe,
        plan: Plan,
        log: EventSink,
        stop: StopRequest,
        *,
        examples: int,
        resumable: list[Checkpoint],
    ) -> None:
        self._trainer, self._probe, self._plan, self._log, self._stop = trainer, probe, plan, log, stop
        self._shape, self._tokenizer = known_shape(base.folder), tokenizer_bytes(base.folder)
        self._examples, self._resumed_at = examples, resumable[-1].seal.step if resumable else 0
        self._resumes_from = resumable[-1] if resumable else None
        self._result: ProbeResult | None = None  # of the probe at this step
        self._best = best_checkpoint(resumable).seal.probe if any(c.seal.probe for c in resumable) else None
        self._step_began = self._step_ended = 0.0
        self._tokens_logged = 0.0
        self.interrupted = False
        self.parameters = count_parameters(trainer.model)

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Emits that the training has begun."""
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
        self._make_up_for_probe(control, state)
        if self._resumed_at < state.max_steps:
            # Before the first step, because those between two checkpoints are lost.
            self._require_room(args, state)

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Starts the step's clock."""
        self._step_began = time.monotonic()

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Stops the step's clock."""
        self._step_ended = time.monotonic()

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Emits a step, probes if it is time to, and asks for a checkpoint or a stop.

        The trainer logs once after each optimizer step, and once more, without a loss, at the end.
        """
        if not logs or "loss" not in logs:
            return
        if not Path(args.output_dir).is_dir():
            # Saving would make the deleted folders again.
            raise RunGone("the run folder was deleted", where=args.output_dir, fix="start a new run")
        self._emit_step(state, logs, sum_over_ranks(float(self._trainer.tokens_read)))
        step = state.global_step
        if is_probe_step(step, state.max_steps, self._plan.probe_every):
            # A probe takes long, and is lost without its checkpoint.
            self._require_room(args, state)
            self._run_probe(step)
            control.should_save = True
        # Summed over the ranks, so that all stop after the same step.
        if sum_over_ranks(self._stop.requested) > 0:
            control.should_save = True
            if step < state.max_steps or self._result is None:
                self.interrupted = True
                control.should_training_stop = True
        if control.should_save:
            self._require_room(args, state)

    def _require_room(self, args: Any, state: TrainerState) -> None:
        """Raises DiskFull if the disk has no room for the next checkpoint; the one before it stays the newest."""
        if is_rank_zero():
            needed = checkpoint_bytes(self._plan, self.parameters.trained, self._shape, self._tokenizer, state.max_steps)
            require_room(Path(args.output_dir), needed, "the next checkpoint")

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Seals the checkpoint that was just written, and removes those that are no longer needed."""
        # Each rank writes the state of its own random number generators.
        barrier()
        saved = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if is_rank_zero():
            seal_checkpoint(saved, state.global_step, self._result)
            prune_checkpoints(saved.parent)
        self._result = None
        self._log.emit(CheckpointSaved(step=state.global_step, path=f"checkpoints/{saved.name}"), sync=True)

    def _emit_step(self, state: TrainerState, logs: dict[str, Any], tokens: float) -> None:
        """Emits the step; `tokens` is the number read so far, by all processes."""
        loss, grad_norm = float(logs["loss"]), float(logs.get("grad_norm", 0.0))
        if not (math.isfinite(loss) and math.isfinite(grad_norm)):
            raise LossNotFinite(
                f"the {'loss' if not math.isfinite(loss) else 'gradient'} is not finite at step {state.global_step}",
                where="training.learning_rate",
                fix=f"{self._plan.learning_rate:g} is probably too high: lower it and add --resume, and the training begins again",
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
                tokens_per_second=round((tokens - self._tokens_logged) / seconds, 1),
            )
        )
        self._tokens_logged = tokens

    def _make_up_for_probe(self, control: TrainerControl, state: TrainerState) -> None:
        """Probes the model of the checkpoint, if a stop cut that short, and seals the checkpoint with the result."""
        begun = self._resumes_from
        if begun is None or begun.seal.probe is not None or not is_probe_step(begun.seal.step, state.max_steps, self._plan.probe_every):
            return
        self._run_probe(begun.seal.step)
        if self._result is None:
            self.interrupted = control.should_training_stop = True
        elif is_rank_zero():
            seal_checkpoint(begun.path, begun.seal.step, self._result)
        self._result = None

    def _probe_until_stopped(self, model: Any, report: WorkReport) -> tuple[ProbeResult, list[Sample]] | None:
        try:
            return self._probe.run(model, lambda done, of: report.advance(done), self._stop.check)
        except Interrupted:
            return None

    def _run_probe(self, step: int) -> None:
        """Probes the model as it is after a step; a stop that is requested meanwhile cuts the probe short, and leaves no result."""
        model = self._trainer.model
        run = partial(run_on_rank_zero, model) if self._plan.sharded else from_rank_zero
        with working(self._log, Work.PROBING, of=len(self._probe.prompts), unit=Unit.ANSWERS) as report:
            probed = run(lambda: self._probe_until_stopped(model, report))
        self._result = None if probed is None else probed[0]
        if probed is None:
            return
        result, samples = probed
        is_best = self._best is None or result.quality > self._best.quality
        if is_best:
            self._best = result
        self._log.emit(
            Probed(
                step=step,
                n=result.n,
                format_valid=result.format_valid,
                correct=result.correct,
                loss=result.loss,
                best=is_best,
                samples=samples,
                metric=None if result.score is None else self._probe.measure.metric,
                score=result.score,
            )
        )
