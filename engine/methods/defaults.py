"""Default training settings that several methods share, each with its source."""

from __future__ import annotations

from tuneproof.engine.methods.method import Default

WITHOUT_REGRET = "LoRA Without Regret (2025)"
"""Schulman et al. 2025, as TRL's guide `lora_without_regret.md` gives it."""
PEFT_COMPARISON = "PEFT's method comparison (MetaMathQA)"

EPOCHS = Default(3.0, "at most 3, as LLaMA-Factory, ms-swift and Unsloth's studio; the best of the probed steps is kept")
BATCH_SIZE = Default(16, f"LoRA falls behind above 32: {WITHOUT_REGRET}")
WARMUP = Default(0.05, "between QLoRA's 3 % and Axolotl's 10 %; then a cosine, as LLaMA-Factory and Axolotl")
PROBE_CASES = Default(24, "ours: six probes of 24 cases take 1.2 % of a default training on SNIPS")
CLIP = Default(1.0, "transformers' Trainer and PEFT's comparison")
LENGTH = "rows are never cut: a row cut inside the answer teaches the model not to end its answers"

RANK = Default(16, "Axolotl, Unsloth and TRL; on all linear layers (LoRA Without Regret), without dropout (torchtune, LLaMA-Factory)")
ALPHA_BY_RANK = Default(2.0, "Axolotl, TRL and LLaMA-Factory's code: alpha is twice the rank")
LORA_RATE = Default(2e-4, f"ten times the rate for all weights: {WITHOUT_REGRET}; as Axolotl, Unsloth and QLoRA's scripts")
