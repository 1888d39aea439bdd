"""The lines about a machine as text: under a heading for each group, with what to do below."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby

from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.doctor.line import Condition, Group, Line

HEADS = {
    Group.PROGRAM: "the program",
    Group.GPU: "GPU and training",
    Group.MACHINE: "machine",
    Group.CLUSTER: "cluster",
    Group.HUB: "Hugging Face Hub",
    Group.TERMINAL: "terminal",
    Group.EXTRAS: "optional extras",
}

INDENT = 30
"""Where what was found begins: after the condition and the name."""

WIDTH = 100


def text(lines: Sequence[Line], place: str) -> str:
    """The lines under a heading for each group, and how many are not good."""
    shown = [f"{place}: {summary(lines)}"]
    for group, members in groupby(sorted(lines, key=lambda line: list(Group).index(line.group)), key=lambda line: line.group):
        shown += ["", HEADS[group], *(_text_of(line) for line in members)]
    return "\n".join(shown)


def summary(lines: Sequence[Line]) -> str:
    """How many lines are in each condition."""
    counts = {condition: sum(line.condition is condition for line in lines) for condition in Condition}
    return ", ".join(f"{count} {condition}" for condition, count in counts.items() if count)


def _text_of(line: Line) -> str:
    found, todo = sanitize(line.found, one_line=True), sanitize(line.todo, one_line=True)
    parts = [_wrapped(found, f"  {line.condition:<8} {line.name:<{INDENT - 12}} ")]
    if todo:
        parts.append(_wrapped(f"→ {todo}", " " * INDENT))
    return "\n".join(parts)


def _wrapped(words: str, first: str) -> str:
    return textwrap.fill(words, WIDTH, initial_indent=first, subsequent_indent=" " * INDENT, break_long_words=False, break_on_hyphens=False)
