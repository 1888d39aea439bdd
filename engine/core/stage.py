"""The stages of a case, in order."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """One stage of a case, from the route to the card; the values are what `--until` accepts."""

    ROUTE = "route"
    AUDIT = "audit"
    SPLIT = "split"
    BASELINES = "baselines"
    METHOD = "method"
    TRAIN = "train"
    EVALUATE = "evaluate"
    CARD = "card"

    @property
    def position(self) -> int:
        """The position in the order of stages, from 0."""
        return list(Stage).index(self)
