"""Rates and differences with intervals that hold for small eval sets; each formula names its source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

ASSUMED_DISCORDANCE = 0.2
"""Assumed share of cases on which two arms differ, before anything is measured."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence limits."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedCounts:
    """Number of cases that both arms answer correctly, only the first, only the second, or neither."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @classmethod
    def of(cls, first: list[bool], second: list[bool]) -> PairedCounts:
        """The counts of two arms on the same cases in the same order. Raises ValueError for unequal lengths."""
        pairs = list(zip(first, second, strict=True))
        return cls(
            pairs.count((True, True)),
            pairs.count((True, False)),
            pairs.count((False, True)),
            pairs.count((False, False)),
        )

    @property
    def n(self) -> int:
        """Number of cases."""
        return self.both + self.only_first + self.only_second + self.neither


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson score interval for a proportion (Wilson 1927; Brown, Cai and DasGupta 2001, section 3.1.1).

    Coverage stays near nominal down to n = 50, where that of the normal interval falls to 0.64 near 0 and 1. It assumes independent cases.
    Raises ValueError for n < 1 or successes outside 0..n.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a proportion")
    z = _z(confidence)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # At 0 and 1 the limit is exact; the subtraction would leave a rounding error.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Interval(p, low, high)


def mcnemar_exact(counts: PairedCounts) -> float:
    """Two-sided exact p-value of McNemar's test: the binomial test of the discordant cases against one half (McNemar 1947).

    Conservative for few discordant cases. 1 if there are none.
    """
    discordant = counts.only_first + counts.only_second
    if discordant == 0:
        return 1.0
    return min(1.0, 2 * _half_binomial(min(counts.only_first, counts.only_second), discordant))


def _half_binomial(most: int, n: int) -> float:
    """The probability of at most `most` heads in n tosses of a fair coin, computed from exact integers."""
    return sum(math.comb(n, k) for k in range(most + 1)) / (1 << n)


def minimum_detectable_effect(n: int, discordance: float = ASSUMED_DISCORDANCE, power: float = 0.8, confidence: float = 0.95) -> float:
    """The smallest difference between two arms on the same n cases that is detected with the given power.

    (z_alpha/2 + z_beta) * sqrt(discordance / n): McNemar's test in its normal approximation, with the variance under the null hypothesis
    (Miettinen 1968, Biometrics 24:339). Rough if few cases are discordant. At most 1. Raises ValueError for n < 1.
    """
    if n < 1:
        raise ValueError("no cases")
    return min(1.0, (_z(confidence) + NormalDist().inv_cdf(power)) * math.sqrt(discordance / n))


def cases_to_detect(difference: float, discordance: float, power: float = 0.8, confidence: float = 0.95) -> int | None:
    """The number of cases that detects a difference of this size with the given power: the inverse of `minimum_detectable_effect`.

    None for a difference of 0. Raises ValueError for a difference larger than the discordance, which is impossible.
    """
    if abs(difference) > discordance + 1e-12:
        raise ValueError("the difference of two arms cannot exceed the share of cases on which they disagree")
    if difference == 0:
        return None
    return math.ceil(discordance * ((_z(confidence) + NormalDist().inv_cdf(power)) / difference) ** 2)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values of several tests, adjusted to control the family-wise error rate (Holm 1979); holds for dependent tests too."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = largest
    return adjusted


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf(0.5 + confidence / 2)
