"""The steps of the wizard, in order: what a person does between the first question and the card."""

from __future__ import annotations

from enum import StrEnum


class WizardStep(StrEnum):
    """One step of the wizard; its value is its name on the rail."""

    DECIDE = "Decide"
    DATA = "Data"
    AUDIT = "Audit"
    TASK = "Task"
    BASELINES = "Baselines"
    METHOD = "Method"
    TRAIN = "Train"
    CARD = "Card"

    @property
    def number(self) -> int:
        """The place on the rail, from 1."""
        return list(WizardStep).index(self) + 1
