"""One line of `tuneproof doctor`: what was looked at, how it is, what was found, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Condition(StrEnum):
    """How something is."""

    GOOD = "good"
    LIMITED = "limited"
    """It works, and not for everything."""
    MISSING = "missing"


class Group(StrEnum):
    """What lines belong together."""

    PROGRAM = "program"
    GPU = "gpu"
    MACHINE = "machine"
    CLUSTER = "cluster"
    HUB = "hub"
    TERMINAL = "terminal"
    EXTRAS = "extras"


@dataclass(frozen=True)
class Line:
    """What was found, in words, and what to do about it; `todo` is empty only if it is good."""

    group: Group
    name: str
    condition: Condition
    found: str
    todo: str = ""


def good(group: Group, name: str, found: str) -> Line:
    """A line about something that is as it should be."""
    return Line(group, name, Condition.GOOD, found)


def limited(group: Group, name: str, found: str, todo: str) -> Line:
    """A line about something that works, and not for everything."""
    return Line(group, name, Condition.LIMITED, found, todo)


def missing(group: Group, name: str, found: str, todo: str) -> Line:
    """A line about something that is not there, or does not work."""
    return Line(group, name, Condition.MISSING, found, todo)
