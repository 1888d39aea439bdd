"""The first answer: which kind of fix the described problem asks for, and which single answer would change that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

ENOUGH_EXAMPLES = 50
"""Labelled examples from which fine-tuning is worth a trial; OpenAI's fine-tuning guide starts with 50 good examples."""

MINIMUM_BEFORE_TRAINING = ["prompt baseline", "validation set", "failure log"]


class Route(StrEnum):
    """The recommended next step."""

    RAG = "RAG first"
    FINE_TUNING = "fine-tuning candidate"
    PROMPT = "prompt baseline first"
    TOOLING = "tooling first"
    ALIGNMENT = "alignment first"


@dataclass(frozen=True)
class RouteAnswers:
    """The seven answers; the last three default to false and then change nothing."""

    private_facts: bool
    format_drift: bool
    stable_task: bool
    labeled_examples: int
    needs_actions: bool = False
    preference_problem: bool = False
    facts_change_often: bool = False


@dataclass(frozen=True)
class Question:
    """One question as a planner hears it: in a word or two, in short, and whole; and why the answer matters."""

    key: str
    topic: str
    short: str
    text: str
    why: str


QUESTIONS = [
    Question(
        "private_facts",
        "private facts",
        "Private facts needed?",
        "Does the model need private facts it has never seen?",
        "Training teaches habits. Facts are better looked up: they can be corrected, dated and cited.",
    ),
    Question(
        "format_drift",
        "format drift",
        "Does the output format drift?",
        "Does the output format drift?",
        "The same request comes back as JSON once and as prose the next time: a habit, and habits are what training changes.",
    ),
    Question(
        "stable_task",
        "stable task",
        "Same task every time?",
        "Is it the same task every time?",
        "A tuned model is good at what it saw. A task that moves makes yesterday's training today's mistake.",
    ),
    Question(
        "labeled_examples",
        "examples",
        "Labelled examples",
        "How many labelled examples are there?",
        f"Below {ENOUGH_EXAMPLES} there is too little to train on and too little left to measure with.",
    ),
    Question(
        "needs_actions",
        "acts, grammar",
        "Must act or obey a grammar?",
        "Must it call tools, or obey a grammar that a decoder can enforce?",
        "A decoder that enforces the grammar is right every time, and needs no training.",
    ),
    Question(
        "preference_problem",
        "preference",
        "Right, but others preferred?",
        "Are the answers right, and people prefer others?",
        "Preferences are learned from comparisons, not from single right answers.",
    ),
    Question(
        "facts_change_often",
        "facts change",
        "Do the facts change often?",
        "Do the facts change often?",
        "What changes next week should be looked up next week.",
    ),
]

REASONS = {
    Route.RAG: "The answers depend on facts that the model has not seen or that change: look them up first.",
    Route.ALIGNMENT: "The answers are right and people prefer others: that is learned from comparisons.",
    Route.TOOLING: "The output must act or obey a grammar: tools and constrained decoding do that without training.",
    Route.FINE_TUNING: f"The format drifts, the task is stable, and there are at least {ENOUGH_EXAMPLES} examples.",
    Route.PROMPT: "Nothing here asks for more than a good prompt yet: measure one first.",
}

ADVICE = {
    Route.RAG: "Put the passages that an answer needs into its prompt, and measure how often the right ones are found.",
    Route.ALIGNMENT: "Collect pairs of a better and a worse answer, and train on these (DPO and its kin).",
    Route.TOOLING: "Give the model tools, or decode under the grammar; measure that first.",
    Route.FINE_TUNING: "Measure the best prompt first; then train the lightest method that fits.",
    Route.PROMPT: "Write the prompt you would use, with and without solved examples, and measure both.",
}
"""What to do on each route: a route other than fine-tuning is a good ending too."""


@dataclass(frozen=True)
class WhatIf:
    """The route when only this answer is different."""

    key: str
    value: bool | int
    route: Route


def choose_route(answers: RouteAnswers) -> Route:
    """The route for the answers, by the rule of the contract: retrieval, alignment, tooling, tuning, prompting."""
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
    """The route for every answer flipped alone, and for the two numbers of examples on either side of the threshold."""
    table: list[WhatIf] = []
    for question in QUESTIONS:
        now: bool | int = getattr(answers, question.key)
        for value in (not now,) if isinstance(now, bool) else (ENOUGH_EXAMPLES - 1, ENOUGH_EXAMPLES):
            changed: dict[str, Any] = {question.key: value}
            table.append(WhatIf(question.key, value, choose_route(replace(answers, **changed))))
    return table
