"""The names of the arms, as case files, run folders and cards spell them."""

from __future__ import annotations

from enum import StrEnum

REPAIRED = " + repair"
"""Ends the name of a row of the card that scores an arm's answers after they were repaired."""


def with_repair(arm: str) -> str:
    """The name of the row that scores the repaired answers of an arm."""
    return f"{arm}{REPAIRED}"


def is_repaired(row: str) -> bool:
    """Whether a row of the card scores repaired answers."""
    return row.endswith(REPAIRED)


def arm_of_row(row: str) -> str:
    """The arm that gave the answers that a row of the card scores."""
    return row.removesuffix(REPAIRED)


class ArmName(StrEnum):
    """An arm: one system that is scored on the frozen eval cases. `engine/arms` has a class for each."""

    ZERO_SHOT = "zero_shot"
    FEW_SHOT = "few_shot"
    OPTIMISED_PROMPT = "optimised_prompt"
    RETRIEVAL = "retrieval"
    CONSTRAINED = "constrained"
    FEW_SHOT_CONSTRAINED = "few_shot_constrained"
    ENDPOINT = "endpoint"
    TUNED = "tuned"
    TUNED_CONSTRAINED = "tuned_constrained"


OWN_PROMPT = "prompt_"
"""The names of arms with a prompt of the case begin with this; the name of the prompt follows."""
