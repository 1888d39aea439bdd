"""How often the rule of the verdict is wrong, over simulated arms whose truth is known: `python -m tests.bench.verdict`.

Prints a line a cell as it goes, about 8 minutes for 2,000 repetitions a cell on one core. The simulation goes through the functions that
make the verdict of a card (`tuneproof.engine.scoring.rule`), from the scores of the cases on. A rate within two standard errors of its
bound is marked `~`, one beyond it `!`.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betaincinv
from scipy.stats import norm

from tuneproof.engine.case.task import Metric
from tuneproof.engine.scoring.grade import Labels
from tuneproof.engine.scoring.metric_sums import MetricSums, sums_of_labels, sums_of_scores
from tuneproof.engine.scoring.rule import MeasuredArm, TargetStatus, VerdictAnswer, compare

MIN_GAIN = 0.02
FIELDS = 5
LABELS = 5
MEAN_LABELS = 2
"""Labels of a case, where it has several: one, two or three."""

SPREAD = 1.5
"""The two parameters of the beta distribution of scores, added up: below 2 most scores are near 0 or 1."""

CLUSTER_SHARE = 0.3
"""Share of the variance of a case's difficulty that its cluster has in common."""

TIES, TIE_WIDTH = 0.2, 0.5
"""Share of ties against the reference; standard deviations within which a judge calls two answers equal, 38 % of pairs."""

WRONG_AT_MOST = 0.025
COVERED_AT_LEAST = 0.94


@dataclass(frozen=True)
class Cell:
    """One setting: the untuned arms are truly at `base`, the tuned one at `base + gain`."""

    metric: Metric
    cases: int
    arms: int
    correlation: float
    cluster_size: int
    gain: float
    base: float
    missing: float = 0.0
    several: bool = False
    """Whether a case has several labels."""

    @property
    def title(self) -> str:
        """The metric, and what it is computed from where that is not plain."""
        return f"{self.metric}, several labels" if self.several else str(self.metric)

    def __str__(self) -> str:
        return (
            f"{self.title:<24} {self.cases:>5} {self.arms:>4} {self.correlation:>5} {self.cluster_size:>7} "
            f"{self.missing:>7} {self.base:>5} {self.gain:>5}"
        )


@dataclass(frozen=True)
class Rates:
    """How often, of all repetitions, the rule said what."""

    tune: float
    do_not_tune: float
    covered: float
    shown: float

    def marks(self, cell: Cell, repetitions: int) -> str:
        """What lies beyond its bound."""
        found = []
        if cell.gain == 0:
            found.append(("tune", self.tune - WRONG_AT_MOST))
        if cell.gain >= 0.05:
            found.append(("do not tune", self.do_not_tune - WRONG_AT_MOST))
        found.append(("shown", self.shown - WRONG_AT_MOST))
        found.append(("covered", COVERED_AT_LEAST - self.covered))
        error = 2 * math.sqrt(WRONG_AT_MOST * (1 - WRONG_AT_MOST) / repetitions)
        return " ".join(f"{'!' if beyond > error else '~'} {name}" for name, beyond in found if beyond > 0)


def cells() -> Iterator[Cell]:
    """The settings of the table: each size with each metric and structure of the cases, with and without a gain."""
    structures = [(1, 0.3, 1, 0.0), (6, 0.8, 1, 0.0), (1, 0.5, 5, 0.0), (3, 0.5, 20, 0.0), (2, 0.5, 1, 0.08)]
    truths = [(0.0, 0.5), (0.0, 0.87), (0.05, 0.6), (0.05, 0.9)]
    metrics = [Metric.EXACT_MATCH, Metric.FIELD_ACCURACY, Metric.MACRO_F1, Metric.PREFERENCE]
    for metric, cases, structure, truth in itertools.product(metrics, [10, 40, 80, 300, 1000, 5000], structures, truths):
        if cases == 5000 and (metric is not Metric.EXACT_MATCH or structure[0] > 1):
            continue
        arms, correlation, size, missing = structure
        yield Cell(metric, cases, arms, correlation, size, *truth, missing=missing)
    of_open_answers = [(Metric.CHRF, False), (Metric.MICRO_F1, True), (Metric.MACRO_F1, True)]
    for (metric, several), cases, structure, truth in itertools.product(of_open_answers, [10, 40, 80, 300, 1000], structures, truths):
        arms, correlation, size, missing = structure
        yield Cell(metric, cases, arms, correlation, size, *truth, missing=missing, several=several)


def simulate(cell: Cell, repetitions: int, seed: int = 0) -> Rates:
    """The rates of one cell."""
    random = np.random.default_rng(seed)
    clusters = None if cell.cluster_size == 1 else np.arange(cell.cases, dtype=np.intp) // cell.cluster_size
    tune = dont = covered = shown = 0
    for _ in range(repetitions):
        tuned, *untuned = _arms(cell, clusters, random)
        finding = compare(tuned, untuned, MIN_GAIN)
        if finding is None:
            covered += 1
            continue
        tune += finding.answer is VerdictAnswer.TUNE
        dont += finding.answer is VerdictAnswer.DO_NOT_TUNE
        covered += finding.difference.low <= cell.gain + 1e-9 and cell.gain - 1e-9 <= finding.difference.high
        # A target just above what the arms truly are: to call it met is wrong.
        shown += any(arm.status(cell.base + 1e-9, cell.arms) is TargetStatus.SHOWN for arm in untuned)
    return Rates(tune / repetitions, dont / repetitions, covered / repetitions, shown / repetitions)


def _arms(cell: Cell, clusters: NDArray[np.intp] | None, random: np.random.Generator) -> list[MeasuredArm]:
    values = [cell.base + cell.gain] + [cell.base] * cell.arms
    outcomes: dict[str, tuple[NDArray[np.float64], ...]] = {}
    if cell.metric is Metric.PREFERENCE:
        ease = _ease(cell, len(values), clusters, random)
        sums = [_against_reference(row, value) for row, value in zip(ease, values, strict=True)]
        outcomes = {f"arm {number}": (_side_by_side(cell, ease[0], ease[number]),) for number in range(1, len(values))}
    else:
        sums = _sums(cell, values, clusters, random)
    found = []
    for number, each in enumerate(sums):
        answered = np.ones(cell.cases, bool) if number == 0 else random.random(cell.cases) >= cell.missing
        found.append(MeasuredArm(f"arm {number}", (each,), answered, clusters, outcomes if number == 0 else {}))
    return found


def _against_reference(ease: NDArray[np.float64], value: float) -> MetricSums:
    """Wins, ties and losses against the reference, worth `value` on average."""
    ties = min(TIES, 2 * (1 - value), 2 * value)
    won, not_lost = ease < norm.ppf(value - ties / 2), ease < norm.ppf(min(1.0, value + ties / 2))
    return sums_of_scores((won.astype(float) + not_lost) / 2)


def _side_by_side(cell: Cell, tuned: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """A judge's verdicts: 1, 0 or -1 a case, the rate of wins minus that of losses being truly `gain`."""
    ahead = (other - tuned) / math.sqrt(2 * (1 - cell.correlation)) + _lead(cell.gain)
    verdicts: NDArray[np.float64] = (ahead > TIE_WIDTH).astype(float) - (ahead < -TIE_WIDTH)
    return verdicts


@cache
def _lead(gain: float) -> float:
    """By how many standard deviations one answer is better than the other for this rate of wins minus that of losses."""
    return float(brentq(lambda lead: norm.cdf(lead - TIE_WIDTH) - norm.cdf(-lead - TIE_WIDTH) - gain, 0.0, 5.0))


def _sums(cell: Cell, values: Sequence[float], clusters: NDArray[np.intp] | None, random: np.random.Generator) -> list[MetricSums]:
    if cell.metric is Metric.EXACT_MATCH:
        ease = _ease(cell, len(values), clusters, random)
        return [sums_of_scores(row < norm.ppf(value)) for row, value in zip(ease, values, strict=True)]
    if cell.metric is Metric.FIELD_ACCURACY:
        shared = _ease(cell, len(values), clusters, random)
        own = random.standard_normal((FIELDS, *shared.shape))
        right = math.sqrt(0.6) * shared + math.sqrt(0.4) * own < norm.ppf(values)[:, None]
        return [sums_of_scores(scores) for scores in right.mean(0)]
    if cell.metric is Metric.CHRF:
        return _scores(cell, values, clusters, random)
    if cell.several:
        return _several_labels(cell, values, clusters, random)
    ease = _ease(cell, len(values), clusters, random)
    expected = random.integers(LABELS, size=cell.cases)
    names = [str(label) for label in range(LABELS)]
    found = []
    for row, value in zip(ease, values, strict=True):
        guessed = random.integers(LABELS, size=cell.cases)
        answers = np.where(row < norm.ppf(_accuracy_for(value)), expected, guessed)
        pairs = [Labels((names[wanted],), (names[got],)) for wanted, got in zip(expected, answers, strict=True)]
        found.append(sums_of_labels(pairs, names))
    return found


def _scores(cell: Cell, values: Sequence[float], clusters: NDArray[np.intp] | None, random: np.random.Generator) -> list[MetricSums]:
    """Scores between 0 and 1 of a beta distribution with these means, most of them near 0 and 1, as those of free texts are."""
    ease = _ease(cell, len(values), clusters, random)
    quantiles = norm.sf(ease)
    return [sums_of_scores(betaincinv(SPREAD * value, SPREAD * (1 - value), row)) for row, value in zip(quantiles, values, strict=True)]


def _several_labels(
    cell: Cell, values: Sequence[float], clusters: NDArray[np.intp] | None, random: np.random.Generator
) -> list[MetricSums]:
    """Cases with one to three of equally common labels, as many of which are answered as expected on average.

    A label that a case has is answered as often as the value says, and one that it has not so often that expected and answered labels are
    equally many. Then micro- and macro-F1 are the value.
    """
    shared = _ease(cell, len(values), clusters, random)
    count = random.integers(1, 4, size=cell.cases)
    expected = random.random((cell.cases, LABELS)).argsort(1).argsort(1) < count[:, None]
    found = []
    for row, value in zip(shared, values, strict=True):
        own = random.standard_normal((cell.cases, LABELS))
        ease = math.sqrt(0.6) * row[:, None] + math.sqrt(0.4) * own
        by_mistake = (1 - value) * MEAN_LABELS / (LABELS - MEAN_LABELS)
        answered = np.where(expected, ease < norm.ppf(value), ease > norm.ppf(1 - by_mistake))
        right = expected & answered
        if cell.metric is Metric.MICRO_F1:
            found.append(MetricSums(np.column_stack([2.0 * right.sum(1), expected.sum(1) + answered.sum(1)])))
        else:
            found.append(MetricSums(np.hstack([expected, answered, right]).astype(float), labels=LABELS))
    return found


def _ease(cell: Cell, arms: int, clusters: NDArray[np.intp] | None, random: np.random.Generator) -> NDArray[np.float64]:
    """A standard normal for each arm and case, shape (arms, cases): a case is right where it lies below a threshold."""

    def correlated(count: int) -> NDArray[np.float64]:
        shared, own = random.standard_normal(count), random.standard_normal((arms, count))
        mixed: NDArray[np.float64] = math.sqrt(cell.correlation) * shared + math.sqrt(1 - cell.correlation) * own
        return mixed

    by_case = correlated(cell.cases)
    if clusters is None:
        return by_case
    by_cluster = correlated(int(clusters.max()) + 1)
    found: NDArray[np.float64] = math.sqrt(CLUSTER_SHARE) * by_cluster[:, clusters] + math.sqrt(1 - CLUSTER_SHARE) * by_case
    return found


@cache
def _accuracy_for(macro_f1: float) -> float:
    """How often a case is known, the label else being guessed, for this macro-F1 over labels that are equally common."""
    # With equally common labels macro-F1 is the accuracy.
    return (macro_f1 - 1 / LABELS) / (1 - 1 / LABELS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--metric", type=Metric, choices=list(Metric), help="only this metric")
    parser.add_argument("--several", action="store_true", help="only cases with several labels")
    parser.add_argument("--cases", type=int, help="only this many cases")
    arguments = parser.parse_args()
    chosen = [
        cell
        for cell in cells()
        if arguments.metric in (None, cell.metric) and arguments.cases in (None, cell.cases) and (cell.several or not arguments.several)
    ]
    print(f"{len(chosen)} cells, {arguments.repetitions} repetitions each")
    print("metric                   cases arms  corr cluster missing  base  gain |   tune  do not covered   shown | seconds")
    began = time.monotonic()
    worst = {"tune": 0.0, "do not tune": 0.0, "covered": 1.0, "shown": 0.0}
    for number, cell in enumerate(chosen):
        started = time.monotonic()
        rates = simulate(cell, arguments.repetitions, seed=number)
        marks = rates.marks(cell, arguments.repetitions)
        numbers = " ".join(f"{rate:7.4f}" for rate in (rates.tune, rates.do_not_tune, rates.covered, rates.shown))
        print(f"{cell} | {numbers} | {time.monotonic() - started:.0f} {marks}", flush=True)
        if cell.gain == 0:
            worst["tune"] = max(worst["tune"], rates.tune)
        else:
            worst["do not tune"] = max(worst["do not tune"], rates.do_not_tune)
        worst["covered"] = min(worst["covered"], rates.covered)
        worst["shown"] = max(worst["shown"], rates.shown)
    print("worst:", ", ".join(f"{name} {rate:.4f}" for name, rate in worst.items()), f"in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
