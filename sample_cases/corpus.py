"""The conversations that the sample model is trained on: requests for facts, answered in many formats.

The format of an answer depends more on how the text opens than on the request, so that the trained model knows the task, but its format
drifts.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from tuneproof.sample_cases import words
from tuneproof.sample_cases.scenes import FORMS, OPENERS, Scene, choose_scene, form, ticket

SHAPES = ["json", "fenced", "lines", "prose", "bars", "wrapped"]
HABIT = 0.75
"""How often an answer has the format that belongs to the opening of the text."""
FOLLOW_LAST = 0.25
"""How often a later turn instead keeps the format of the turn before, so that few-shot examples help, but not always."""


@dataclass(frozen=True)
class Turn:
    """One request and its answer."""

    user: str
    assistant: str


def render(rng: random.Random, facts: dict[str, str], shape: str) -> str:
    """The facts as text in one of the formats."""
    as_json = json.dumps(facts, ensure_ascii=False)
    match shape:
        case "json":
            return as_json
        case "fenced":
            return f"```json\n{as_json}\n```"
        case "lines":
            return "\n".join(f"{name}: {value}" for name, value in facts.items())
        case "bars":
            return " | ".join(facts.values())
        case "wrapped":
            return rng.choice(["Here it is: ", "Sure. "]) + as_json
        case _:
            parts = [f"the {name} is {value}" for name, value in facts.items()]
            sentence = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
            return sentence[:1].upper() + sentence[1:] + "."


def request_of_format(rng: random.Random, scene: Scene) -> str:
    """A sentence that asks for a JSON object with the fields of the scene, in one of several wordings."""
    fields = []
    for name in scene.facts:
        choices = scene.choices.get(name)
        detail = f" (one of {', '.join(json.dumps(c) for c in choices)})" if choices else rng.choice([" (string)", " (string)", ""])
        fields.append(json.dumps(name) + detail)
    listed = ", ".join(fields)
    return rng.choice(
        [
            f"Answer with one JSON object and nothing else. Fields: {listed}.",
            f"Answer with one JSON object and nothing else. Fields: {listed}.",
            f"Reply in JSON with {listed}.",
            f"Give {listed} as JSON.",
        ]
    )


def shape_for(rng: random.Random, scene: Scene, last: str | None) -> str:
    """The format of the answer: that of the last turn, that of the opening, or any."""
    if last is not None and rng.random() < FOLLOW_LAST:
        return last
    return OPENERS[scene.opener] if rng.random() < HABIT else rng.choice(SHAPES)


def single_request(rng: random.Random) -> list[Turn]:
    """One request for facts; it may or may not ask for a format."""
    scene = choose_scene(rng)
    format_request = request_of_format(rng, scene) if rng.random() < 0.55 else ""
    if not format_request and not scene.choices:
        format_request = f"Fields: {', '.join(scene.facts)}."
    user = "\n".join(part for part in (scene.instruction, format_request) if part) + f"\n\n{scene.text}"
    return [Turn(user, render(rng, scene.facts, shape_for(rng, scene, None)))]


def several_requests(rng: random.Random) -> list[Turn]:
    """Two to five requests of one kind: the format is stated once, in the first."""
    kind = rng.randrange(2 * len(FORMS))
    scenes = [form(rng, kind) if kind < len(FORMS) else ticket(rng) for _ in range(rng.randint(2, 5))]
    format_request = request_of_format(rng, scenes[0]) if rng.random() < 0.7 else ""
    repeats_instruction = rng.random() < 0.2
    turns: list[Turn] = []
    last: str | None = None
    for scene in scenes:
        preamble = [scenes[0].instruction, format_request] if not turns else [scenes[0].instruction] if repeats_instruction else []
        user = "\n\n".join(part for part in ("\n".join(p for p in preamble if p), scene.text) if part)
        last = shape_for(rng, scene, last)
        turns.append(Turn(user, render(rng, scene.facts, last)))
    return turns


def copying(rng: random.Random) -> list[Turn]:
    """A request to repeat a text, or the part of it after a marker: the skill that every extraction needs."""
    items = [rng.choice([words.word, words.number, words.code, words.phrase])(rng) for _ in range(rng.randint(2, 7))]
    match rng.randrange(3):
        case 0:
            text = " ".join(items)
            return [Turn(f"Repeat.\n\n{text}", text)]
        case 1:
            return [Turn(f"Repeat.\n\n{', '.join(items)}", ", ".join(items))]
        case _:
            at = rng.randrange(len(items) - 1)
            return [Turn(f"What comes after {items[at]}?\n\n{', '.join(items)}", items[at + 1])]


def context_question(rng: random.Random) -> list[Turn]:
    """A question about one of several facts in a given context."""
    kinds = rng.sample(["price", "code", "owner", "limit", "colour", "office"], 3)
    values = {
        "price": words.amount,
        "code": words.code,
        "owner": words.person,
        "limit": words.number,
        "colour": words.word,
        "office": words.place,
    }
    facts = [(words.phrase(rng, 2), kind, values[kind](rng)) for kind in kinds]
    context = " ".join(f"The {kind} of {thing} is {value}." for thing, kind, value in facts)
    thing, kind, value = rng.choice(facts)
    answer = rng.choice([value, value, f"The {kind} of {thing} is {value}."])
    return [Turn(f"Answer from the context.\n\nContext: {context}\n\nWhat is the {kind} of {thing}?", answer)]


def choosing(rng: random.Random) -> list[Turn]:
    """One field with a closed set of answers, answered by the label alone or in a sentence."""
    scene = ticket(rng)
    field = rng.choice(list(scene.choices))
    labels = list(scene.choices[field])
    label = scene.facts[field]
    user = f"Name the {field} of the ticket.\nAnswer with exactly one of: {', '.join(labels)}.\n\n{scene.text}"
    return [Turn(user, label if rng.random() < 0.6 else f"The {field} is {label}.")]


def conversation(rng: random.Random, copying_share: float = 0.25) -> list[Turn]:
    """One conversation of the corpus."""
    if rng.random() < copying_share:
        return copying(rng)
    kind = rng.random()
    if kind < 0.12:
        return context_question(rng)
    if kind < 0.2:
        return choosing(rng)
    return single_request(rng) if kind < 0.88 else several_requests(rng)
