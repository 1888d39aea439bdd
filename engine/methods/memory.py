"""How much memory a training takes at its peak, predicted from the model's shape and the settings, before anything is loaded.

The formulas count what PyTorch keeps, tensor by tensor: for the activations as Korthikanti et al. 2022 (arXiv 2205.05198, section 4) do
for GPT, here for a Llama block as transformers runs it, checked in the tests against the tensors that autograd really saves. What else
is known is measured: `measured_memory.yaml` holds every published peak that the tests compare with. It does not hold for mixtures of
experts, for a model that is spread over devices, or for kernels that replace whole blocks (Liger, Unsloth), which need less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from tuneproof.engine.methods.model_shape import ModelShape
from tuneproof.engine.run.artifacts import Memory, Optimizer

FLOAT32 = 4
HALF = 2

CUDA_CONTEXT = 1_400_000_000
"""What a process takes of a GPU beside its tensors: context, kernels, library workspaces; 1.4 GB as Unsloth's VRAM_ESTIMATION.md has it."""

LIBRARIES = 200_000_000
"""What a process on a CPU loads for training beside its tensors, as trial steps measure it."""

HEAP = 1.5
"""What glibc keeps on a CPU of the memory that moves, for each byte in use: trial steps of the sample model show 1.1, and up to 3 with
checkpointing. A lower threshold for mmap would halve it and takes 1.8 times as long."""

LAYERS_GATHERED = 3
"""Layers of a divided model that a process has room for at once: that at work, and the next one as it comes in and as it is laid out from
there (FSDP2 gathers into one buffer, `_fsdp_collectives.py`, and one layer ahead)."""

CHUNKS = 8
"""Parts that a chunked loss is cut into: the default of torchtune's CEWithChunkedOutputLoss."""

FUSED_TILE = (4096, 32768)
"""Tokens and vocabulary entries of which TRL's fused head holds the logits at once (`trl/kernels/chunked_logprob.py`)."""

LOGITS_AT_ONCE = 2**26
"""Logits that a CPU computes at once, which with their copies take a gigabyte; where more are to be learned, the fused head does."""


class WeightFormat(StrEnum):
    """How the base is held; bytes a parameter of a layer's matrix are in `WEIGHT_BYTES`."""

    PLAIN = "plain"
    INT8 = "int8"
    NF4 = "nf4"
    NF4_DOUBLE = "nf4_double"


WEIGHT_BYTES = {WeightFormat.INT8: 1.0, WeightFormat.NF4: 0.5 + 4 / 64, WeightFormat.NF4_DOUBLE: 0.5 + 0.127 / 8}
"""NF4 is 4 bits and a float32 scale for 64 of them; double quantisation leaves 0.127 bits for the scales (QLoRA, arXiv 2305.14314, 3)."""


class AttentionKernel(StrEnum):
    """How attention is computed: by a fused kernel, by one that is given a mask (a padded batch), or score by score."""

    FLASH = "flash"
    MASKED = "masked"
    EAGER = "eager"


class LogitStorage(StrEnum):
    """How much of the logits stands in memory: all of it, bf16 of all and float32 of a chunk, or only a tile."""

    FULL = "full"
    CHUNKED = "chunked"
    FUSED = "fused"


@dataclass(frozen=True)
class TrainingShape:
    """One training step as far as memory goes.

    `element` and `adapter` are the bytes of an activation or frozen weight, and of a trained parameter. Where adapters are float32 beside
    a half-precision base, every adapted matrix keeps a copy of its input. `float32_weights` are those of a base whose own weights learn
    under autocast, which casts them for use. A packed batch is one of full length. A `sharded` model is divided among the processes.
    """

    length: int
    batch: int
    trained_parameters: int
    full: bool = False
    weights: WeightFormat = WeightFormat.PLAIN
    element: int = HALF
    adapter: int = FLOAT32
    float32_weights: bool = False
    optimizer: Optimizer = Optimizer.ADAMW
    accumulation: int = 1
    checkpointing: bool = False
    processes: int = 1
    sharded: bool = False
    attention: AttentionKernel = AttentionKernel.MASKED
    logits: LogitStorage = LogitStorage.FUSED
    cuda: bool = True
    compiled: bool = False
    optimizer_in_backward: bool = False
    offloaded: bool = False

    @property
    def tokens(self) -> int:
        """Tokens that go through the model at once."""
        return self.batch * self.length

    @property
    def trained(self) -> int:
        """Bytes of a trained parameter."""
        return self.weight if self.full else self.adapter

    @property
    def weight(self) -> int:
        """Bytes of a weight that is not quantised."""
        return FLOAT32 if self.float32_weights else self.element


def predict_memory(model: ModelShape, step: TrainingShape) -> Memory:
    """The memory at the worst of three moments: at the loss, in the last layer of the backward pass, and when all gradients are there."""
    if step.sharded:
        return _predict_divided(model, step)
    gradients = step.trained_parameters * step.trained
    # With accumulation the sum of the earlier gradients is there all the time; else they come while activations go.
    standing = gradients if step.accumulation > 1 else 0
    output = model.vocabulary * model.hidden * step.trained if step.full else 0
    kept, layer = saved_activation_bytes(model, step), working_layer_bytes(model, step)
    if step.optimizer_in_backward:
        # A layer's gradients are used up at once; that of the output matrix, the largest, waits where it is also the input's.
        gradients = output
    moments = [
        (max(standing, output), kept, logit_bytes(model, step)),
        (max(standing, output), kept + layer, 0),
        # Of the layer that is differentiated last, all activations are there, kept or computed again.
        (gradients, working_layer_bytes(model, replace(step, checkpointing=True)), 0),
    ]
    grads, activations, logits = max(moments, key=sum)
    if step.processes > 1:
        # What the processes add up stands in buckets beside the gradients (torch's DistributedDataParallel).
        grads += step.trained_parameters * step.trained
    return Memory(
        weights=round(base_weight_bytes(model, step)),
        adapters=0 if step.full else step.trained_parameters * step.adapter,
        gradients=grads,
        optimizer=round(optimizer_bytes(model, step)),
        activations=activations,
        logits=logits,
        overhead=CUDA_CONTEXT if step.cuda else round(LIBRARIES + HEAP * (grads + activations + logits)),
    )


def _predict_divided(model: ModelShape, step: TrainingShape) -> Memory:
    """The same for one of the processes among which weights, gradients and optimizer are divided, at the same three moments.

    Beside its share it has what is gathered, whole: what stands around the layers for the whole step, layers as they are needed, and the
    gradients of both until they are added up, for which they are copied. On a CPU all of the base is there before it is divided.
    """
    shares, outside = step.processes, model.parameters - model.linear_parameters
    learns = step.trained if step.full else 0
    base, adapters = base_weight_bytes(model, step), 0 if step.full else step.trained_parameters * step.adapter
    gathered = outside * step.weight + LAYERS_GATHERED * model.linear_parameters * step.weight / model.layers
    gathered_adapters = LAYERS_GATHERED * adapters / model.layers
    gradients = step.trained_parameters * step.trained / shares
    standing = gradients if step.accumulation > 1 else 0
    output = model.vocabulary * model.hidden * learns
    passing = 2 * (model.linear_parameters * learns + adapters) / model.layers
    kept, layer = saved_activation_bytes(model, step), working_layer_bytes(model, step)
    moments = [
        (standing + output, kept, logit_bytes(model, step)),
        (standing + output + passing, kept + layer, 0),
        (gradients + 2 * outside * learns, working_layer_bytes(model, replace(step, checkpointing=True)), 0),
    ]
    grads, activations, logits = max(moments, key=sum)
    weights, trained = base / shares + gathered, adapters / shares + gathered_adapters
    optimizer = optimizer_bytes(model, step) / shares
    overhead: float = CUDA_CONTEXT
    if not step.cuda:
        moving = grads + activations + logits + gathered + gathered_adapters
        undivided = base + adapters - weights - trained - optimizer - grads - activations - logits
        overhead = LIBRARIES + max(HEAP * moving, undivided)
    return Memory(
        weights=round(weights),
        adapters=round(trained),
        gradients=round(grads),
        optimizer=round(optimizer),
        activations=activations,
        logits=logits,
        overhead=round(overhead),
    )


def base_weight_bytes(model: ModelShape, step: TrainingShape) -> float:
    """The base: its layers' matrices as they are held; embeddings, output and norms are never quantised (transformers' bitsandbytes)."""
    matrix = WEIGHT_BYTES.get(step.weights, step.weight)
    return model.linear_parameters * matrix + (model.parameters - model.linear_parameters) * step.weight


def optimizer_bytes(model: ModelShape, step: TrainingShape) -> float:
    """What the optimizer keeps for the trained parameters.

    AdamW has two moments in the parameter's type (Kingma and Ba 2014); in 8 bits, a byte each and a float32 scale for every 256
    (Dettmers et al. 2021, arXiv 2110.02861), but float32 for an embedding (as transformers' Trainer asks of bitsandbytes); paged, they
    lie in memory of the host.
    """
    if step.optimizer is Optimizer.PAGED_8BIT:
        return 0.0
    if step.optimizer is Optimizer.ADAMW:
        return 2.0 * step.trained_parameters * step.trained
    embedding = model.vocabulary * model.hidden if step.full else 0
    return 2.0 * FLOAT32 * embedding + 2 * (1 + 4 / 256) * (step.trained_parameters - embedding)


def layer_bytes(model: ModelShape, step: TrainingShape) -> int:
    """What one layer keeps for its backward pass, counted as the tensors that autograd saves in transformers' Llama block.

    A token: float32 of both norms' inputs; queries, keys, values and attention's output; gate, up, their activation and product; the
    inputs of the matrices, once where they are shared, and once for each matrix where a float32 adapter casts its own; a float32 a head
    for the softmax. A quantised matrix keeps a cast copy of its input beside these (bitsandbytes up to 0.41; later ones less).
    """
    wide, half = model.hidden, step.element
    inputs = half * (5 * wide + model.queries)
    casts = not step.full and step.adapter > half
    a_token = 2 * half * (model.queries + model.keys) + 4 * half * model.intermediate + FLOAT32 * model.heads
    a_token += inputs if casts else 2 * half * wide
    # Compiled, a norm is computed again from its input as it is; else what its weight multiplies is kept where that learns.
    a_token += 2 * wide * half if step.compiled else 2 * wide * (FLOAT32 + (half if step.full else 0))
    if step.weights is not WeightFormat.PLAIN:
        a_token += inputs + half * model.intermediate
    scores = 6 * model.heads * step.length if step.attention is AttentionKernel.EAGER else 0
    return step.tokens * (a_token + scores)


def saved_activation_bytes(model: ModelShape, step: TrainingShape) -> int:
    """What all layers keep: everything, or with checkpointing each layer's input alone (Chen et al. 2016), or that on the host.

    A padded batch has a mask beside it, of a byte and of an element for each pair of positions. Weights that learn in float32 keep the
    copies that autocast makes of them until the step is over; of a divided model whose layers are computed twice, those of one layer.
    """
    mask = step.batch * step.length**2 * (1 + step.element) if step.attention is AttentionKernel.MASKED else 0
    final = step.tokens * model.hidden * (FLOAT32 + step.element)
    if step.full and step.weight > step.element:
        of_one_layer = step.sharded and step.checkpointing
        final += model.linear_parameters // (model.layers if of_one_layer else 1) * step.element
    if step.offloaded:
        return mask + final
    a_layer = step.tokens * model.hidden * step.element if step.checkpointing else layer_bytes(model, step)
    return mask + final + model.layers * a_layer


def working_layer_bytes(model: ModelShape, step: TrainingShape) -> int:
    """What the layer at work needs beside what is kept: its activations where they were not, gradients of its widest ones, one weight.

    Eager attention holds ten bytes more for each score in the backward pass: gradients of the softmax, of its input, and of the scores.
    """
    again = layer_bytes(model, step) if step.checkpointing else 0
    gradients = step.tokens * model.intermediate * (step.element + FLOAT32)
    scores = 10 * model.heads * step.length * step.tokens if step.attention is AttentionKernel.EAGER else 0
    plain_again = 0 if step.weights is WeightFormat.PLAIN else model.hidden * model.intermediate * step.element
    return again + max(gradients, scores) + plain_again


def logit_bytes(model: ModelShape, step: TrainingShape) -> int:
    """What the loss holds at its peak.

    Full: four float32 copies, the logits, their log-probabilities and both gradients; compiled, logits and gradient in float32 and the
    gradient in bf16. Chunked: bf16 of all, and the copies of one chunk of eight. Fused: one tile, the float32 gradient of its input,
    and where the output matrix learns that of the matrix.
    """
    all_logits = step.tokens * model.vocabulary
    if step.logits is LogitStorage.FULL:
        return all_logits * (2 * FLOAT32 + HALF if step.compiled else 4 * FLOAT32)
    if step.logits is LogitStorage.CHUNKED:
        return all_logits * HALF + all_logits * (HALF if step.compiled else 4 * FLOAT32) // CHUNKS
    tokens, entries = (min(most, there) for most, there in zip(FUSED_TILE, (step.tokens, model.vocabulary), strict=True))
    tile = tokens * entries * step.element
    if not step.cuda:
        # Plain operations take copies in float32, of a tile as of what is scored at once.
        tile = max(tokens * entries, min(all_logits, LOGITS_AT_ONCE)) * 4 * FLOAT32
    return tile + step.tokens * model.hidden * FLOAT32 + (model.vocabulary * model.hidden * FLOAT32 if step.full else 0)
