"""The card says whether the measurement agrees with the route, and which to believe where it does not."""

from __future__ import annotations

import pytest

from tests.unit.scoring.test_verdict import TASK, arm, first
from tuneproof.engine.card.route_agreement import agreement_with_route
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.route import Route
from tuneproof.engine.scoring.verdict import ScoredArm, decide_verdict

ARMS = {"zero_shot": 10, "retrieval": 55, "tuned": 12}


def said(route: Route, target: float | None = None, **right: int) -> str | None:
    arms = {name: arm(name, first(count)) for name, count in right.items()}
    untuned: list[ScoredArm] = [each for name, each in arms.items() if name != "tuned"]
    verdict = decide_verdict(untuned, arms.get("tuned"), TASK, None if target is None else Target(at_least=target), [])
    return agreement_with_route(route, list(arms.values()), verdict)


@pytest.mark.parametrize(
    ("right", "told"),
    [
        ({"zero_shot": 10, "retrieval": 55, "tuned": 12}, "the measurement agrees: retrieval against tuned: +72 points"),
        ({"zero_shot": 10, "retrieval": 40, "tuned": 42}, "the measurement cannot tell: retrieval against tuned: -3 points"),
        ({"zero_shot": 10, "retrieval": 20, "tuned": 58}, "the measurement says otherwise: retrieval against tuned: -63 points"),
    ],
)
def test_retrieval_is_held_against_the_best_of_the_others(right: dict[str, int], told: str) -> None:
    assert told in (said(Route.RAG, **right) or "")


def test_where_the_measurement_is_against_the_route_it_says_which_to_believe() -> None:
    assert "Believe the measurement" in (said(Route.RAG, zero_shot=10, retrieval=20, tuned=58) or "")
    assert "Believe the answers" in (said(Route.RAG, zero_shot=10, retrieval=40, tuned=42) or "")
    assert "constrained meets the target. Believe the measurement" in (said(Route.FINE_TUNING, 0.9, zero_shot=10, constrained=60) or "")
    assert "tuning made it worse" in (said(Route.FINE_TUNING, zero_shot=50, tuned=10) or "")
    assert said(Route.FINE_TUNING, zero_shot=10, tuned=50) == "The answers said `fine-tuning candidate`, and the measurement agrees."


def test_what_was_not_measured_agrees_with_nothing() -> None:
    assert said(Route.RAG, zero_shot=10, tuned=50) is None
    assert said(Route.FINE_TUNING, zero_shot=10) is None
    assert said(Route.PROMPT, zero_shot=10, tuned=50) is None
