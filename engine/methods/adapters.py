"""A plan's method as PEFT knows it, and the base as the method trains it.

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

from tuneproof.engine.methods.method import Quantisation
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.base_model import BaseCheckpoint, load_weights, packed_attention

CAUSAL = "CAUSAL_LM"
ALL_LINEAR = {"task_type": CAUSAL, "target_modules": "all-linear"}
INPUT_SCALED = r".*\.(mlp|feed_forward|ffn)\..*"
"""The layers whose inputs IA3 scales and not their outputs, as its paper has it for the feed-forward part."""

LORA_KINDS: dict[str, dict[str, Any]] = {
    "lora": {},
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    # Exact singular values, not the fast ones: those are drawn at random, and a reloaded adapter would stand on another base.
    "pissa": {"init_lora_weights": "pissa"},
    "qlora": {},
    "int8_lora": {},
}


def adapter_config(plan: Plan) -> PeftConfig | None:
    """What PEFT is to put on the base, the same for training and for counting; none where the base itself is trained."""
    rank, tokens = plan.rank, plan.virtual_tokens
    match plan.method:
        case "full":
            return None
        case "ia3":
            return IA3Config(feedforward_modules=INPUT_SCALED, **ALL_LINEAR)
        case "oft":
            return OFTConfig(oft_block_size=rank, **ALL_LINEAR)
        case "miss":
            return MissConfig(r=rank, **ALL_LINEAR)
        case "vera":
            return VeraConfig(r=rank, projection_prng_key=plan.seed, **ALL_LINEAR)
        case "shira":
            return ShiraConfig(r=rank, random_seed=plan.seed, **ALL_LINEAR)
        case "prompt_tuning":
            return PromptTuningConfig(task_type=CAUSAL, num_virtual_tokens=tokens, prompt_tuning_init="SAMPLE_VOCAB")
        case "prefix_tuning":
            return PrefixTuningConfig(task_type=CAUSAL, num_virtual_tokens=tokens, init_weights="zero")
        case "ln_tuning":
            return LNTuningConfig(task_type=CAUSAL)
        case kind:
            return LoraConfig(r=rank, lora_alpha=plan.alpha, lora_dropout=0.0, **LORA_KINDS[kind], **ALL_LINEAR)


def config_for_shapes(plan: Plan) -> PeftConfig | None:
    """The same, for a base that has shapes and no weights; equal where as much is trained."""
    if plan.method in LORA_KINDS and plan.method != "dora":
        # How LoRA is scaled, begun, or held over its base changes no shape.
        return LoraConfig(r=plan.rank, **ALL_LINEAR)
    config = adapter_config(plan)
    if isinstance(config, ShiraConfig):
        # Which places are trained cannot be drawn where there are none; how many does not depend on it.
        config.mask_fn = None
    return config


def load_for_training(base: BaseCheckpoint, plan: Plan) -> Any:
    """The base as the method trains it: quantised, or in float32 where its own weights are trained; one to be divided stays on the host."""
    method, attention = METHODS[plan.method], packed_attention() if plan.packing else None
    if method.quantisation is not None:
        return load_weights(base, quantisation=quantisation(method.quantisation), attention=attention)
    # A step of 2e-5 is lost in bfloat16, whose next number after 1 is 1.008.
    dtype = torch.float32 if method.trains_base_weights else None
    return load_weights(base, dtype=dtype, attention=attention, on=torch.device("cpu") if plan.sharded else None)


def quantisation(kind: Quantisation) -> dict[str, Any]:
    """What bitsandbytes is to do with the base, as transformers writes it down."""
    if kind is Quantisation.INT8:
        return {"load_in_8bit": True}
    return {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": "bfloat16",
    }
