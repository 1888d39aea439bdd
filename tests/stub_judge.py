"""A judge for tests: prefers one of two answers by a rule, as a server that reads the prompt would."""

from __future__ import annotations

import re
from collections.abc import Callable

Worth = Callable[[str, str], float]
"""What an answer to a request is worth."""


def part(prompt: str, name: str) -> str:
    """A part of the prompt that a judge is asked with."""
    found = re.search(rf"\[{name}\]\n(.*?)\n\[end of {name}\]", prompt, re.DOTALL)
    return found.group(1) if found else ""


def prefers(worth: Worth) -> Callable[[str], str]:
    """The replies of a judge to whom an answer is worth so much, whatever its place."""

    def reply(prompt: str) -> str:
        request = part(prompt, "request")
        a, b = (worth(request, part(prompt, f"answer {letter}")) for letter in "AB")
        return "tie" if a == b else "A" if a > b else "B"

    return reply


def voice(request: str, answer: str) -> float:
    """How much of the voice of the brand an answer has: a greeting by name, the thing that was asked about, and an end."""
    words = request.split()
    things = [word.strip(".?!") for word in words if len(word) > 3]
    return (
        2.0 * answer.startswith("Hello ")
        + any(name in answer for name in words if name[:1].isupper())
        + any(thing in answer for thing in things[-6:])
        + 2.0 * answer.rstrip().endswith((".", "!"))
    )
