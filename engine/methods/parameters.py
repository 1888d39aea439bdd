"""How many parameters a plan trains: its adapter's configuration, and a count that needs no weights.

Imports torch, transformers and peft, so only the worker imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from tuneproof.engine import facts
from tuneproof.engine.errors import CaseError
from tuneproof.engine.methods.catalogue import METHODS, Plan


@dataclass(frozen=True)
class Parameters:
    """The parameters that learn, and all there are, the adapter's among them; shared ones count once."""

    trained: int
    all: int


def lora_config(plan: Plan) -> LoraConfig:
    """The adapter of a plan, the same for training and for counting."""
    return LoraConfig(r=plan.rank, lora_alpha=plan.alpha, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")


def count(model: Any) -> Parameters:
    """The parameters of a model as it stands."""
    parameters = list(model.parameters())
    return Parameters(sum(p.numel() for p in parameters if p.requires_grad), sum(p.numel() for p in parameters))


def count_planned(folder: Path, plan: Plan) -> Parameters:
    """The parameters that a plan would train of the base in the folder, from shapes alone."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
        try:
            return count(get_peft_model(model, lora_config(plan)))
        except ValueError as error:
            told = str(error).splitlines()[0]
            raise CaseError(
                f"{plan.method} cannot adapt this base: {told}", where="method.name", fix="choose another base or method"
            ) from None


def catalogue(folder: Path, plans: Sequence[Plan]) -> facts.Catalogue:
    """What each plan's method is, and what it would train of the base in the folder."""
    entries = []
    for plan in plans:
        method, parameters = METHODS[plan.method], count_planned(folder, plan)
        entries.append(
            facts.CatalogueEntry(
                name=method.name,
                trains=method.trains,
                good_for=method.good_for,
                trained_parameters=parameters.trained,
                all_parameters=parameters.all,
                settings=plan.settings,
            )
        )
    return facts.Catalogue(methods=entries)
