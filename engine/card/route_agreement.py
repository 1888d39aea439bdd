"""Whether the measurement agrees with the route, and which of the two to follow if it does not."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.arms.retrieval import Retrieval
from tuneproof.engine.case.route import Route
from tuneproof.engine.scoring.verdict import PairedDifference, ScoredArm, Verdict, VerdictAnswer, format_points, paired_difference


def agreement_with_route(route: Route, arms: Sequence[ScoredArm], verdict: Verdict) -> str | None:
    """One to three sentences, or None if what the route recommends was not measured."""
    match route:
        case Route.RAG:
            return _retrieval(arms)
        case Route.FINE_TUNING:
            return _tuning(verdict)
        case _:
            return None


def _retrieval(arms: Sequence[ScoredArm]) -> str | None:
    """The retrieval arm against the best of the other arms."""
    retrieval = next((arm for arm in arms if arm.name == Retrieval.name), None)
    others = [arm for arm in arms if arm is not retrieval]
    if retrieval is None or not others:
        return None
    best = max(others, key=lambda arm: arm.scores.correct.rate)
    difference = paired_difference(retrieval, best)
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
    if verdict.lightest_arm is not None and verdict.answer is VerdictAnswer.DO_NOT_TUNE:
        return f"The measurement contradicts {route}: {verdict.lightest_arm} meets the target without training. Follow the measurement."
    if difference is None:
        return None
    if verdict.answer is VerdictAnswer.TUNE:
        return f"The measurement agrees with {route}."
    if _includes_zero(difference):
        advice = f"Stay with {verdict.best_untuned_arm}, which needs no training, until more cases show a difference."
        return f"The measurement neither confirms nor contradicts {route}. {advice}"
    return f"The measurement contradicts {route}: tuning made the answers worse. Follow the measurement."


def _includes_zero(difference: PairedDifference) -> bool:
    return difference.low <= 0 <= difference.high
