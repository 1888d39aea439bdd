"""The stages of a case, in order."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """One step from the first question to the card; `--until` takes these words."""

    ROUTE = "route"
    AUDIT = "audit"
    SPLIT = "split"
    BASELINES = "baselines"
    METHOD = "method"
    TRAIN = "train"
    EVALUATE = "evaluate"
    CARD = "card"

    @property
    def place(self) -> int:
        """The place in the order, from 0."""
        return list(Stage).index(self)
