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
    GUARD = "guard first"


@dataclass(frozen=True)
class RouteAnswers:
    """The answers that decide the route; those with a default are optional, and as False they change nothing."""

    private_facts: bool
    format_drift: bool
    stable_task: bool
    labeled_examples: int
    needs_actions: bool = False
    preference_problem: bool = False
    facts_change_often: bool = False
    style_from_examples: bool = False
    prompt_falls_short: bool = False
    """As the user says; once the untuned arms have been scored against a target, as measured."""
    cheaper_model: bool = False
    unsafe_requests: bool = False
    fits_in_prompt: bool = False


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
    example: str
    """A case in which the answer is yes, in a sentence."""
    next_step: str = ""
    """What to do if the answer is yes; empty if the advice of its route says it."""


GUARD_STEP = (
    "Put a guard before the model that refuses unsafe requests, and measure it on requests to refuse and on harmless ones that look alike. "
    "Align the model next, on pairs of a refusal and an unsafe answer."
)

QUESTIONS = [
    Question(
        "private_facts",
        "private facts",
        "Private facts needed?",
        "Does the model need private facts it has never seen?",
        "Training teaches habits. Facts are better looked up, because then they can be corrected, dated and cited.",
        "An assistant answers from the contracts of your customers.",
    ),
    Question(
        "format_drift",
        "format drift",
        "Does the format drift?",
        "Does the output format drift?",
        "The same request comes back as JSON once and as prose the next time. That is a habit, and training changes habits.",
        "A ticket comes back as JSON on Monday and as a paragraph on Tuesday.",
    ),
    Question(
        "stable_task",
        "stable task",
        "Same task every time?",
        "Is it the same task every time?",
        "A tuned model is good at the task it was trained on. When the task changes, it has to be trained again.",
        "Every request is a ticket to sort, next month as well.",
    ),
    Question(
        "labeled_examples",
        "examples",
        "Labelled examples",
        "How many labelled examples are there?",
        f"Fewer than {ENOUGH_EXAMPLES} are too few to train on and to measure with.",
        "120 tickets, each with the fields that a person filled in.",
    ),
    Question(
        "needs_actions",
        "tool, grammar",
        "Fixed by tool or grammar?",
        "Would a tool that it calls, or a grammar for its format, fix all that is wrong?",
        "Under a grammar every complete answer is valid, without training; it need not be right. Answer no if values are wrong, too.",
        "It picks the right label, but wraps it in a sentence.",
    ),
    Question(
        "preference_problem",
        "preference",
        "Right, but not preferred?",
        "Are the answers right, but do people prefer others?",
        "Preferences are learned from comparisons, not from single right answers.",
        "Every summary is correct, and readers pick the shorter one.",
    ),
    Question(
        "facts_change_often",
        "facts change",
        "Do facts change often?",
        "Do the facts change often?",
        "A fact that changes next week should be looked up next week.",
        "It quotes prices, and prices change every Friday.",
    ),
    Question(
        "style_from_examples",
        "style",
        "A style to copy?",
        "Is there a style or a behaviour to be copied from examples?",
        "A style is easier shown than described, and what many examples show, training can copy.",
        "Replies must sound like the 400 that your brand team wrote.",
        "Measure few_shot first: a few examples in the prompt may carry the style. Judge it on examples that were kept out of training.",
    ),
    Question(
        "prompt_falls_short",
        "falls short",
        "Best prompt falls short?",
        "Does the best prompt you have fall short of what you need?",
        "If a good prompt is not enough, training is the next thing to try. With a target, the untuned arms answer this by measurement.",
        "Of 150 labels, the best prompt gets six in ten right; 2,000 examples have the right one.",
        "Keep the best prompt as a baseline: the tuned model has to beat it.",
    ),
    Question(
        "cheaper_model",
        "cheaper",
        "Cheaper, faster, smaller?",
        "Must a small model do what a large one does, for cost, latency or size?",
        "A small model can learn one narrow task from the answers of a large one.",
        "A hosted model sorts the mail well, at 20 times what you can pay.",
        "Measure the large model as the arm `endpoint` with `target: {not_worse_than: endpoint}`, and train the small one on answers of "
        "the large one that you have checked.",
    ),
    Question(
        "unsafe_requests",
        "unsafe",
        "Unsafe requests?",
        "Are there unsafe requests that it must refuse?",
        "A guard refuses without changing the model, can be measured on its own, and holds for the next model, too.",
        "Users of a pharmacy's assistant ask how to misuse a medicine.",
        GUARD_STEP,
    ),
    Question(
        "fits_in_prompt",
        "fits prompt",
        "Facts fit the prompt?",
        "Does everything that an answer needs fit into the prompt?",
        "Facts that fit into every prompt need no search: nothing can be missed.",
        "The whole price list is two pages long.",
        "Put the facts into the prompt, before the part that differs by request; turn to retrieval once they no longer fit.",
    ),
]

TRAINABLE = {
    "format_drift": "the format drifts",
    "style_from_examples": "a style or a behaviour is to be copied from examples",
    "prompt_falls_short": "the best prompt falls short",
    "cheaper_model": "a small model is to do what a large one does",
}
"""The answers that speak for training, in words."""

REASONS = {
    Route.RAG: "The answers depend on facts that the model has not seen or that change: look them up first.",
    Route.GUARD: "There are requests that must be refused: a guard does that without training, and alignment comes next.",
    Route.ALIGNMENT: "The answers are right, but people prefer others: preferences are learned from comparisons.",
    Route.TOOLING: "The model must call tools, or only its format is wrong: tools and constrained decoding need no training.",
    Route.PROMPT: "Nothing here calls for more than a good prompt yet: measure one first.",
}
"""Why each route is recommended whose reason is the same for all answers that lead to it."""

ADVICE = {
    Route.RAG: "Put the passages that an answer needs into the prompt, and measure how often the right ones are found.",
    Route.GUARD: GUARD_STEP,
    Route.ALIGNMENT: "Collect pairs of a better and a worse answer, and train on them (DPO or a similar method).",
    Route.TOOLING: "Give the model tools, or decode under a grammar, and measure that first.",
    Route.FINE_TUNING: "Measure the best prompt first, then train the lightest method that fits.",
    Route.PROMPT: "Write the prompt you would use, with and without solved examples, and measure both.",
}
"""What to do next on each route; a route other than fine-tuning is a good result too."""

ADVICE_ONCE_MEASURED = {
    Route.FINE_TUNING: "Train the lightest method that fits, and score it on the same cases.",
    Route.PROMPT: f"Stay with the best prompt that was measured; train once a stable task has at least {ENOUGH_EXAMPLES} examples.",
}
"""The same on the routes that begin with a prompt, once prompts have been measured."""


@dataclass(frozen=True)
class WhatIf:
    """The route if this one answer were different."""

    key: str
    value: bool | int
    route: Route


def choose_route(answers: RouteAnswers) -> Route:
    """The route for the answers. The first rule that applies decides: retrieval, guard, alignment, tooling, fine-tuning, prompting."""
    if needs_facts(answers) and not answers.fits_in_prompt:
        return Route.RAG
    if answers.unsafe_requests:
        return Route.GUARD
    if answers.preference_problem:
        return Route.ALIGNMENT
    if answers.needs_actions:
        return Route.TOOLING
    if speaks_for_training(answers) and answers.stable_task and answers.labeled_examples >= ENOUGH_EXAMPLES:
        return Route.FINE_TUNING
    return Route.PROMPT


def needs_facts(answers: RouteAnswers) -> bool:
    """Whether answers depend on facts that the model has not seen, or that change."""
    return answers.private_facts or answers.facts_change_often


def speaks_for_training(answers: RouteAnswers) -> list[str]:
    """The answers that speak for training, in words."""
    return [words for key, words in TRAINABLE.items() if getattr(answers, key)]


def reason_for(answers: RouteAnswers) -> str:
    """Why the route of the answers is recommended, in a sentence or two."""
    route, habits = choose_route(answers), speaks_for_training(answers)
    if route is Route.FINE_TUNING:
        sentence = f"{', '.join(habits)}, the task is stable, and there are at least {ENOUGH_EXAMPLES} examples."
        return sentence[0].upper() + sentence[1:]
    if route is Route.PROMPT and needs_facts(answers):
        return "The answers depend on facts that fit into the prompt: put them there, and measure that first."
    if route is Route.PROMPT and habits != [TRAINABLE["format_drift"]] and habits:
        lacking = [] if answers.stable_task else ["a stable task"]
        lacking += [] if answers.labeled_examples >= ENOUGH_EXAMPLES else [f"at least {ENOUGH_EXAMPLES} examples"]
        return f"Training needs {' and '.join(lacking)} first: until then, measure a good prompt."
    return REASONS[route]


def route_steps(answers: RouteAnswers, *, prompts_measured: bool = False) -> list[str]:
    """What to do next: what the route of the answers recommends, then what each further answer with a yes calls for.

    What speaks for training calls for nothing as long as the route is one that comes before a prompt.
    """
    route = choose_route(answers)
    yes = [question for question in QUESTIONS if question.next_step and getattr(answers, question.key)]
    further = [q.next_step for q in yes if q.key not in TRAINABLE or route in ADVICE_ONCE_MEASURED]
    first = ADVICE_ONCE_MEASURED.get(route, ADVICE[route]) if prompts_measured else ADVICE[route]
    return list(dict.fromkeys([first, *further]))


def what_if(answers: RouteAnswers) -> list[WhatIf]:
    """The route with each yes-or-no answer flipped alone, and with one example fewer than enough and exactly enough."""
    table: list[WhatIf] = []
    for question in QUESTIONS:
        current: bool | int = getattr(answers, question.key)
        for value in (not current,) if isinstance(current, bool) else (ENOUGH_EXAMPLES - 1, ENOUGH_EXAMPLES):
            changed: dict[str, Any] = {question.key: value}
            table.append(WhatIf(question.key, value, choose_route(replace(answers, **changed))))
    return table
