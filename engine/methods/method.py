"""What the registry says about a training method: its settings, its limits, and a source for every number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tuneproof.engine.scoring.statistics import Interval, wilson

GSM8K_QUESTIONS = 1319
"""Size of the GSM8K test set, which PEFT's method comparison scores on."""


class MethodName(StrEnum):
    """The training methods, as case files and run folders spell them."""

    LORA = "lora"
    FULL = "full"
    QLORA = "qlora"
    INT8_LORA = "int8_lora"
    RSLORA = "rslora"
    DORA = "dora"
    PISSA = "pissa"
    MISS = "miss"
    OFT = "oft"
    SHIRA = "shira"
    IA3 = "ia3"
    VERA = "vera"
    LN_TUNING = "ln_tuning"
    PREFIX_TUNING = "prefix_tuning"
    PROMPT_TUNING = "prompt_tuning"


class Ability(StrEnum):
    """What a method may support beyond training and generating."""

    MERGE = "merge"
    FOUR_BIT = "4-bit base"
    EIGHT_BIT = "8-bit base"
    PACKING = "packing"
    CHECKPOINTING = "gradient checkpointing"
    SHARDING = "sharding"


class Quantisation(StrEnum):
    """The format of the base's weights during training: 4-bit NormalFloat with double quantisation, or 8-bit integers."""

    NF4 = "nf4"
    INT8 = "int8"


@dataclass(frozen=True)
class Default:
    """The value of a setting that the case does not give, and where the value comes from."""

    value: float | int
    source: str


@dataclass(frozen=True)
class PublishedResult:
    """The result of a method in PEFT's `method_comparison/MetaMathQA`.

    Llama-3.2-3B on an L40S, bfloat16, 5,000 steps of 4 rows, one seed.
    """

    setting: str
    percent: float
    """Share of the GSM8K test questions that are answered correctly, in per cent."""
    peak_gib: float
    """Peak GPU memory, in GiB."""
    seconds: int
    """Training time."""
    megabytes: float
    """Size of the stored adapter or model, in MB."""

    @property
    def accuracy(self) -> Interval:
        """The share of correct answers with its 95 % Wilson interval."""
        return wilson(round(self.percent / 100 * GSM8K_QUESTIONS), GSM8K_QUESTIONS)

    @property
    def summary(self) -> str:
        """The result in one sentence, with its interval and its limits."""
        rate = self.accuracy
        low, high = 100 * rate.low, 100 * rate.high
        return (
            f"{100 * rate.estimate:.1f} % [{low:.1f}, {high:.1f}] of {GSM8K_QUESTIONS:,} school maths questions (GSM8K) in PEFT's "
            f"comparison, one seed ({self.setting}): {self.peak_gib:g} GiB, {self.seconds:,} s, {self.megabytes:g} MB"
        )


@dataclass(frozen=True)
class MethodSpec:
    """One training method: what it trains, what it is good for, what it does not support and why, and its defaults."""

    name: MethodName
    trains: str
    """What the method trains, in a few words for the list of methods."""
    good_for: str
    """When to use the method and what it costs."""
    learning_rate: Default
    peft_class: str | None = None
    """The PEFT configuration class; None for full fine-tuning, which trains the base itself."""
    paper: str | None = None
    """Where the method is published."""
    rank: Default | None = None
    """None if the method has no rank."""
    alpha_by_rank: Default | None = None
    """The default of alpha as a multiple of the rank; None if the method has no alpha."""
    virtual_tokens: Default | None = None
    """None if the method has no virtual tokens."""
    unsupported: Mapping[Ability, str] = field(default_factory=dict)
    """The abilities that the method lacks, each with the reason."""
    quantisation: Quantisation | None = None
    """None if the base keeps its own precision."""
    published: PublishedResult | None = None
    trains_base_weights: bool = False
    """Whether the method trains weights of the base, which then are float32 during training."""
    frozen: tuple[str, ...] = ()
    """Substrings of the names of tensors that are stored with the adapter but not trained."""

    def supports(self, ability: Ability) -> bool:
        """Whether the method supports the ability."""
        return ability not in self.unsupported
