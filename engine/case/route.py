"""The route: what to try first for the described problem, and which single answer would change that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

ENOUGH_EXAMPLES = 50
"""Labelled examples from which fine-tuning is worth trying: OpenAI's fine-tuning guide recommends starting with 50 good ones."""

MINIMUM_BEFORE_TRAINING = ["prompt baseline", "validation set", "failure log"]
"""What to have before training, whatever the route."""


class Route(StrEnum):
    """The recommended next step."""

    RAG = "RAG first"
    FINE_TUNING = "fine-tuning candidate"
    PROMPT = "prompt baseline first"
    TOOLING = "tooling first"
    ALIGNMENT = "alignment first"


@dataclass(frozen=True)
class RouteAnswers:
    """The seven answers that decide the route; the last three are optional, and as False they change nothing."""

    private_facts: bool
    format_drift: bool
    stable_task: bool
    labeled_examples: int
    needs_actions: bool = False
    preference_problem: bool = False
    facts_change_often: bool = False


@dataclass(frozen=True)
class Question:
    """One question to the user."""

    key: str
    """The field of `RouteAnswers`, which is also the key in the case file."""
    topic: str
    """A word or two, for a table."""
    short: str
    """A label for a form."""
    text: str
    """The whole question."""
    why: str
    """Why the answer matters."""


QUESTIONS = [
    Question(
        "private_facts",
        "private facts",
        "Private facts needed?",
        "Does the model need private facts it has never seen?",
        "Training teaches habits. Facts are better looked up, because then they can be corrected, dated and cited.",
    ),
    Question(
        "format_drift",
        "format drift",
        "Does the output format drift?",
        "Does the output format drift?",
        "The same request comes back as JSON once and as prose the next time. That is a habit, and training changes habits.",
    ),
    Question(
        "stable_task",
        "stable task",
        "Same task every time?",
        "Is it the same task every time?",
        "A tuned model is good at the task it was trained on. When the task changes, it has to be trained again.",
    ),
    Question(
        "labeled_examples",
        "examples",
        "Labelled examples",
        "How many labelled examples are there?",
        f"Fewer than {ENOUGH_EXAMPLES} are too few to train on and to measure with.",
    ),
    Question(
        "needs_actions",
        "acts, grammar",
        "Tool calls or a grammar?",
        "Must it call tools, or follow a grammar that a decoder can enforce?",
        "A decoder that enforces the grammar always gives a valid output, without training.",
    ),
    Question(
        "preference_problem",
        "preference",
        "Right, but not preferred?",
        "Are the answers right, but do people prefer others?",
        "Preferences are learned from comparisons, not from single right answers.",
    ),
    Question(
        "facts_change_often",
        "facts change",
        "Do the facts change often?",
        "Do the facts change often?",
        "A fact that changes next week should be looked up next week.",
    ),
]

REASONS = {
    Route.RAG: "The answers depend on facts that the model has not seen or that change: look them up first.",
    Route.ALIGNMENT: "The answers are right, but people prefer others: preferences are learned from comparisons.",
    Route.TOOLING: "The model must call tools or follow a grammar: tools and constrained decoding do that without training.",
    Route.FINE_TUNING: f"The format drifts, the task is stable, and there are at least {ENOUGH_EXAMPLES} examples.",
    Route.PROMPT: "Nothing here calls for more than a good prompt yet: measure one first.",
}
"""Why each route is recommended."""

ADVICE = {
    Route.RAG: "Put the passages that an answer needs into the prompt, and measure how often the right ones are found.",
    Route.ALIGNMENT: "Collect pairs of a better and a worse answer, and train on them (DPO or a similar method).",
    Route.TOOLING: "Give the model tools, or decode under a grammar, and measure that first.",
    Route.FINE_TUNING: "Measure the best prompt first, then train the lightest method that fits.",
    Route.PROMPT: "Write the prompt you would use, with and without solved examples, and measure both.",
}
"""What to do next on each route; a route other than fine-tuning is a good result too."""


@dataclass(frozen=True)
class WhatIf:
    """The route if this one answer were different."""

    key: str
    value: bool | int
    route: Route


def choose_route(answers: RouteAnswers) -> Route:
    """The route for the answers. The first rule that applies decides: retrieval, alignment, tooling, fine-tuning, prompting."""
    if answers.private_facts or answers.facts_change_often:
        return Route.RAG
    if answers.preference_problem:
        return Route.ALIGNMENT
    if answers.needs_actions:
        return Route.TOOLING
    if answers.format_drift and answers.stable_task and answers.labeled_examples >= ENOUGH_EXAMPLES:
        return Route.FINE_TUNING
    return Route.PROMPT


def what_if(answers: RouteAnswers) -> list[WhatIf]:
    """The route with each yes-or-no answer flipped alone, and with one example fewer than enough and exactly enough."""
    table: list[WhatIf] = []
    for question in QUESTIONS:
        current: bool | int = getattr(answers, question.key)
        for value in (not current,) if isinstance(current, bool) else (ENOUGH_EXAMPLES - 1, ENOUGH_EXAMPLES):
            changed: dict[str, Any] = {question.key: value}
            table.append(WhatIf(question.key, value, choose_route(replace(answers, **changed))))
    return table
