"""Every way to a better answer, from a prompt to alignment: when to use it, and whether a case calls for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tuneproof.engine.case.route import (
    ENOUGH_EXAMPLES,
    TRAINABLE,
    Route,
    RouteAnswers,
    choose_route,
    needs_facts,
    speaks_for_training,
)


class Approach(StrEnum):
    """One way to a better answer, lightest first."""

    PROMPT = "prompt"
    RETRIEVAL = "retrieval"
    TOOLS = "tools or a grammar"
    GUARD = "guard"
    FINE_TUNING = "fine-tuning"
    ALIGNMENT = "alignment"


class Place(StrEnum):
    """What an approach is for a case."""

    FIRST = "first"
    THEN = "then"
    """It follows if the first one is measured and is not enough."""
    ALSO = "also"
    """It is measured or used beside the first one."""
    LATER = "later"
    NO = "no"


@dataclass(frozen=True)
class Advice:
    """One approach, and what it is for this case."""

    approach: Approach
    place: Place
    use_when: str
    """When the approach is the right one, for any case."""
    why: str
    """Why it has this place for this case."""


USE_WHEN = {
    Approach.PROMPT: "the base can do the task once it is told how",
    Approach.RETRIEVAL: "an answer depends on facts that the base has not seen or that change",
    Approach.TOOLS: "something has to be looked up, computed or done, or only the format is wrong",
    Approach.GUARD: "some requests must be refused",
    Approach.FINE_TUNING: "a habit has to change (format, style, a narrow task), and many examples show it",
    Approach.ALIGNMENT: "answers are right, and people prefer others: pairs of answers show it",
}
"""When to use each approach."""

FIRST_ON = {
    Route.PROMPT: Approach.PROMPT,
    Route.RAG: Approach.RETRIEVAL,
    Route.TOOLING: Approach.TOOLS,
    Route.GUARD: Approach.GUARD,
    Route.FINE_TUNING: Approach.PROMPT,
    Route.ALIGNMENT: Approach.ALIGNMENT,
}
"""The approach that each route begins with: that to fine-tuning begins with a measured prompt."""


def advise(answers: RouteAnswers) -> list[Advice]:
    """Every approach with its place for these answers, lightest first. Which comes first is for the route to say."""
    reasons = {
        Approach.PROMPT: _prompt(answers),
        Approach.RETRIEVAL: _retrieval(answers),
        Approach.TOOLS: _tools(answers),
        Approach.GUARD: _guard(answers),
        Approach.FINE_TUNING: _fine_tuning(answers),
        Approach.ALIGNMENT: _alignment(answers),
    }
    first = FIRST_ON[choose_route(answers)]
    return [
        Advice(approach, Place.FIRST if approach is first else place, USE_WHEN[approach], why) for approach, (place, why) in reasons.items()
    ]


def _prompt(answers: RouteAnswers) -> tuple[Place, str]:
    if needs_facts(answers) and answers.fits_in_prompt:
        return Place.ALSO, "the facts fit into the prompt: put them there"
    if answers.prompt_falls_short:
        return Place.ALSO, "the best prompt falls short, and stays the baseline that everything else has to beat"
    return Place.ALSO, "it costs no training, and is the baseline that everything else has to beat"


def _retrieval(answers: RouteAnswers) -> tuple[Place, str]:
    if not needs_facts(answers):
        return Place.NO, "no answer needs facts that the base has not seen or that change"
    if answers.fits_in_prompt:
        return Place.LATER, "once the facts no longer fit into the prompt"
    named = ["that the base has not seen"] if answers.private_facts else []
    named += ["that change often"] if answers.facts_change_often else []
    return Place.ALSO, f"answers need facts {' and '.join(named)}: training would not teach them reliably, and they would go stale"


def _tools(answers: RouteAnswers) -> tuple[Place, str]:
    if answers.needs_actions:
        return Place.ALSO, "a tool or a grammar would fix all that is wrong, without training"
    if answers.format_drift:
        return Place.ALSO, "a grammar makes every complete answer valid without training; wrong values stay wrong"
    return Place.NO, "neither an action nor the format is the problem"


def _guard(answers: RouteAnswers) -> tuple[Place, str]:
    if answers.unsafe_requests:
        return Place.ALSO, "there are requests that it must refuse; a guard holds for the next model, too"
    return Place.NO, "there are no requests that it must refuse"


def _fine_tuning(answers: RouteAnswers) -> tuple[Place, str]:
    reasons, route = speaks_for_training(answers), choose_route(answers)
    if not reasons:
        return Place.NO, "nothing that training changes was named: no drifting format, style, falling short, or smaller model"
    lacking = [] if answers.stable_task else ["the task is not the same every time"]
    lacking += [] if answers.labeled_examples >= ENOUGH_EXAMPLES else [f"{answers.labeled_examples:,} of {ENOUGH_EXAMPLES} examples"]
    said = f"for it: {', '.join(reasons)}"
    if lacking:
        return Place.LATER, f"{said}; not yet: {' and '.join(lacking)}"
    if route is Route.FINE_TUNING:
        return Place.THEN, f"{said}; the task is stable, and there are {answers.labeled_examples:,} examples"
    if route is Route.TOOLING and reasons == [TRAINABLE["format_drift"]]:
        return Place.NO, "the format is all that is wrong, and a grammar enforces it"
    return Place.LATER, f"{said}; only if {FIRST_ON[route]} was measured and is not enough"


def _alignment(answers: RouteAnswers) -> tuple[Place, str]:
    if answers.preference_problem:
        return Place.ALSO, "answers are right and others are preferred: collect pairs of a better and a worse answer"
    if answers.unsafe_requests:
        return Place.LATER, "after the guard, on pairs of a refusal and an unsafe answer"
    return Place.NO, "what is wrong is not that people prefer other answers"
