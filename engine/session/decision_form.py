"""The form of the decide step: the number of examples, typed digit by digit, and the route while that number is unknown."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.case.draft import Draft
from tuneproof.engine.case.route import ENOUGH_EXAMPLES, Route, choose_route

MAX_DIGITS = 9


def with_digit(number: int | None, digit: str) -> int:
    """The number with one more digit at its end."""
    return int(f"{'' if number is None else number}{digit}"[:MAX_DIGITS])


def without_last_digit(number: int | None) -> int | None:
    """The number without its last digit, None if no digit is left."""
    text = str(number or "")[:-1]
    return int(text) if text else None


@dataclass(frozen=True)
class RoutesByExamples:
    """The two routes between which the number of labelled examples decides."""

    fewer: Route
    enough: Route
    """From `ENOUGH_EXAMPLES` examples on."""


def routes_by_examples(draft: Draft) -> RoutesByExamples | None:
    """The routes for few and for enough examples, None if an answer that decides the route is missing."""
    fewer, enough = draft.route_answers(ENOUGH_EXAMPLES - 1), draft.route_answers(ENOUGH_EXAMPLES)
    return RoutesByExamples(choose_route(fewer), choose_route(enough)) if fewer and enough else None
