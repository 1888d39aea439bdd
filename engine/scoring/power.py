"""What an eval set can show: the differences that so many cases detect, and the cases that a difference takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tuneproof.engine.scoring.statistics import ASSUMED_DISCORDANCE, cases_to_detect

HIGH_DISCORDANCE = 0.4
"""Two arms that work differently, such as a prompt and a tuned model, often disagree on this share of the cases."""

DIFFERENCES = (0.05, 0.10, 0.20)
"""The differences that the table is drawn for, as shares of right cases."""

LOW_POWER = 0.10
"""An eval set that only detects a difference larger than this is called small."""


@dataclass(frozen=True)
class NeededCases:
    """How many cases show a difference four times in five, if two arms disagree on 20 % or on 40 % of the cases."""

    difference: float
    at_assumed: int
    at_high: int


def needed_cases() -> Iterator[NeededCases]:
    """One row for each difference of the table."""
    for difference in DIFFERENCES:
        counts = [cases_to_detect(difference, discordance) for discordance in (ASSUMED_DISCORDANCE, HIGH_DISCORDANCE)]
        assert counts[0] is not None and counts[1] is not None, "no difference of the table is zero"
        yield NeededCases(difference, counts[0], counts[1])


def detects(cases: int, effect: float) -> str:
    """What so many cases show, with the assumptions that this number rests on."""
    return f"{cases:,} cases show a true difference of {100 * effect:.0f} points between two arms four times in five, {ASSUMPTION}"


ASSUMPTION = f"if they disagree on {100 * ASSUMED_DISCORDANCE:.0f} % of the cases"
"""What `minimum_detectable_effect` assumes before any arm has run."""


def needed_cases_text() -> str:
    """The table in a sentence."""
    rows = list(needed_cases())
    points = _listed([f"{100 * row.difference:.0f}" for row in rows], "or")
    assumed = _listed([f"{row.at_assumed:,}" for row in rows], "and")
    return f"A true difference of {points} points takes about {assumed} cases to show."


def _listed(words: list[str], last: str) -> str:
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
