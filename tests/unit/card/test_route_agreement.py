"""The card says whether the measurement agrees with the route, and which of the two to follow if it does not."""

from __future__ import annotations

import pytest

from tests.unit.scoring.test_verdict import TASK, arm, first, grader_of
from tuneproof.engine.card.route_agreement import agreement_with_route
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.route import Route
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.verdict import ArmsInCase, decide_verdict

ARMS = {"zero_shot": 10, "retrieval": 55, "tuned": 12}


def agreement(route: Route, target: float | None = None, **right: int) -> str | None:
    arms = {name: arm(name, first(count)) for name, count in right.items()}
    untuned: list[ScoredArm] = [each for name, each in arms.items() if name != "tuned"]
    measure = Measure(TASK, None if target is None else Target(at_least=target), grader_of(TASK))
    verdict = decide_verdict(measure, ArmsInCase(untuned, arms.get("tuned")), [])
    return agreement_with_route(route, measure, list(arms.values()), verdict)


@pytest.mark.parametrize(
    ("right", "message"),
    [
        ({"zero_shot": 10, "retrieval": 55, "tuned": 12}, "agrees with the route `RAG first`: retrieval against tuned: +72 points"),
        (
            {"zero_shot": 10, "retrieval": 40, "tuned": 42},
            "neither confirms nor contradicts the route `RAG first`: retrieval against tuned: -3 points",
        ),
        ({"zero_shot": 10, "retrieval": 20, "tuned": 58}, "contradicts the route `RAG first`: retrieval against tuned: -63 points"),
    ],
)
def test_retrieval_is_compared_with_the_best_other_arm(right: dict[str, int], message: str) -> None:
    assert message in (agreement(Route.RAG, **right) or "")


def test_if_the_measurement_does_not_agree_the_text_says_which_to_follow() -> None:
    assert "Follow the measurement" in (agreement(Route.RAG, zero_shot=10, retrieval=20, tuned=58) or "")
    assert "Follow the route" in (agreement(Route.RAG, zero_shot=10, retrieval=40, tuned=42) or "")
    assert "constrained meets the target without training. Follow the measurement" in (
        agreement(Route.FINE_TUNING, 0.9, zero_shot=10, constrained=60) or ""
    )
    assert "tuning made it worse" in (agreement(Route.FINE_TUNING, zero_shot=50, tuned=10) or "")
    assert agreement(Route.FINE_TUNING, zero_shot=10, tuned=50) == "The measurement agrees with the route `fine-tuning candidate`."


def test_without_a_measurement_there_is_no_agreement() -> None:
    assert agreement(Route.RAG, zero_shot=10, tuned=50) is None
    assert agreement(Route.FINE_TUNING, zero_shot=10) is None
    assert agreement(Route.PROMPT, zero_shot=10, tuned=50) is None
