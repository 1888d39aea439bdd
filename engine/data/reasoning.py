"""Reasoning that a model writes before its answer, in blocks `<think>…</think>`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

THINK_OPEN, THINK_CLOSE = "<think>", "</think>"
"""The marks of DeepSeek-R1, Qwen3, GLM-4.5 and other open reasoning models."""

_MARK = re.compile("|".join(map(re.escape, (THINK_OPEN, THINK_CLOSE))))


class Thinking(StrEnum):
    """What the chat template of a base does about reasoning."""

    NONE = "none"
    """It has no reasoning of its own."""
    OFF = "off"
    """It can be switched off, and is: the rows have no reasoning."""
    ON = "on"
    """It can be switched off, and is not: outputs of the data have reasoning."""
    ALWAYS = "always"
    """The template opens a block in every prompt."""


class Reasoned(NamedTuple):
    """An output in two parts, without the marks and the line breaks next to them. `reasoning` is None if there is no block."""

    reasoning: str | None
    answer: str


def split_reasoning(output: str) -> Reasoned:
    """An output in the reasoning that it begins with and its answer, which is empty if the reasoning is never closed.

    Reasoning may be several blocks in a row, and have blocks in it. A block without the opening mark is one that the prompt opened.
    """
    reasoned = _in_parts(output)
    return Reasoned(None, output) if reasoned is None else Reasoned(reasoned.first, output[reasoned.first_end :].lstrip("\n"))


def with_reasoning(reasoning: str, answer: str) -> str:
    """An output of two parts; the answer alone if it has its own block, or if there is no reasoning."""
    return f"{THINK_OPEN}\n{reasoning.strip()}\n{THINK_CLOSE}\n\n{answer}" if reasoning.strip() and not has_reasoning(answer) else answer


def answer_of(output: str) -> str:
    """An output without its reasoning: what is scored. Where it begins with reasoning, further blocks in it are reasoning too."""
    # Most outputs have no block, and this is asked for each of them many times.
    reasoned = _in_parts(output) if "think>" in output else None
    return output if reasoned is None else "\n".join(part.strip("\n") for part in reasoned.answer if part.strip()).lstrip("\n")


class _Parts(NamedTuple):
    """An output that begins with reasoning: what that is, where it ends, and what follows it but further blocks."""

    first: str
    first_end: int
    answer: list[str]


def _in_parts(output: str) -> _Parts | None:
    """The parts of an output; None if it does not begin with reasoning.

    A block ends at the mark that closes it, and where marks do not come in pairs, as where reasoning names one, at the last closing mark.
    All before a closing mark that nothing opened is reasoning.
    """
    marks = list(_MARK.finditer(output))
    if not marks or (marks[0][0] == THINK_OPEN and output[: marks[0].start()].strip()):
        return None
    first: list[str] = []
    answer: list[str] = []
    first_end = at = start = 0
    while at < len(marks):
        mark = marks[at]
        if mark[0] == THINK_CLOSE:
            block, answer, at = "".join([*answer, output[start : mark.start()]]), [], at + 1
            start = mark.end()
        else:
            answer.append(output[start : mark.start()])
            end = _end_of_block(marks, at)
            block = output[mark.end() :] if end is None else output[mark.end() : marks[end].start()]
            start, at = (len(output), len(marks)) if end is None else (marks[end].end(), end + 1)
        if not any(part.strip() for part in answer):
            first.append(block.strip("\n"))
            first_end = start
    return _Parts("\n\n".join(filter(None, first)), first_end, [*answer, output[start:]])


def _end_of_block(marks: Sequence[re.Match[str]], opened: int) -> int | None:
    """The number of the mark that closes the block that a mark opens; None if none does."""
    depth, last = 0, None
    for at in range(opened, len(marks)):
        is_opening = marks[at][0] == THINK_OPEN
        depth += 1 if is_opening else -1
        last = last if is_opening else at
        if depth == 0:
            return at
    return last


def has_reasoning(output: str) -> bool:
    """Whether an output begins with a block of reasoning."""
    return "think>" in output and split_reasoning(output).reasoning is not None


def opened_by(prompt: str) -> str:
    """The opening mark that a prompt ends with, and the white space after it; empty if the prompt opens no block."""
    _, mark, tail = prompt.rpartition(THINK_OPEN)
    return mark + tail if mark and not tail.strip() else ""
