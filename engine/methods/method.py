"""What the catalogue says of a method: typed, with a source for every number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tuneproof.engine.scoring.statistics import Interval, wilson


class Ability(StrEnum):
    """What a method may be asked for beyond training and answering; not every one can."""

    MERGE = "merge"
    FOUR_BIT = "4-bit base"
    EIGHT_BIT = "8-bit base"
    PACKING = "packing"
    CHECKPOINTING = "gradient checkpointing"
    SHARDING = "sharding"


class Quantisation(StrEnum):
    """How the base is held while a method trains: 4-bit NormalFloat with double quantisation, or 8-bit integers."""

    NF4 = "nf4"
    INT8 = "int8"


@dataclass(frozen=True)
class Default:
    """A number that is taken where the case gives none, and where it comes from."""

    value: float | int
    source: str


@dataclass(frozen=True)
class PublishedResult:
    """A method in PEFT's comparison: per cent of GSM8K test questions right, most GPU memory, seconds, and megabytes of the result.

    `method_comparison/MetaMathQA` of PEFT: Llama-3.2-3B on an L40S, bfloat16, 5,000 steps of 4 rows. One seed.
    """

    setting: str
    per_cent: float
    peak_gib: float
    seconds: int
    megabytes: float

    @property
    def correct(self) -> Interval:
        """The rate with its 95 % Wilson interval."""
        return wilson(round(self.per_cent / 100 * GSM8K_QUESTIONS), GSM8K_QUESTIONS)

    @property
    def summary(self) -> str:
        """It all in one sentence, with what it can and cannot show."""
        rate = self.correct
        low, high = 100 * rate.low, 100 * rate.high
        return (
            f"{100 * rate.estimate:.1f} % [{low:.1f}, {high:.1f}] of {GSM8K_QUESTIONS:,} GSM8K questions in PEFT's comparison, one seed "
            f"({self.setting}): {self.peak_gib:g} GiB, {self.seconds:,} s, {self.megabytes:g} MB"
        )


GSM8K_QUESTIONS = 1319
"""The size of the GSM8K test set."""


@dataclass(frozen=True)
class MethodSpec:
    """One way to train: what it trains, what it is good for, what it cannot do and why, and its own defaults.

    `rank`, `alpha_by_rank` and `virtual_tokens` are none where the method has no such thing. `frozen` has parts of the names of tensors
    that are stored with what was trained although they were not trained themselves.
    """

    name: str
    trains: str
    good_for: str
    learning_rate: Default
    rank: Default | None = None
    alpha_by_rank: Default | None = None
    virtual_tokens: Default | None = None
    unsupported: Mapping[Ability, str] = field(default_factory=dict)
    quantisation: Quantisation | None = None
    published: PublishedResult | None = None
    trains_base_weights: bool = False
    frozen: tuple[str, ...] = ()

    def supports(self, ability: Ability) -> bool:
        """Whether the method can do this."""
        return ability not in self.unsupported
