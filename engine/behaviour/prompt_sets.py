"""The prompts that come with tuneproof, one file an axis. `python -m tuneproof.engine.behaviour.prompts.make` makes the files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from tuneproof.engine.behaviour.axis_case import AxisCase, read_cases
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.core.hashing import sha256_text

VERSION = "1"
"""Of the prompts: another one whenever a prompt or a rule changes, since figures of two versions cannot be compared."""

MAX_NEW_TOKENS = {Axis.FORGETTING: 32, Axis.INSTRUCTIONS: 96, Axis.SAFETY: 40}
"""Tokens that an answer may take: enough for what is asked, or to see whether a request is refused."""


@cache
def _text(axis: Axis) -> str:
    return (files(f"{__package__}.prompts") / f"{axis}.jsonl").read_text(encoding="utf-8")


@cache
def prompt_set(axis: Axis) -> tuple[AxisCase, ...]:
    """All prompts of an axis, in an order in which the first n have every kind of prompt in the same proportion as all, for any n."""
    return tuple(read_cases(_text(axis)))


def prompts_sha256(axis: Axis) -> str:
    """The digest of the file."""
    return sha256_text(_text(axis))
