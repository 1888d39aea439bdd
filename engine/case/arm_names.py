"""The names of the arms, as case files, run folders and cards spell them."""

from __future__ import annotations

from enum import StrEnum


class ArmName(StrEnum):
    """An arm: one system that is scored on the frozen eval cases. `engine/arms` has a class for each."""

    ZERO_SHOT = "zero_shot"
    FEW_SHOT = "few_shot"
    RETRIEVAL = "retrieval"
    CONSTRAINED = "constrained"
    ENDPOINT = "endpoint"
    TUNED = "tuned"
    TUNED_CONSTRAINED = "tuned_constrained"
