"""The PEFT configuration of a plan, and the base model loaded for training.

Imports torch, transformers and peft, so only the worker imports this module.
"""

from __future__ import annotations

from typing import Any

import torch
from peft import (
    IA3Config,
    LNTuningConfig,
    LoraConfig,
    MissConfig,
    OFTConfig,
    PeftConfig,
    PrefixTuningConfig,
    PromptTuningConfig,
    ShiraConfig,
    VeraConfig,
)

from tuneproof.engine.methods.method import MethodName, Quantisation
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.base_model import BaseCheckpoint, load_weights, packed_attention

CAUSAL = "CAUSAL_LM"
ALL_LINEAR = {"task_type": CAUSAL, "target_modules": "all-linear"}
INPUT_SCALED = r".*\.(mlp|feed_forward|ffn)\..*"
"""Regular expression of the feed-forward layers: IA3 scales their inputs, and the outputs of all others (Liu et al. 2022, section 3.3)."""

LORA_OPTIONS: dict[str, dict[str, Any]] = {
    MethodName.LORA: {},
    MethodName.RSLORA: {"use_rslora": True},
    MethodName.DORA: {"use_dora": True},
    # Exact singular values, not the fast randomised ones: with those a reloaded adapter would get a different base.
    MethodName.PISSA: {"init_lora_weights": "pissa"},
    MethodName.QLORA: {},
    MethodName.INT8_LORA: {},
}
"""The options of `LoraConfig` that set each method of the LoRA family apart."""


def adapter_config(plan: Plan) -> PeftConfig | None:
    """The PEFT configuration for training; None for full fine-tuning, which trains the base itself."""
    rank, tokens = plan.rank, plan.virtual_tokens
    match plan.method:
        case MethodName.FULL:
            return None
        case MethodName.IA3:
            return IA3Config(feedforward_modules=INPUT_SCALED, **ALL_LINEAR)
        case MethodName.OFT:
            return OFTConfig(oft_block_size=rank, **ALL_LINEAR)
        case MethodName.MISS:
            return MissConfig(r=rank, **ALL_LINEAR)
        case MethodName.VERA:
            return VeraConfig(r=rank, projection_prng_key=plan.seed, **ALL_LINEAR)
        case MethodName.SHIRA:
            return ShiraConfig(r=rank, random_seed=plan.seed, **ALL_LINEAR)
        case MethodName.PROMPT_TUNING:
            return PromptTuningConfig(task_type=CAUSAL, num_virtual_tokens=tokens, prompt_tuning_init="SAMPLE_VOCAB")
        case MethodName.PREFIX_TUNING:
            return PrefixTuningConfig(task_type=CAUSAL, num_virtual_tokens=tokens, init_weights="zero")
        case MethodName.LN_TUNING:
            return LNTuningConfig(task_type=CAUSAL)
        case name:
            return LoraConfig(r=rank, lora_alpha=plan.alpha, lora_dropout=0.0, **LORA_OPTIONS[name], **ALL_LINEAR)


def config_for_shapes(plan: Plan) -> PeftConfig | None:
    """The PEFT configuration for a base on the meta device; equal for plans that train the same number of parameters of every base."""
    if plan.method in LORA_OPTIONS and plan.method != MethodName.DORA:
        # Scaling, initialisation and quantisation do not change the shapes of LoRA.
        return LoraConfig(r=plan.rank, **ALL_LINEAR)
    config = adapter_config(plan)
    if isinstance(config, ShiraConfig):
        # A mask cannot be drawn from meta tensors; the number of parameters does not depend on it.
        config.mask_fn = None
    return config


def load_for_training(base: BaseCheckpoint, plan: Plan) -> Any:
    """The base as the method trains it: quantised, or in float32 if its own weights are trained; a base to be sharded stays on the host."""
    method, attention = METHODS[plan.method], packed_attention() if plan.packing else None
    if method.quantisation is not None:
        return load_weights(base, quantisation=quantisation(method.quantisation), attention=attention)
    # bfloat16 would lose an update of 2e-5: its next number after 1 is 1.008.
    dtype = torch.float32 if method.trains_base_weights else None
    return load_weights(base, dtype=dtype, attention=attention, on=torch.device("cpu") if plan.sharded else None)


def quantisation(kind: Quantisation) -> dict[str, Any]:
    """The keyword arguments of transformers' `BitsAndBytesConfig`."""
    if kind is Quantisation.INT8:
        return {"load_in_8bit": True}
    return {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": "bfloat16",
    }
