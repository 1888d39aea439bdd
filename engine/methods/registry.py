"""The registry of training methods, one entry each. Importing it loads no deep-learning library.

What a method does not support was measured on a small Llama with PEFT 0.21 and bitsandbytes 0.50, unless it follows from the method itself.
"""

from __future__ import annotations

from tuneproof.engine.methods.defaults import ALPHA_BY_RANK, LORA_RATE, PEFT_COMPARISON, RANK
from tuneproof.engine.methods.method import Ability, Default, MethodName, MethodSpec, PublishedResult, Quantisation

MIXES_PACKED_ROWS = (
    "PEFT drops the position ids that separate packed rows, so rows attend to each other and no error is raised (logits off by 0.39)"
)
FOUR_BIT_SHARDING_UNTESTED = "4-bit weights do not train on a CPU, and sharding them on GPUs is untested"
LOSES_SCALES = "an int8 weight loses its scales when it is sharded (torch 2.13 turns it into a plain parameter)"
NO_WEIGHTS = "virtual tokens are not weights of the model, so there is nothing to merge them into"

FULL = MethodSpec(
    name=MethodName.FULL,
    trains="every weight of the model",
    good_for="much data, or a change that adapters miss; needs the most memory, and the result is a whole model",
    learning_rate=Default(2e-5, "Axolotl (fft-8b), Unsloth (full_finetune.yaml) and torchtune (8B)"),
    unsupported={
        Ability.MERGE: "there is nothing to merge: the model itself is trained",
        Ability.FOUR_BIT: "quantised weights cannot be trained",
        Ability.EIGHT_BIT: "quantised weights cannot be trained",
    },
    published=PublishedResult("rate 1e-5", 47.2, 36.2, 2147, 6425),
    trains_base_weights=True,
)
LORA = MethodSpec(
    name=MethodName.LORA,
    peft_class="LoraConfig",
    paper="Hu et al. 2021, arXiv 2106.09685",
    trains="two low-rank matrices for every linear layer",
    good_for="a format, a style or a narrow task, from tens to thousands of examples",
    learning_rate=LORA_RATE,
    rank=RANK,
    alpha_by_rank=ALPHA_BY_RANK,
    published=PublishedResult("rank 32 on q and v, rate 1e-4", 47.8, 20.8, 942, 37),
)
RSLORA = MethodSpec(
    name=MethodName.RSLORA,
    peft_class="LoraConfig",
    paper="Kalajdzievski 2023, arXiv 2312.03732",
    trains="like LoRA, scaled by the square root of the rank",
    good_for="ranks above 32, where LoRA's own scale makes the steps too small",
    learning_rate=Default(1e-4, f"{PEFT_COMPARISON}: rank 64 and alpha 64 give the scale of 8 that rank 16 and alpha 32 give here"),
    rank=RANK,
    alpha_by_rank=ALPHA_BY_RANK,
    published=PublishedResult("rank 64 on q and v, rate 1e-4", 51.3, 21.0, 966, 73),
)
DORA = MethodSpec(
    name=MethodName.DORA,
    peft_class="LoraConfig",
    paper="Liu et al. 2024, arXiv 2402.09353",
    trains="like LoRA, plus the norm of each weight column",
    good_for="low ranks that fall short of full fine-tuning; a quarter slower than LoRA",
    learning_rate=Default(1e-4, f"{PEFT_COMPARISON}, where alpha is twice the rank as here"),
    rank=RANK,
    alpha_by_rank=ALPHA_BY_RANK,
    unsupported={Ability.EIGHT_BIT: "PEFT's DoRA raises an error on int8 weights"},
    published=PublishedResult("rank 32 on q and v, rate 1e-4", 46.9, 22.8, 1191, 37),
)
PISSA = MethodSpec(
    name=MethodName.PISSA,
    peft_class="LoraConfig",
    paper="Meng et al. 2024, arXiv 2404.02948",
    trains="like LoRA, initialised with the largest singular values",
    good_for="reaching the same loss in fewer steps; first computes the singular values of every layer, minutes for a large model",
    learning_rate=Default(2e-5, "PEFT's examples/pissa_finetuning"),
    rank=RANK,
    alpha_by_rank=Default(1.0, "PEFT's examples/pissa_finetuning: alpha is the rank, so nothing is scaled"),
    unsupported={
        Ability.FOUR_BIT: "it starts from the singular values of the weights, which PEFT does not compute for quantised weights",
        Ability.EIGHT_BIT: "it starts from the singular values of the weights, which PEFT does not compute for quantised weights",
    },
)
QLORA = MethodSpec(
    name=MethodName.QLORA,
    peft_class="LoraConfig",
    paper="Dettmers et al. 2023, arXiv 2305.14314",
    trains="like LoRA, over a base quantised to 4 bits (NF4)",
    good_for="a model whose weights do not fit in memory otherwise; slower than LoRA, and quantisation changes the outputs a little",
    learning_rate=Default(2e-4, "QLoRA's scripts for 7B and 13B (Dettmers et al. 2023)"),
    rank=RANK,
    alpha_by_rank=ALPHA_BY_RANK,
    unsupported={Ability.SHARDING: FOUR_BIT_SHARDING_UNTESTED},
    quantisation=Quantisation.NF4,
)
INT8_LORA = MethodSpec(
    name=MethodName.INT8_LORA,
    peft_class="LoraConfig",
    paper="Dettmers et al. 2022, arXiv 2208.07339, for the 8-bit base",
    trains="like LoRA, over a base quantised to 8 bits",
    good_for="a model that fits in 8 bits but not in 16, when 4 bits are too coarse",
    learning_rate=LORA_RATE,
    rank=RANK,
    alpha_by_rank=ALPHA_BY_RANK,
    unsupported={Ability.SHARDING: LOSES_SCALES},
    quantisation=Quantisation.INT8,
)
IA3 = MethodSpec(
    name=MethodName.IA3,
    peft_class="IA3Config",
    paper="Liu et al. 2022, arXiv 2205.05638",
    trains="one scaling factor for each output of a linear layer",
    good_for="many tasks on one base, each in a file of kilobytes; needs its high learning rate: at 1e-4 PEFT's comparison measured 31.1 %",
    learning_rate=Default(5e-3, f"{PEFT_COMPARISON}: all linear layers, which raised it from 31.1 % to 45.5 %"),
    published=PublishedResult("all linear layers, rate 5e-3", 45.5, 24.3, 1060, 2.5),
)
OFT = MethodSpec(
    name=MethodName.OFT,
    peft_class="OFTConfig",
    paper="Qiu et al. 2023, arXiv 2306.07280",
    trains="block-wise rotations of the inputs",
    good_for="changing a model while its weights keep their norms and angles",
    learning_rate=Default(1e-4, PEFT_COMPARISON),
    rank=Default(32, "PEFT: the block size, which must divide the input width of each layer"),
    published=PublishedResult("32 blocks on q and v, rate 1e-4", 49.1, 20.8, 1192, 33),
)
MISS = MethodSpec(
    name=MethodName.MISS,
    peft_class="MissConfig",
    paper="Kang and Yin 2024, arXiv 2409.15371",
    trains="one small matrix per layer, shared along its inputs",
    good_for="the least memory and time among methods as accurate as LoRA; in PEFT's comparison it forgot more than LoRA",
    learning_rate=Default(1e-4, PEFT_COMPARISON),
    rank=Default(64, f"{PEFT_COMPARISON} and PEFT: one matrix where LoRA has two"),
    published=PublishedResult("rank 64 on q and v, rate 1e-4", 48.7, 18.9, 897, 29),
)
VERA = MethodSpec(
    name=MethodName.VERA,
    peft_class="VeraConfig",
    paper="Kopiczko et al. 2023, arXiv 2310.11454",
    trains="two vectors per layer, between random matrices that all layers share",
    good_for="very small adapters; less accurate than LoRA",
    learning_rate=Default(1e-3, "ours: ten times that of PEFT's comparison, which reached only 35.4 %; its vectors start near zero"),
    rank=Default(256, "PEFT and its comparison: a rank of VeRA costs one parameter per layer"),
    frozen=("vera_A", "vera_B"),
    published=PublishedResult("rank 256 on q and v, rate 1e-4", 35.4, 20.1, 1011, 7),
)
SHIRA = MethodSpec(
    name=MethodName.SHIRA,
    peft_class="ShiraConfig",
    paper="Bhardwaj et al. 2024, arXiv 2406.13175",
    trains="a sparse random selection of the weights",
    good_for="a high-rank change with as many parameters as LoRA; indices are stored too, so the file is three times as large",
    learning_rate=Default(3e-4, PEFT_COMPARISON),
    rank=Default(32, "PEFT: as many parameters as LoRA at this rank"),
    frozen=("shira_indices",),
    published=PublishedResult("rank 32 on q and v, rate 3e-4", 51.0, 20.2, 1003, 110),
)
PROMPT_TUNING = MethodSpec(
    name=MethodName.PROMPT_TUNING,
    peft_class="PromptTuningConfig",
    paper="Lester et al. 2021, arXiv 2104.08691",
    trains="virtual tokens in front of every prompt",
    good_for="one base that serves many tasks at once; unstable: between 5.7 % and 34.3 % in PEFT's comparison",
    learning_rate=Default(1e-3, f"{PEFT_COMPARISON}, its best setting"),
    virtual_tokens=Default(20, "PEFT's own example; its comparison uses 200, which every request then pays for"),
    unsupported={Ability.MERGE: NO_WEIGHTS, Ability.PACKING: MIXES_PACKED_ROWS},
    published=PublishedResult("200 tokens, rate 1e-3, its best setting", 34.3, 22.7, 1429, 2.5),
)
PREFIX_TUNING = MethodSpec(
    name=MethodName.PREFIX_TUNING,
    peft_class="PrefixTuningConfig",
    paper="Li and Liang 2021, arXiv 2101.00190",
    trains="keys and values in front of every prompt, in each layer",
    good_for="as prompt tuning, with more parameters and more stable",
    learning_rate=Default(5e-3, PEFT_COMPARISON),
    virtual_tokens=Default(50, PEFT_COMPARISON),
    unsupported={
        Ability.MERGE: NO_WEIGHTS,
        Ability.PACKING: MIXES_PACKED_ROWS,
        Ability.CHECKPOINTING: "checkpointing turns off the KV cache, which holds the prefix, and training fails",
    },
    published=PublishedResult("50 tokens initialised from a text, rate 5e-3", 41.6, 19.2, 878, 12),
)
LN_TUNING = MethodSpec(
    name=MethodName.LN_TUNING,
    peft_class="LNTuningConfig",
    paper="Zhao et al. 2023, arXiv 2312.11420",
    trains="the weights of the normalisation layers",
    good_for="the smallest possible change; too small for most tasks: at 1e-4 it answered no question of PEFT's comparison correctly",
    learning_rate=Default(1e-3, "ours: ten times that of PEFT's comparison, which taught it nothing"),
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
"""Every method, in the order in which to consider them."""
