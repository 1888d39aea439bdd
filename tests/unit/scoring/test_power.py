"""What an eval set is said to detect is what it detects, under the assumption that is stated beside it."""

from __future__ import annotations

import random

import pytest

from tuneproof.engine.scoring.power import NeededCases, detects, needed_cases, needed_cases_text
from tuneproof.engine.scoring.statistics import PairedCounts, mcnemar_exact, minimum_detectable_effect


def shown(cases: int, difference: float, discordance: float, draw: random.Random) -> bool:
    """Whether McNemar's exact test shows the difference in one eval set drawn at random."""
    better = worse = 0
    for _ in range(cases):
        at = draw.random()
        better += at < (discordance + difference) / 2
        worse += (discordance + difference) / 2 <= at < discordance
    return mcnemar_exact(PairedCounts(0, better, worse, cases - better - worse)) < 0.05


@pytest.mark.parametrize("row", list(needed_cases())[:2], ids=lambda row: f"{row.difference:g}")
@pytest.mark.parametrize("discordance", [0.2, 0.4])
def test_four_of_five_eval_sets_of_the_stated_size_show_the_difference(row: NeededCases, discordance: float) -> None:
    draw = random.Random(1)
    cases = row.at_assumed if discordance == 0.2 else row.at_high
    share = sum(shown(cases, row.difference, discordance, draw) for _ in range(400)) / 400
    assert 0.72 < share < 0.88


def test_the_table_gives_the_cases_that_5_10_and_20_points_take() -> None:
    assert needed_cases_text() == "A true difference of 5, 10 or 20 points takes about 628, 157 and 40 cases to show."


def test_a_number_of_points_is_never_said_without_its_assumptions() -> None:
    said = detects(80, minimum_detectable_effect(80))
    assert said == "80 cases show a true difference of 14 points between two arms four times in five, if they disagree on 20 % of the cases"
