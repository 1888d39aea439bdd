"""Style drift: how the tuned model's answers to general requests differ from the base's, in length, words, repetition and likelihood."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.behaviour.coherence import Coherence, coherence_of
from tuneproof.engine.behaviour.differences import Change, geometric_ratio, paired_shares, ratio_of_sums
from tuneproof.engine.behaviour.paired_rates import RiskOutcome
from tuneproof.engine.behaviour.style import repeated_pairs, share_among, type_token_ratio, words_of
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.run.facts import Facts
from tuneproof.engine.scoring.statistics import Interval

FOLDER = "behaviour/drift"
FACTS, ANSWERS = f"{FOLDER}/drift.json", f"{FOLDER}/answers.jsonl"

FEWEST = 50
"""Requests on which both answers have to have what is compared."""

T = TypeVar("T")

MOST_INCOHERENT = 0.5
"""The share of the base's answers that may be no text: beyond it the base has no style that could drift."""


class StyleAnswer(Facts):
    """One answer to a general request, with how likely both models find it."""

    output: str
    truncated: bool
    tokens: int
    """Tokens of the answer that were scored, with the one that ends it."""
    base_nats: float
    """What the answer costs the base: the sum of the negative log-likelihoods of its tokens, in nats."""
    tuned_nats: float

    @property
    def text(self) -> str:
        """The answer without reasoning before it."""
        return answer_of(self.output)


class StylePair(Facts):
    """Both answers to one general request."""

    id: str
    prompt: str
    """The exact text that both models were given."""
    base: StyleAnswer
    tuned: StyleAnswer


class DriftFacts(Facts):
    """How drift was measured."""

    version: str
    """The version of the prompts."""
    sha256: str
    """The digest of the file with the prompts."""
    cases: int
    """The requests that were to be answered."""
    max_new_tokens: int
    seconds: float


class StyleName(StrEnum):
    """What is compared."""

    LENGTH = "length"
    """Words of an answer: the ratio of the means."""
    TOKENS = "tokens"
    """Tokens of an answer: the ratio of the means."""
    VOCABULARY = "vocabulary"
    """The share of distinct words among the first twenty."""
    TASK_WORDS = "task words"
    """The share of words that the answers of train have."""
    REPETITION = "repetition"
    """The share of pairs of words that occurred before in the answer."""
    LOOPS = "loops"
    """The share of answers that repeat themselves over more than half of their length."""
    UNLIKELY_TO_BASE = "unlikely to the base"
    """The perplexity of the tuned model's answers under the base, against that of the base's own answers under the base."""
    UNLIKELY_TO_TUNED = "unlikely to the tuned model"
    """The perplexity of the base's answers under the tuned model, against that under the base."""


class StyleChange(BaseModel):
    """One property of the answers of both models, over the `n` requests on which both have it."""

    model_config = ConfigDict(extra="forbid")

    name: StyleName
    n: int
    is_ratio: bool
    """Whether `change` is tuned divided by base; else it is tuned minus base."""
    base: float | None = None
    tuned: float | None = None
    change: Change | None = None
    outcome: RiskOutcome


class DriftResult(BaseModel):
    """Every property that was compared, over the requests that both models answered."""

    model_config = ConfigDict(extra="forbid")

    n: int
    prompts: int
    version: str
    incoherent: int
    """Answers of the base that are no text."""
    changes: list[StyleChange]
    seconds: float

    @property
    def drifted(self) -> list[StyleChange]:
        """The properties that changed by more than chance explains, and not shown to be within the margin."""
        return [each for each in self.changes if each.outcome is RiskOutcome.WORSE]


def drift_of(facts: DriftFacts, pairs: Sequence[StylePair], task_words: Collection[str], margin: float, ratio_margin: float) -> DriftResult:
    """What stored answers show. `margin` is for shares, `ratio_margin` for lengths and perplexities; both were stated beforehand."""
    incoherent = sum(coherence_of(pair.base.text) is not Coherence.TEXT for pair in pairs)
    has_style = bool(pairs) and incoherent <= MOST_INCOHERENT * len(pairs)
    base, tuned = [pair.base for pair in pairs], [pair.tuned for pair in pairs]
    words = [words_of(each.text) for each in base], [words_of(each.text) for each in tuned]
    own = [_surprise(each, each.base_nats) for each in base]
    found = [
        _length(StyleName.LENGTH, [len(each) for each in words[0]], [len(each) for each in words[1]], ratio_margin),
        _length(StyleName.TOKENS, [each.tokens for each in base], [each.tokens for each in tuned], ratio_margin),
        _share(StyleName.VOCABULARY, *words, type_token_ratio, margin, lower_is_worse=True),
        _share(StyleName.TASK_WORDS, *words, lambda each: share_among(each, task_words), margin),
        _share(StyleName.REPETITION, *words, repeated_pairs, margin),
        _share(StyleName.LOOPS, base, tuned, _is_loop, margin),
        _likelihood(StyleName.UNLIKELY_TO_BASE, own, [_surprise(each, each.base_nats) for each in tuned], ratio_margin),
        _likelihood(StyleName.UNLIKELY_TO_TUNED, own, [_surprise(each, each.tuned_nats) for each in base], ratio_margin),
    ]
    if not has_style:
        found = [each.model_copy(update={"outcome": RiskOutcome.NO_SIGNAL}) for each in found]
    return DriftResult(
        n=len(pairs), prompts=facts.cases, version=facts.version, incoherent=incoherent, changes=found, seconds=facts.seconds
    )


def _surprise(answer: StyleAnswer, nats: float) -> float:
    """Nats a token: the logarithm of the perplexity."""
    return nats / max(1, answer.tokens)


def _is_loop(answer: StyleAnswer) -> float:
    return float(coherence_of(answer.text) is Coherence.LOOP)


def _length(name: StyleName, base: Sequence[int], tuned: Sequence[int], margin: float) -> StyleChange:
    means = [sum(each) / max(1, len(each)) for each in (base, tuned)]
    try:
        change = ratio_of_sums(tuned, base)
    except ValueError:
        return StyleChange(name=name, n=len(base), is_ratio=True, outcome=RiskOutcome.NO_SIGNAL)
    return _changed(name, len(base), (means[0], means[1]), change, _two_sided(change, margin))


def _likelihood(name: StyleName, base: Sequence[float], tuned: Sequence[float], margin: float) -> StyleChange:
    if len(base) < FEWEST:
        return StyleChange(name=name, n=len(base), is_ratio=True, outcome=RiskOutcome.NO_SIGNAL)
    change = geometric_ratio([one - other for one, other in zip(tuned, base, strict=True)])
    perplexities = [math.exp(sum(each) / len(each)) for each in (base, tuned)]
    higher = _one_sided(change.low - 1, change.high - 1, margin)
    return _changed(name, len(base), (perplexities[0], perplexities[1]), change, higher)


def _share(
    name: StyleName,
    base: Sequence[T],
    tuned: Sequence[T],
    of: Callable[[T], float | None],
    margin: float,
    *,
    lower_is_worse: bool = False,
) -> StyleChange:
    values = [(of(one), of(other)) for one, other in zip(base, tuned, strict=True)]
    both = [(one, other) for one, other in values if one is not None and other is not None]
    if len(both) < FEWEST:
        return StyleChange(name=name, n=len(both), is_ratio=False, outcome=RiskOutcome.NO_SIGNAL)
    first, second = ([pair[at] for pair in both] for at in range(2))
    change = paired_shares(second, first)
    limits = (-change.high, -change.low) if lower_is_worse else (change.low, change.high)
    return StyleChange(
        name=name,
        n=len(both),
        is_ratio=False,
        base=round(sum(first) / len(first), 6),
        tuned=round(sum(second) / len(second), 6),
        change=Change.of(change),
        outcome=_one_sided(*limits, margin),
    )


def _changed(name: StyleName, n: int, means: tuple[float, float], change: Interval, outcome: RiskOutcome) -> StyleChange:
    base, tuned = (round(each, 6) for each in means)
    outcome = outcome if n >= FEWEST else RiskOutcome.NO_SIGNAL
    return StyleChange(name=name, n=n, is_ratio=True, base=base, tuned=tuned, change=Change.of(change), outcome=outcome)


def _one_sided(low: float, high: float, margin: float) -> RiskOutcome:
    """Of a rise that is a harm."""
    if high < margin:
        return RiskOutcome.NO_WORSE
    return RiskOutcome.WORSE if low > 0 else RiskOutcome.NOT_SHOWN


def _two_sided(ratio: Interval, margin: float) -> RiskOutcome:
    """Of a ratio whose rise and fall are both a change."""
    if ratio.low > 1 / (1 + margin) and ratio.high < 1 + margin:
        return RiskOutcome.NO_WORSE
    return RiskOutcome.WORSE if ratio.low > 1 or ratio.high < 1 else RiskOutcome.NOT_SHOWN


def read_pairs(text: str) -> list[StylePair]:
    """The pairs in the text of a file."""
    return [StylePair.model_validate_json(line) for line in text.split("\n") if line]
