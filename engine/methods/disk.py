"""The predicted disk space of a run from its training on, in bytes, from counts of parameters and settings alone.

Trained weights are stored in float32, with AdamW's two moments beside them in every checkpoint; a merged model in 16 bits, if the
case does not say otherwise. A test compares the prediction with what every method writes of the sample model: it is never too low, and
at most 1 % and 200 kB too high.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneproof.engine.methods.memory import FLOAT32, HALF, optimizer_state_bytes
from tuneproof.engine.methods.method import MethodName
from tuneproof.engine.methods.model_shape import ModelShape
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.run.artifacts import Optimizer
from tuneproof.engine.run.needs import Disk

KEPT_CHECKPOINTS = 2
"""The newest, to resume from, and the best. While another is written there is one more."""

SIDE_FILE_BYTES = 80_000
"""A checkpoint's configuration, model card, scheduler and seal, each in whole blocks of the disk."""

RANK_BYTES = 20_000
"""The states of the random number generators of one process."""

STEP_BYTES = 250
"""What transformers' `trainer_state.json` says of one step."""

TENSOR_BYTES = 1_000
"""Headers of one trained tensor and its two moments, in safetensors and in torch's format."""

TENSORS_PER_LAYER = 21
"""Trained tensors of a layer at most: three for each of seven matrices (DoRA)."""

USUAL_LAYERS = 48
"""Layers that are assumed where the shape of the model is not known."""


@dataclass(frozen=True)
class TrainingFiles:
    """What one training writes, in bytes."""

    checkpoint: int
    model: int
    """The adapter or whole model that is kept of it."""
    saves: int
    """Checkpoints that are written in all."""

    @property
    def at_the_end(self) -> int:
        """Bytes of the checkpoints that stay."""
        return min(self.saves, KEPT_CHECKPOINTS) * self.checkpoint

    @property
    def during(self) -> int:
        """The most bytes of checkpoints at once."""
        return min(self.saves, KEPT_CHECKPOINTS + 1) * self.checkpoint


def training_files(plan: Plan, trained: int, shape: ModelShape | None, tokenizer: int, *, steps: int, saves: int) -> TrainingFiles:
    """The files of a training of `trained` parameters; `tokenizer` is the size of the tokenizer's files in bytes."""
    checkpoint = checkpoint_bytes(plan, trained, shape, tokenizer, steps)
    return TrainingFiles(checkpoint, model_bytes(plan, trained, shape), saves)


def checkpoint_bytes(plan: Plan, trained: int, shape: ModelShape | None, tokenizer: int, steps: int) -> int:
    """One checkpoint after so many steps: the trained weights, the state of the optimizer, the tokenizer and small files."""
    embedding = shape.vocabulary * shape.hidden if shape is not None and plan.method == MethodName.FULL else 0
    # Which parameters an 8-bit optimizer keeps in full depends on the shape.
    optimizer = plan.optimizer if shape is not None else Optimizer.ADAMW
    state = round(optimizer_state_bytes(optimizer, trained, FLOAT32, embedding))
    small = SIDE_FILE_BYTES + plan.processes * RANK_BYTES + steps * STEP_BYTES
    return model_bytes(plan, trained, shape) + state + tokenizer + small


def model_bytes(plan: Plan, trained: int, shape: ModelShape | None) -> int:
    """The trained weights as they are stored, with what belongs to them: SHiRA stores two indices with each, VeRA its two projections.

    VeRA's projections are not counted if the shape of the model is not known.
    """
    numbers = trained
    if plan.method == MethodName.SHIRA:
        numbers = 3 * trained
    elif plan.method == MethodName.VERA and shape is not None:
        numbers += (plan.rank or 0) * sum(max(widths) for widths in zip(*shape.linears.values(), strict=True))
    return numbers * FLOAT32 + _tensor_bytes(shape)


def merged_bytes(base_parameters: int, shape: ModelShape | None, tokenizer: int, dtype: str = "bfloat16") -> int:
    """A merged model of a number type, with its tokenizer."""
    return base_parameters * (FLOAT32 if dtype == "float32" else HALF) + _tensor_bytes(shape) + tokenizer


def predict_disk(tuned: TrainingFiles, others: Sequence[TrainingFiles], merged: int, predictions: int) -> Disk:
    """The peak of a run: the tuned model is trained, merged, and then the others are trained one after the other.

    The tuned model's checkpoints stay, those of the others are removed when they are trained. `merged` is 0 if nothing is merged.
    """
    moments = [_moment(tuned, tuned.during), _moment(tuned, tuned.at_the_end, tuned.model, merged, predictions)]
    models = tuned.model
    for other in others:
        moments.append(_moment(tuned, tuned.at_the_end + other.during, models, merged, predictions))
        models += other.model
        moments.append(_moment(tuned, tuned.at_the_end + other.at_the_end, models, merged, predictions))
    if others:
        moments.append(_moment(tuned, tuned.at_the_end, models, merged, predictions))
    return max(moments, key=lambda moment: moment.total)


def _moment(tuned: TrainingFiles, checkpoints: int, models: int = 0, merged: int = 0, predictions: int = 0) -> Disk:
    return Disk(checkpoints=checkpoints, models=models, merged=merged, predictions=predictions, checkpoint=tuned.checkpoint)


def _tensor_bytes(shape: ModelShape | None) -> int:
    return (shape.layers if shape is not None else USUAL_LAYERS) * TENSORS_PER_LAYER * TENSOR_BYTES
