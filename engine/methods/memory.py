"""The predicted peak memory of a training, in bytes, from the shape of the model and the settings alone.

The formulas count the tensors that PyTorch holds. Activations are counted as Korthikanti et al. 2022 (arXiv 2205.05198, section 4) count
them for GPT, here for a Llama block of transformers; a test compares them with the tensors that autograd saves. The other constants are
measured; `tests/bench/published_memory_peaks.yaml` has every published peak that the tests compare with. The prediction does not hold for
mixtures of experts, pipeline or tensor parallelism, and fused kernels of whole blocks (Liger, Unsloth), which need less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from tuneproof.engine.methods.model_shape import ModelShape
from tuneproof.engine.run.artifacts import Memory, Optimizer

FLOAT32 = 4
HALF = 2
"""Bytes of a float32 value, and of a bfloat16 or float16 value."""

CUDA_CONTEXT_BYTES = 1_400_000_000
"""Bytes that a process uses on a GPU besides its tensors: context, kernels, workspaces (1.4 GB in Unsloth's VRAM_ESTIMATION.md)."""

CPU_LIBRARY_BYTES = 200_000_000
"""Bytes that a CPU process loads for training besides its tensors, measured in trial steps."""

HEAP_FACTOR = 1.5
"""Bytes that glibc keeps on a CPU for each byte of temporary tensors. Trial steps of the sample model show 1.1, and up to 3 with
checkpointing. A lower mmap threshold halves it but takes 1.8 times as long."""

GATHERED_LAYERS = 3
"""Whole layers of a sharded model that a process holds at once: the current one, and the next one twice, in the all-gather buffer and
copied out of it (FSDP2 prefetches one layer, `_fsdp_collectives.py`)."""

LOSS_CHUNKS = 8
"""Chunks of a chunked loss: the default of torchtune's CEWithChunkedOutputLoss."""

FUSED_TILE = (4096, 32768)
"""Shape (tokens, vocabulary entries) of the logits that TRL's fused LM head holds at once (`trl/kernels/chunked_logprob.py`)."""

MAX_LOGITS_PER_CALL = 2**26
"""Logits that a CPU computes in one call; with their copies they take a gigabyte. For more logits the fused LM head is used."""


class WeightFormat(StrEnum):
    """The format of the base's weights; `WEIGHT_BYTES` has the bytes per parameter of a layer's matrices."""

    PLAIN = "plain"
    INT8 = "int8"
    NF4 = "nf4"
    NF4_DOUBLE = "nf4_double"


WEIGHT_BYTES = {WeightFormat.INT8: 1.0, WeightFormat.NF4: 0.5 + 4 / 64, WeightFormat.NF4_DOUBLE: 0.5 + 0.127 / 8}
"""NF4: 4 bits, and a float32 scale per 64 values; double quantisation reduces the scales to 0.127 bits per value (QLoRA, arXiv 2305.14314,
section 3)."""


class AttentionKernel(StrEnum):
    """How attention is computed: by a fused kernel, by a fused kernel with a mask (padded batches), or with all scores in memory."""

    FLASH = "flash"
    MASKED = "masked"
    EAGER = "eager"


class LogitStorage(StrEnum):
    """Which logits are in memory at once: all in float32, all in bf16 and one chunk in float32, or one tile."""

    FULL = "full"
    CHUNKED = "chunked"
    FUSED = "fused"


@dataclass(frozen=True)
class TrainingShape:
    """One training step of one process, as far as its memory depends on it."""

    length: int
    """Tokens per sequence, padding included."""
    batch: int
    """Sequences per micro-batch."""
    trained_parameters: int
    full: bool = False
    """Whether the weights of the base are trained, not an adapter."""
    weights: WeightFormat = WeightFormat.PLAIN
    element: int = HALF
    """Bytes of an activation, and of a frozen weight."""
    adapter: int = FLOAT32
    """Bytes of an adapter parameter. If more than `element`, every adapted matrix keeps a cast copy of its input."""
    float32_weights: bool = False
    """Whether the base is float32 and autocast casts it, as when its own weights are trained."""
    optimizer: Optimizer = Optimizer.ADAMW
    accumulation: int = 1
    """Micro-batches per step."""
    checkpointing: bool = False
    processes: int = 1
    sharded: bool = False
    """Whether the processes shard weights, gradients and optimizer state (FSDP2)."""
    attention: AttentionKernel = AttentionKernel.MASKED
    logits: LogitStorage = LogitStorage.FUSED
    cuda: bool = True
    compiled: bool = False
    optimizer_in_backward: bool = False
    """Whether each layer is updated during the backward pass, which frees its gradients."""
    offloaded: bool = False
    """Whether checkpointed activations are kept in host memory."""

    @property
    def tokens(self) -> int:
        """Tokens per micro-batch."""
        return self.batch * self.length

    @property
    def bytes_per_trained(self) -> int:
        """Bytes of a trained parameter."""
        return self.bytes_per_weight if self.full else self.adapter

    @property
    def bytes_per_weight(self) -> int:
        """Bytes of a base weight that is not quantised."""
        return FLOAT32 if self.float32_weights else self.element


@dataclass(frozen=True)
class HeldBytes:
    """What a training holds whatever its rows are, in bytes: all but activations, logits and what is no tensor."""

    weights: int
    """Of the base."""
    adapters: int
    """0 where the base itself is trained."""
    gradients: int
    """All of them at once, as at the end of a backward pass."""
    optimizer: int

    @property
    def total(self) -> int:
        """All of them together."""
        return self.weights + self.adapters + self.gradients + self.optimizer


def held_bytes(model: ModelShape, step: TrainingShape) -> HeldBytes:
    """What one process of a training holds of weights, gradients and optimizer state, if the model is not sharded."""
    return HeldBytes(
        weights=round(base_weight_bytes(model, step)),
        adapters=0 if step.full else step.trained_parameters * step.adapter,
        gradients=step.trained_parameters * step.bytes_per_trained,
        optimizer=round(optimizer_bytes(model, step)),
    )


def predict_memory(model: ModelShape, step: TrainingShape) -> Memory:
    """The predicted peak of one process, in bytes: the maximum of three moments of a step.

    They are the loss, the start of the backward pass (in the last layer), and its end (in the first layer), when all gradients exist.
    """
    if step.sharded:
        return _predict_sharded(model, step)
    held = held_bytes(model, step)
    gradients = held.gradients
    # With accumulation the sum of the earlier gradients exists all the time; else gradients grow as activations are freed.
    accumulated = gradients if step.accumulation > 1 else 0
    output = model.vocabulary * model.hidden * step.bytes_per_trained if step.full else 0
    kept, layer = saved_activation_bytes(model, step), working_layer_bytes(model, step)
    if step.optimizer_in_backward:
        # Each layer frees its gradients at once, but that of tied embeddings, the largest, stays to the end.
        gradients = output
    moments = [
        (max(accumulated, output), kept, logit_bytes(model, step)),
        (max(accumulated, output), kept + layer, 0),
        # All activations of the first layer exist here, saved or recomputed.
        (gradients, working_layer_bytes(model, replace(step, checkpointing=True)), 0),
    ]
    grads, activations, logits = max(moments, key=sum)
    if step.processes > 1:
        # DistributedDataParallel copies the gradients into its buckets.
        grads += held.gradients
    return Memory(
        weights=held.weights,
        adapters=held.adapters,
        gradients=grads,
        optimizer=held.optimizer,
        activations=activations,
        logits=logits,
        overhead=CUDA_CONTEXT_BYTES if step.cuda else round(CPU_LIBRARY_BYTES + HEAP_FACTOR * (grads + activations + logits)),
    )


def _predict_sharded(model: ModelShape, step: TrainingShape) -> Memory:
    """The predicted peak of one process of a sharded model (FSDP2), in bytes, at the same three moments.

    Besides its shard a process holds gathered weights: embeddings, norms and LM head for the whole step, layers as they are needed, and the
    gradients of both, copied, until they are reduced. On a CPU the whole base exists before it is sharded.
    """
    shards, outside = step.processes, model.parameters - model.linear_parameters
    bytes_if_trained = step.bytes_per_trained if step.full else 0
    base, adapters = base_weight_bytes(model, step), 0 if step.full else step.trained_parameters * step.adapter
    gathered = outside * step.bytes_per_weight + GATHERED_LAYERS * model.linear_parameters * step.bytes_per_weight / model.layers
    gathered_adapters = GATHERED_LAYERS * adapters / model.layers
    gradients = step.trained_parameters * step.bytes_per_trained / shards
    accumulated = gradients if step.accumulation > 1 else 0
    output = model.vocabulary * model.hidden * bytes_if_trained
    layer_gradients = 2 * (model.linear_parameters * bytes_if_trained + adapters) / model.layers
    kept, layer = saved_activation_bytes(model, step), working_layer_bytes(model, step)
    moments = [
        (accumulated + output, kept, logit_bytes(model, step)),
        (accumulated + output + layer_gradients, kept + layer, 0),
        (gradients + 2 * outside * bytes_if_trained, working_layer_bytes(model, replace(step, checkpointing=True)), 0),
    ]
    grads, activations, logits = max(moments, key=sum)
    weights, trained = base / shards + gathered, adapters / shards + gathered_adapters
    optimizer = optimizer_bytes(model, step) / shards
    overhead: float = CUDA_CONTEXT_BYTES
    if not step.cuda:
        temporary = grads + activations + logits + gathered + gathered_adapters
        before_sharding = base + adapters - weights - trained - optimizer - grads - activations - logits
        overhead = CPU_LIBRARY_BYTES + max(HEAP_FACTOR * temporary, before_sharding)
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
    """Bytes of the base's weights. Embeddings, LM head and norms are never quantised (transformers' bitsandbytes integration)."""
    matrix = WEIGHT_BYTES.get(step.weights, step.bytes_per_weight)
    return model.linear_parameters * matrix + (model.parameters - model.linear_parameters) * step.bytes_per_weight


def optimizer_bytes(model: ModelShape, step: TrainingShape) -> float:
    """Bytes of the optimizer state on the device; a paged state is in host memory."""
    if step.optimizer is Optimizer.PAGED_8BIT:
        return 0.0
    embedding = model.vocabulary * model.hidden if step.full else 0
    return optimizer_state_bytes(step.optimizer, step.trained_parameters, step.bytes_per_trained, embedding)


def optimizer_state_bytes(optimizer: Optimizer, trained: int, bytes_per_trained: int, embedding: int) -> float:
    """Bytes of the whole optimizer state, wherever it is; `embedding` is the number of trained parameters of embeddings.

    AdamW: two moments in the dtype of the parameter (Kingma and Ba 2014). 8-bit AdamW: one byte per moment and a float32 scale per 256
    values (Dettmers et al. 2021, arXiv 2110.02861), but float32 moments for embeddings (as transformers' Trainer tells bitsandbytes).
    """
    if optimizer is Optimizer.ADAMW:
        return 2.0 * trained * bytes_per_trained
    return 2.0 * FLOAT32 * embedding + 2 * (1 + 4 / 256) * (trained - embedding)


def layer_bytes(model: ModelShape, step: TrainingShape) -> int:
    """Bytes that one layer saves for its backward pass: the tensors that autograd saves in transformers' Llama block.

    Per token: float32 inputs of both norms; queries, keys, values and the attention output; gate, up, their activation and product; the
    inputs of the matrices, once if shared, or once per matrix if a float32 adapter casts its own copy; one float32 per head for the
    softmax. A quantised matrix also keeps a cast copy of its input (bitsandbytes up to 0.41; later versions less).
    """
    hidden, half = model.hidden, step.element
    inputs = half * (5 * hidden + model.query_width)
    casts = not step.full and step.adapter > half
    per_token = 2 * half * (model.query_width + model.key_width) + 4 * half * model.intermediate + FLOAT32 * model.heads
    per_token += inputs if casts else 2 * half * hidden
    # Compiled, a norm is recomputed from its input; else its normalised input is saved if its weight is trained.
    per_token += 2 * hidden * half if step.compiled else 2 * hidden * (FLOAT32 + (half if step.full else 0))
    if step.weights is not WeightFormat.PLAIN:
        per_token += inputs + half * model.intermediate
    scores = 6 * model.heads * step.length if step.attention is AttentionKernel.EAGER else 0
    return step.tokens * (per_token + scores)


def saved_activation_bytes(model: ModelShape, step: TrainingShape) -> int:
    """Bytes of the activations that all layers save: with checkpointing only each layer's input (Chen et al. 2016), or none if offloaded.

    A padded batch also has two attention masks of shape (batch, length, length), of one byte and of one `element` per entry. Trained
    float32 weights keep the copies that autocast makes of them to the end of the step; if sharded and checkpointed, those of one layer.
    """
    mask = step.batch * step.length**2 * (1 + step.element) if step.attention is AttentionKernel.MASKED else 0
    final = step.tokens * model.hidden * (FLOAT32 + step.element)
    if step.full and step.bytes_per_weight > step.element:
        one_layer = step.sharded and step.checkpointing
        final += model.linear_parameters // (model.layers if one_layer else 1) * step.element
    if step.offloaded:
        return mask + final
    per_layer = step.tokens * model.hidden * step.element if step.checkpointing else layer_bytes(model, step)
    return mask + final + model.layers * per_layer


def working_layer_bytes(model: ModelShape, step: TrainingShape) -> int:
    """Bytes that one layer needs in its backward pass besides saved activations.

    These are its recomputed activations if checkpointed, the gradients of its widest activations, and one dequantised weight. Eager
    attention needs ten bytes per score, for the gradients of the softmax, of its input and of the scores: the larger of the two counts.
    """
    recomputed = layer_bytes(model, step) if step.checkpointing else 0
    gradients = step.tokens * model.intermediate * (step.element + FLOAT32)
    scores = 10 * model.heads * step.length * step.tokens if step.attention is AttentionKernel.EAGER else 0
    dequantised = 0 if step.weights is WeightFormat.PLAIN else model.hidden * model.intermediate * step.element
    return recomputed + max(gradients, scores) + dequantised


def logit_bytes(model: ModelShape, step: TrainingShape) -> int:
    """Bytes that the loss holds at its peak; all logits have shape (tokens, vocabulary).

    Full: four float32 copies, of the logits, the log-probabilities and both gradients; compiled: logits and gradient in float32, and the
    gradient in bf16. Chunked: all logits in bf16, and those copies of one of eight chunks. Fused: one tile, the float32 gradient of the
    hidden states, and that of the LM head if it is trained.
    """
    all_logits = step.tokens * model.vocabulary
    if step.logits is LogitStorage.FULL:
        return all_logits * (2 * FLOAT32 + HALF if step.compiled else 4 * FLOAT32)
    if step.logits is LogitStorage.CHUNKED:
        return all_logits * HALF + all_logits * (HALF if step.compiled else 4 * FLOAT32) // LOSS_CHUNKS
    tokens, entries = (min(limit, size) for limit, size in zip(FUSED_TILE, (step.tokens, model.vocabulary), strict=True))
    tile = tokens * entries * step.element
    if not step.cuda:
        # Without the fused kernel the logits of one call, or at least of a tile, are copied in float32.
        tile = max(tokens * entries, min(all_logits, MAX_LOGITS_PER_CALL)) * 4 * FLOAT32
    return tile + step.tokens * model.hidden * FLOAT32 + (model.vocabulary * model.hidden * FLOAT32 if step.full else 0)
