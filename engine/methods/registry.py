"""The catalogue: one entry a method. No deep-learning library is needed to read it.

What a method cannot do was measured on a small Llama with PEFT 0.21 and bitsandbytes 0.50, but for what follows from what it is.
"""

from __future__ import annotations

from tuneproof.engine.methods.defaults import ALPHA_BY_RANK, LORA_RATE, PEFT_COMPARISON, RANK
from tuneproof.engine.methods.method import Ability, Default, MethodSpec, PublishedResult, Quantisation

MIXES_PACKED_ROWS = "PEFT drops the positions that keep packed rows apart, so that they would mix without a word (logits off by 0.39)"
FOUR_BIT_SHARDING_UNTESTED = "4 bits do not train on a CPU, and how such weights are divided could not be tried on GPUs"
LOSES_SCALES = "a weight in int8 loses its scales when it is divided (torch 2.13 makes a plain parameter of it)"
NO_WEIGHTS = "virtual tokens are no weights of the model, so there is nothing to merge them into"

FULL = MethodSpec(
    name="full",
    trains="every weight of the model",
    good_for="much data, or a change that adapters have been seen to miss; the dearest in memory, and the result is a whole model",
    learning_rate=Default(2e-5, "Axolotl (fft-8b), Unsloth (full_finetune.yaml) and torchtune (8B)"),
    unsupported={
        Ability.MERGE: "there is nothing to merge: what is trained is the model",
        Ability.FOUR_BIT: "quantised weights cannot be trained",
        Ability.EIGHT_BIT: "quantised weights cannot be trained",
    },
    published=PublishedResult("rate 1e-5", 47.2, 36.2, 2147, 6425),
    trains_base_weights=True,
)
LORA = MethodSpec(
    name="lora",
    trains="two small matrices beside every linear layer",
    good_for="a format, a style or a narrow task, from tens to thousands of examples",
    learning_rate=LORA_RATE,
    rank=RANK,
    alpha_by_rank=ALPHA_BY_RANK,
    published=PublishedResult("rank 32 on q and v, rate 1e-4", 47.8, 20.8, 942, 37),
)
RSLORA = MethodSpec(
    name="rslora",
    trains="as LoRA, scaled by the root of the rank",
    good_for="ranks above 32, at which LoRA's own scale makes each step smaller and smaller",
    learning_rate=Default(1e-4, f"{PEFT_COMPARISON}: rank 64 and alpha 64 give the scale of 8 that rank 16 and alpha 32 give here"),
    rank=RANK,
    alpha_by_rank=ALPHA_BY_RANK,
    published=PublishedResult("rank 64 on q and v, rate 1e-4", 51.3, 21.0, 966, 73),
)
DORA = MethodSpec(
    name="dora",
    trains="as LoRA, and the length of each column",
    good_for="low ranks that fall short of full training; a quarter slower than LoRA",
    learning_rate=Default(1e-4, f"{PEFT_COMPARISON}, where alpha is twice the rank as here"),
    rank=RANK,
    alpha_by_rank=ALPHA_BY_RANK,
    unsupported={Ability.EIGHT_BIT: "PEFT's DoRA raises an error on int8 weights"},
    published=PublishedResult("rank 32 on q and v, rate 1e-4", 46.9, 22.8, 1191, 37),
)
PISSA = MethodSpec(
    name="pissa",
    trains="as LoRA, begun at the largest singular values",
    good_for="fewer steps to the same loss; the singular values of every layer are computed first, minutes for a large model",
    learning_rate=Default(2e-5, "PEFT's examples/pissa_finetuning"),
    rank=RANK,
    alpha_by_rank=Default(1.0, "PEFT's examples/pissa_finetuning: alpha is the rank, so that nothing is scaled"),
    unsupported={
        Ability.FOUR_BIT: "it begins with the singular values of the weights, which PEFT refuses to take of quantised ones",
        Ability.EIGHT_BIT: "it begins with the singular values of the weights, which PEFT refuses to take of quantised ones",
    },
)
QLORA = MethodSpec(
    name="qlora",
    trains="as LoRA, over a base held in 4 bits (NF4)",
    good_for="a model whose weights do not fit in memory otherwise; slower than LoRA, and the base answers a little differently",
    learning_rate=Default(2e-4, "QLoRA's scripts for 7B and 13B (Dettmers and others 2023)"),
    rank=RANK,
    alpha_by_rank=ALPHA_BY_RANK,
    unsupported={Ability.SHARDING: FOUR_BIT_SHARDING_UNTESTED},
    quantisation=Quantisation.NF4,
)
INT8_LORA = MethodSpec(
    name="int8_lora",
    trains="as LoRA, over a base held in 8 bits",
    good_for="a model that fits in 8 bits and not in 16, where 4 bits are too coarse",
    learning_rate=LORA_RATE,
    rank=RANK,
    alpha_by_rank=ALPHA_BY_RANK,
    unsupported={Ability.SHARDING: LOSES_SCALES},
    quantisation=Quantisation.INT8,
)
IA3 = MethodSpec(
    name="ia3",
    trains="one factor for each output of a linear layer",
    good_for="many tasks on one base, each a file of kilobytes; needs its high rate: at 1e-4 PEFT's comparison had 31.1 %",
    learning_rate=Default(5e-3, f"{PEFT_COMPARISON}: all linear layers, where it went from 31.1 % to 45.5 %"),
    published=PublishedResult("all linear layers, rate 5e-3", 45.5, 24.3, 1060, 2.5),
)
OFT = MethodSpec(
    name="oft",
    trains="rotations of the inputs, block by block",
    good_for="changing a model while its weights keep their lengths and angles",
    learning_rate=Default(1e-4, PEFT_COMPARISON),
    rank=Default(32, "PEFT: the width of a block; it divides the inputs of each layer"),
    published=PublishedResult("32 blocks on q and v, rate 1e-4", 49.1, 20.8, 1192, 33),
)
MISS = MethodSpec(
    name="miss",
    trains="one small matrix a layer, shared along its inputs",
    good_for="the least memory and time of those that do as well as LoRA; in PEFT's comparison it forgot more than LoRA",
    learning_rate=Default(1e-4, PEFT_COMPARISON),
    rank=Default(64, f"{PEFT_COMPARISON} and PEFT: one matrix where LoRA has two"),
    published=PublishedResult("rank 64 on q and v, rate 1e-4", 48.7, 18.9, 897, 29),
)
VERA = MethodSpec(
    name="vera",
    trains="two vectors a layer between matrices that all share",
    good_for="adapters that must be very small; learns less than LoRA",
    learning_rate=Default(1e-3, "ours: ten times that of PEFT's comparison, which left it at 35.4 %; its vectors begin near zero"),
    rank=Default(256, "PEFT and its comparison: a VeRA rank costs one number a layer"),
    frozen=("vera_A", "vera_B"),
    published=PublishedResult("rank 256 on q and v, rate 1e-4", 35.4, 20.1, 1011, 7),
)
SHIRA = MethodSpec(
    name="shira",
    trains="a sparse, random choice of the weights",
    good_for="a change of high rank for the parameters of LoRA; places are stored with the values, so the file is three times as large",
    learning_rate=Default(3e-4, PEFT_COMPARISON),
    rank=Default(32, "PEFT: as many numbers as LoRA has at this rank"),
    frozen=("shira_indices",),
    published=PublishedResult("rank 32 on q and v, rate 3e-4", 51.0, 20.2, 1003, 110),
)
PROMPT_TUNING = MethodSpec(
    name="prompt_tuning",
    trains="virtual tokens before every prompt",
    good_for="one base that serves many tasks at once; unsteady: PEFT's comparison has it between 5.7 % and 34.3 %",
    learning_rate=Default(1e-3, f"{PEFT_COMPARISON}, in its best setting"),
    virtual_tokens=Default(20, "PEFT's own example; its comparison has 200, which every request then pays for"),
    unsupported={Ability.MERGE: NO_WEIGHTS, Ability.PACKING: MIXES_PACKED_ROWS},
    published=PublishedResult("200 tokens, rate 1e-3, the best of its settings", 34.3, 22.7, 1429, 2.5),
)
PREFIX_TUNING = MethodSpec(
    name="prefix_tuning",
    trains="keys and values before every prompt, in each layer",
    good_for="as prompt tuning, with more to learn and steadier",
    learning_rate=Default(5e-3, PEFT_COMPARISON),
    virtual_tokens=Default(50, PEFT_COMPARISON),
    unsupported={
        Ability.MERGE: NO_WEIGHTS,
        Ability.PACKING: MIXES_PACKED_ROWS,
        Ability.CHECKPOINTING: "checkpointing turns off the cache in which the prefix stands, and training fails",
    },
    published=PublishedResult("50 tokens begun from a text, rate 5e-3", 41.6, 19.2, 878, 12),
)
LN_TUNING = MethodSpec(
    name="ln_tuning",
    trains="the weights of the normalisation layers",
    good_for="the smallest change there is; too small for most: at 1e-4 PEFT's comparison had no question right",
    learning_rate=Default(1e-3, "ours: ten times that of PEFT's comparison, at which it learned nothing"),
    published=PublishedResult("rate 1e-4", 0.0, 19.7, 918, 0.4),
    trains_base_weights=True,
)

METHODS: dict[str, MethodSpec] = {
    method.name: method
    for method in (
        LORA,
        FULL,
        QLORA,
        INT8_LORA,
        RSLORA,
        DORA,
        PISSA,
        MISS,
        OFT,
        SHIRA,
        IA3,
        VERA,
        LN_TUNING,
        PREFIX_TUNING,
        PROMPT_TUNING,
    )
}
"""Every method there is, in the order in which it is worth thinking of."""
