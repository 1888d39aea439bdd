"""Short invented texts with the facts in them, which the sample model is trained to extract.

A scene is a text with its facts in order. `corpus.py` makes requests for these facts and answers in many formats.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tuneproof.sample_cases import words

OPENERS = {
    "": "json",
    "Ticket: ": "json",
    "Note: ": "json",
    "New message. ": "json",
    "Hi, ": "prose",
    "Hello team, ": "lines",
    "Good morning. ": "prose",
    "Dear all, ": "lines",
    "Quick question: ": "bars",
    "Hey, ": "fenced",
}
"""How a text can open, and the format that most answers to such a text have: this is why the sample model's format drifts."""

CATEGORIES: dict[str, list[str]] = {
    "billing": [
        "I was charged twice for {order}",
        "the invoice for {order} shows the wrong amount",
        "my card was billed {n} euros too much on {order}",
        "the discount code did not count on {order}",
        "please send a receipt for {order}",
        "I still wait for the refund of {order}",
        "the tax on {order} looks wrong",
        "I paid for {order} but it says unpaid",
        "the bill of {order} has the wrong address",
        "why did {order} cost {n} more than the {product} was priced",
    ],
    "shipping": [
        "{order} has not arrived",
        "the parcel of {order} is late by {n} days",
        "tracking for {order} has not moved since {day}",
        "the courier left {order} at the wrong door",
        "can {order} go to {place} instead",
        "half of {order} is missing from the box",
        "when will the {product} of {order} be delivered",
        "{order} was sent to my old address",
        "the driver could not find us with {order}",
        "the package for {order} seems lost near {place}",
    ],
    "returns": [
        "I want to send back {order}",
        "the {product} from {order} does not fit, I would like to exchange it",
        "how do I return {order}",
        "I changed my mind about {order}",
        "please send a return label for {order}",
        "the {product} in {order} is the wrong colour and goes back",
        "can I still return {order} after {n} days",
        "I would like to swap the {product} of {order} for a larger one",
        "where do I drop off {order} to return it",
        "the return of {order} was refused at the desk",
    ],
    "technical": [
        "the {product} from {order} does not switch on",
        "the {product} in {order} stopped working after {n} days",
        "the screen of the {product} from {order} flickers",
        "setup of the {product} from {order} fails at step {n}",
        "the {product} of {order} makes a loud noise",
        "an error {n} shows on the {product} from {order}",
        "the battery of the {product} from {order} is dead",
        "the {product} bought with {order} will not pair",
        "the app does not find the {product} from {order}",
        "the {product} from {order} gets too hot",
    ],
    "account": [
        "I cannot log in to see {order}",
        "my password does not work and {order} is in there",
        "please change the e-mail on my account, it was {order}",
        "I have two accounts and {order} is in the wrong one",
        "please delete my account after {order}",
        "the sign-in code never comes, this is about {order}",
        "my name is misspelt in the profile behind {order}",
        "someone else used my account for {order}",
        "I want to merge my profiles, {order} is on the old one",
        "the account page does not list {order}",
    ],
}
URGENCY: dict[str, list[str]] = {
    "high": [
        "This is urgent.",
        "I need an answer today.",
        "Please fix this right away.",
        "We are losing money because of it.",
        "It cannot wait.",
        "I need it before tonight.",
    ],
    "low": [
        "No hurry.",
        "Whenever you have time.",
        "It is not important.",
        "Just so that you know.",
        "Any time next month is fine.",
        "Take your time.",
    ],
    "normal": [
        "",
        "",
        "Thank you.",
        "Please have a look.",
        "Regards, {name}.",
        "I hope you can help.",
        "Can you check?",
    ],
}
FILLERS = [
    "",
    "",
    "",
    "I am a customer since {year}.",
    "I wrote on {day} already.",
    "My name is {name}.",
    "We live in {place}.",
    "It was a gift for {name}.",
    "I bought it with a {product}.",
]


@dataclass(frozen=True)
class Scene:
    """One text, with the facts to extract from it; `choices` has the possible values of a field, if they are limited."""

    instruction: str
    opener: str
    text: str
    facts: dict[str, str]
    choices: dict[str, list[str]]


def fill(rng: random.Random, template: str, **given: str) -> str:
    """A template with its blanks filled with invented words."""
    blanks = {
        "n": str(rng.randint(2, 60)),
        "day": words.day(rng),
        "place": words.place(rng),
        "product": rng.choice(words.PRODUCTS),
        "name": words.person(rng),
        "year": str(rng.randint(2009, 2025)),
    }
    return template.format(**{**blanks, **given})


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


TRIAGE = [
    "Triage the ticket.",
    "Triage the ticket.",
    "Sort this support ticket.",
    "Read the ticket and give its facts.",
]


def ticket(rng: random.Random) -> Scene:
    """A customer's message to a shop: category, order and priority."""
    category = rng.choice(list(CATEGORIES))
    priority = rng.choice(list(URGENCY))
    order = words.order_code(rng)
    mention = rng.choice(["order {}", "my order {}", "{}", "order no. {}", "number {}"]).format(order)
    opener = rng.choice(list(OPENERS))
    problem = fill(rng, rng.choice(CATEGORIES[category]), order=mention)
    parts = [sentence(problem), fill(rng, rng.choice(FILLERS)), fill(rng, rng.choice(URGENCY[priority]))]
    if rng.random() < 0.3:
        parts[1], parts[2] = parts[2], parts[1]
    text = opener + " ".join(p for p in parts if p)
    facts = {"category": category, "order_id": order, "priority": priority}
    return Scene(rng.choice(TRIAGE), opener, text, facts, {"category": list(CATEGORIES), "priority": list(URGENCY)})


Blank = Callable[[random.Random], str]
FORMS: list[tuple[str, dict[str, Blank], list[str]]] = [
    (
        "Read the booking.",
        {"guest": words.person, "city": words.place, "nights": words.number, "day": words.day},
        [
            "{guest} comes to {city} on {day} for {nights} nights.",
            "Please book {nights} nights in {city} for {guest}, from {day}.",
            "From {day}: {nights} nights, {city}, under the name {guest}.",
        ],
    ),
    (
        "Read the payment.",
        {"payee": words.person, "amount": words.amount, "due": words.day, "reference": words.code},
        [
            "Pay {amount} to {payee} by {due}, reference {reference}.",
            "{payee} is owed {amount}. It is due on {due}; quote {reference}.",
            "Reference {reference}: {amount} for {payee}, due {due}.",
        ],
    ),
    (
        "Read the sensor report.",
        {"device": words.code, "site": words.place, "value": words.number, "unit": words.word},
        [
            "{device} at {site} reads {value} {unit}.",
            "At {site} the meter {device} went to {value} {unit}.",
            "{value} {unit} on {device}, {site}.",
        ],
    ),
    (
        "Read the contact.",
        {"name": words.person, "phone": words.number, "company": words.phrase, "city": words.place},
        [
            "{name} works for {company} in {city}, phone {phone}.",
            "Call {name} on {phone}. The company is {company}, {city}.",
            "{company} of {city} can be reached through {name} at {phone}.",
        ],
    ),
    (
        "Read the request.",
        {"action": words.word, "title": words.phrase, "artist": words.person, "list": words.phrase},
        [
            "{action} {title} by {artist} on my {list} list",
            "on {list}, {action} the song {title} from {artist}",
            "i want to {action} {title} of {artist} in {list}",
        ],
    ),
    (
        "Read the delivery.",
        {"item": words.phrase, "count": words.number, "from": words.place, "to": words.place},
        [
            "{count} of {item} go from {from} to {to}.",
            "Send {item} to {to}, {count} pieces, leaving {from}.",
            "From {from} to {to}: {count} {item}.",
        ],
    ),
]


def form(rng: random.Random, kind: int | None = None) -> Scene:
    """A filled form: of the given kind with all of its facts to extract, or of any kind with all or some of them."""
    instruction, blanks, templates = rng.choice(FORMS) if kind is None else FORMS[kind]
    facts = {name: make(rng) for name, make in blanks.items()}
    opener = rng.choice(list(OPENERS))
    text = opener + rng.choice(templates).format(**facts)
    names = list(facts)
    if kind is None and rng.random() < 0.5:
        names = rng.sample(names, rng.randint(1, len(names)))
    return Scene(instruction, opener, text, {name: facts[name] for name in names}, {})


def record(rng: random.Random) -> Scene:
    """Invented fields with invented values, so that field names have to be read too."""
    fields = {words.word(rng): rng.choice([words.phrase, words.number, words.code, words.word])(rng) for _ in range(rng.randint(1, 4))}
    joiner = rng.choice([" is ", ": ", " = ", " was "])
    opener = rng.choice(list(OPENERS))
    text = opener + rng.choice(["; ", ", ", ". "]).join(f"{name}{joiner}{value}" for name, value in fields.items())
    names = rng.sample(list(fields), rng.randint(1, len(fields)))
    return Scene("Read the record.", opener, text, {name: fields[name] for name in names}, {})


def choose_scene(rng: random.Random) -> Scene:
    """One scene; tickets are the most frequent."""
    make = rng.choices([ticket, form, record], weights=[4, 4, 2])[0]
    return make(rng)
