"""How many rows the eval set gets: the choices that the task step offers before the freeze, and what each detects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.run.artifacts import DataFacts
from tuneproof.engine.run.events import SplitFrozen
from tuneproof.engine.scoring.power import LOW_POWER
from tuneproof.engine.scoring.statistics import minimum_detectable_effect
from tuneproof.engine.session.data_form import eval_by_name
from tuneproof.engine.session.task_form import Sections, split_of, with_split

LARGER_BY = (0.1, 0.2, 0.3)
"""Shares of all rows that are moved from train into eval."""

SMALLEST_TRAIN_SHARE = 0.3


@dataclass(frozen=True)
class EvalSize:
    """A larger eval set, with about how many rows each part gets."""

    train_share: float
    eval_share: float
    train: int
    eval: int

    @property
    def effect(self) -> float:
        """The smallest difference that so many cases detect."""
        return minimum_detectable_effect(self.eval)

    def sections(self, content: DraftCase) -> Sections:
        """The sections of the draft with this eval set; validation keeps its share."""
        return with_split(content, train=self.train_share, eval=self.eval_share)


def is_small(frozen: SplitFrozen) -> bool:
    """Whether the eval set detects only large differences."""
    return frozen.minimum_detectable_effect > LOW_POWER


def larger_eval_sets(content: DraftCase, split: SplitFrozen, found: DataFacts | None) -> list[EvalSize]:
    """Larger eval sets than the one of the split; none if eval is not cut from the examples, or if too little would be left to train on."""
    is_cut = content.data is not None and content.data.eval is None and not eval_by_name(found)
    return list(_larger(content, split)) if is_cut else []


def _larger(content: DraftCase, split: SplitFrozen) -> Iterator[EvalSize]:
    shares, rows = split_of(content), split.train + split.validation + split.eval
    for more in LARGER_BY:
        train, scored = round(shares.train - more, 4), round(shares.eval + more, 4)
        if train >= SMALLEST_TRAIN_SHARE:
            yield EvalSize(train, scored, round(split.train - more * rows), round(split.eval + more * rows))
