"""Whether the measurement agrees with the route, and which of the two to follow if it does not."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.arms.retrieval import Retrieval
from tuneproof.engine.case.route import Route
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.rule import TargetStatus, VerdictAnswer
from tuneproof.engine.scoring.verdict_schema import PairedDifference, Verdict
from tuneproof.engine.scoring.verdict_text import format_points, measured_value


def agreement_with_route(route: Route, measure: Measure | None, arms: Sequence[ScoredArm], verdict: Verdict) -> str | None:
    """One to three sentences, or None if what the route recommends was not measured."""
    match route:
        case Route.RAG:
            return _retrieval(measure, arms) if measure else None
        case Route.FINE_TUNING:
            return _tuning(verdict)
        case _:
            return None


def _retrieval(measure: Measure, arms: Sequence[ScoredArm]) -> str | None:
    """The retrieval arm against the best of the other arms."""
    retrieval = next((arm for arm in arms if arm.name == Retrieval.name), None)
    others = [arm for arm in arms if arm is not retrieval]
    if retrieval is None or not others:
        return None
    best = max(others, key=lambda arm: measured_value(measure, arm))
    difference = measure.difference(retrieval, best)
    result = f"retrieval against {best.name}: {format_points(difference)}"
    if difference.low > 0:
        return f"The measurement agrees with the route `{Route.RAG}`: {result}."
    if _includes_zero(difference):
        return (
            f"The measurement neither confirms nor contradicts the route `{Route.RAG}`: {result}. Follow the route: "
            "facts that are looked up can be corrected, dated and cited."
        )
    return (
        f"The measurement contradicts the route `{Route.RAG}`: {result}. Follow the measurement for cases like these, "
        "but first check which passages were retrieved. Facts that change still have to be looked up."
    )


def _tuning(verdict: Verdict) -> str | None:
    difference = verdict.difference
    route = f"the route `{Route.FINE_TUNING}`"
    if verdict.answer is VerdictAnswer.DO_NOT_TUNE and verdict.target is TargetStatus.SHOWN:
        return f"The measurement contradicts {route}: {verdict.lightest_arm} meets the target without training. Follow the measurement."
    if difference is None:
        return None
    if verdict.answer is VerdictAnswer.TUNE:
        return f"The measurement agrees with {route}."
    if verdict.answer is VerdictAnswer.INCONCLUSIVE:
        advice = f"Stay with {verdict.best_untuned_arm}, which needs no training, until more cases show a difference."
        return f"The measurement neither confirms nor contradicts {route}. {advice}"
    return f"The measurement contradicts {route}: {verdict.headline}. Follow the measurement."


def _includes_zero(difference: PairedDifference) -> bool:
    return difference.low <= 0 <= difference.high
