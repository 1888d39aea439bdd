"""Whether the measurement agrees with the route that the answers led to, and which of the two to believe where it does not."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.arms.retrieval import Retrieval
from tuneproof.engine.case.route import Route
from tuneproof.engine.scoring.verdict import PairedDifference, ScoredArm, Verdict, VerdictAnswer, format_points, paired_difference


def agreement_with_route(route: Route, arms: Sequence[ScoredArm], verdict: Verdict) -> str | None:
    """One sentence or two; none where what the route recommends was not measured."""
    match route:
        case Route.RAG:
            return _retrieval(arms)
        case Route.FINE_TUNING:
            return _tuning(verdict)
        case _:
            return None


def _retrieval(arms: Sequence[ScoredArm]) -> str | None:
    """What retrieval came to against the best of the others."""
    retrieval = next((arm for arm in arms if arm.name == Retrieval.name), None)
    others = [arm for arm in arms if arm is not retrieval]
    if retrieval is None or not others:
        return None
    best = max(others, key=lambda arm: arm.scores.correct.rate)
    difference = paired_difference(retrieval, best)
    told = f"retrieval against {best.name}: {format_points(difference)}"
    if difference.low > 0:
        return f"The answers said `{Route.RAG}`, and the measurement agrees: {told}."
    if _is_open(difference):
        return (
            f"The answers said `{Route.RAG}`, and the measurement cannot tell: {told}. Believe the answers: facts that are looked up can be"
            " corrected, dated and cited."
        )
    return (
        f"The answers said `{Route.RAG}`, and the measurement says otherwise: {told}. Believe the measurement for cases like these, after a"
        " look at which passages were shown; for facts that change, the answers still hold."
    )


def _tuning(verdict: Verdict) -> str | None:
    difference = verdict.difference
    said = f"The answers said `{Route.FINE_TUNING}`"
    if verdict.lightest_arm is not None and verdict.answer is VerdictAnswer.DO_NOT_TUNE:
        return f"{said}, and the measurement says that less is enough: {verdict.lightest_arm} meets the target. Believe the measurement."
    if difference is None:
        return None
    if verdict.answer is VerdictAnswer.TUNE:
        return f"{said}, and the measurement agrees."
    if _is_open(difference):
        return f"{said}, and the measurement cannot tell. Until more cases do, keep to {verdict.best_untuned_arm}: it is there already."
    return f"{said}, and the measurement says otherwise: tuning made it worse. Believe the measurement."


def _is_open(difference: PairedDifference) -> bool:
    return difference.low <= 0 <= difference.high
