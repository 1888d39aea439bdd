"""Counts of trained parameters, computed from shapes alone, and the catalogue of methods that shows them.

Imports torch, transformers and peft, so only the worker imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel, get_peft_model

from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.methods.adapters import config_for_shapes
from tuneproof.engine.methods.plan import Plan, setting_sources, size_of, with_other_size
from tuneproof.engine.methods.refusals import unavailable_reason
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.models.pretrained import empty_model
from tuneproof.engine.run import artifacts


@dataclass(frozen=True)
class ParameterCount:
    """The number of trained parameters, and of all parameters, the adapter's included; tied parameters count once."""

    trained: int
    all: int


def count_parameters(model: Any) -> ParameterCount:
    """The parameters of a model or of a PEFT model."""
    if isinstance(model, PeftModel):
        # PEFT knows how many values a quantised, packed weight holds.
        return ParameterCount(*model.get_nb_trainable_parameters())
    parameters = list(model.parameters())
    return ParameterCount(sum(p.numel() for p in parameters if p.requires_grad), sum(p.numel() for p in parameters))


def count_planned_parameters(folder: Path, plan: Plan, *, trusts_code: bool = False) -> ParameterCount:
    """The parameters that a plan would train of the base in the folder; reads its config.json and no weights.

    Raises CaseError if PEFT cannot adapt this base.
    """
    with torch.device("meta"):
        model = empty_model(folder, trusts_code=trusts_code)
        config = config_for_shapes(plan)
        try:
            return count_parameters(model if config is None else get_peft_model(model, config))
        except ValueError as error:
            reason = str(error).splitlines()[0]
            raise CaseError(
                f"{plan.method} cannot adapt this base: {reason}", where="method.name", fix="choose another base or method"
            ) from None


def build_catalogue(base: BaseCheckpoint, plans: Sequence[Plan], training: Training) -> artifacts.Catalogue:
    """What the method of each plan is, and what it would train of the base, or why it cannot be trained here."""
    counted: dict[str, ParameterCount | str] = {}
    return artifacts.Catalogue(methods=[_entry(base, plan, training, counted) for plan in plans])


def _trained_per_size(base: BaseCheckpoint, plan: Plan, trained: int) -> int | None:
    """How many parameters one rank or virtual token more trains: of every method that has one, the number grows by as much each time."""
    other = with_other_size(plan)
    if other is None:
        return None
    difference = trained - count_planned_parameters(base.folder, other, trusts_code=base.trusts_code).trained
    return difference // (size_of(plan) - size_of(other))


def _entry(base: BaseCheckpoint, plan: Plan, training: Training, counted: dict[str, ParameterCount | str]) -> artifacts.CatalogueEntry:
    """One entry. Methods that train the same number of parameters of every base, such as LoRA and QLoRA, are counted once."""
    method, key = METHODS[plan.method], str(config_for_shapes(plan))
    if key not in counted:
        try:
            counted[key] = count_planned_parameters(base.folder, plan, trusts_code=base.trusts_code)
        except CaseError as error:
            counted[key] = error.what
    found = counted[key]
    parameters = found if isinstance(found, ParameterCount) else None
    refused = found if isinstance(found, str) else unavailable_reason(method)
    return artifacts.CatalogueEntry(
        name=method.name,
        trains=method.trains,
        good_for=method.good_for,
        trained_parameters=parameters and parameters.trained,
        all_parameters=parameters and parameters.all,
        settings=plan.settings,
        trained_per_size=parameters and _trained_per_size(base, plan, parameters.trained),
        sources=setting_sources(MethodChoice(name=method.name), training),
        cannot={ability.value: why for ability, why in method.unsupported.items()},
        published=method.published and method.published.summary,
        unavailable=refused,
    )
