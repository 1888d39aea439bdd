"""Prompts of the sample case, and small models of other architectures."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PromptTuningConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from tuneproof.engine.arms import ArmContext
from tuneproof.engine.arms.few_shot import FewShot, ShotSelection
from tuneproof.engine.arms.zero_shot import ZeroShot
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.scoring.graders import make_grader

SAMPLE = Path(__file__).parents[3] / "sample_cases"
TRAIN, CASES = (read_examples(str(SAMPLE / f"support_tickets{name}.jsonl")).examples for name in ("", "_eval"))
TASK = Task.model_validate({"instruction": "Triage the ticket.", "output": {"kind": "json", "schema": {"properties": {"category": {}}}}})
CONTEXT = ArmContext("Triage the ticket.", make_grader(TASK, []), TRAIN, lambda _: True, 0, TASK.output)

ARMS = {
    "zero-shot": ZeroShot(CONTEXT),
    "8 fixed": FewShot(CONTEXT, 8),
    "8 nearest": FewShot(CONTEXT, 8, ShotSelection.NEAREST),
}

ADAPTERS = {
    "lora": LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", init_lora_weights=False),
    "prompt tuning": PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=6),
}


def with_adapter(model: Any, kind: str) -> Any:
    """The model with an adapter of that kind. PEFT writes the sizes of the model into the configuration, so it gets one of its own."""
    return get_peft_model(model, copy.deepcopy(ADAPTERS[kind])).eval()


def arm_prompts(base: BaseCheckpoint, arm: str, count: int) -> list[str]:
    """The prompts of an arm for the first cases."""
    return [base.prompt(request.messages) for request in ARMS[arm].requests(CASES[:count])]


def varied_prompts(base: BaseCheckpoint) -> list[str]:
    """Prompts of many lengths: two groups that share a prefix, and some that share nothing."""
    return [
        *arm_prompts(base, "zero-shot", 4),
        *arm_prompts(base, "8 fixed", 4),
        "a",
        "The order",
        *(case.input for case in CASES[4:6]),
    ]


def random_model(kind: str, **settings: Any) -> Any:
    """An untrained model of another architecture, with the vocabulary of the sample model."""
    torch.manual_seed(0)
    small = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 2048}
    config = AutoConfig.for_model(kind, **(small | {"vocab_size": 1536, "initializer_range": 0.2, "pad_token_id": 0} | settings))
    return AutoModelForCausalLM.from_config(config, attn_implementation=settings.get("attention", "sdpa")).eval()
