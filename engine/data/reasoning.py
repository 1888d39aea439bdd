"""Reasoning that a model writes before its answer, as one block `<think>…</think>`."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

THINK_OPEN, THINK_CLOSE = "<think>", "</think>"
"""The marks of DeepSeek-R1, Qwen3, GLM-4.5 and other open reasoning models."""


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
    """An output in its reasoning and its answer. The answer is empty if the block is never closed; only a block at the start is reasoning.

    A block without the opening mark is one that the prompt opened.
    """
    opened = output.lstrip().startswith(THINK_OPEN)
    inside, close, answer = output.partition(THINK_CLOSE)
    if opened:
        inside = inside.lstrip()[len(THINK_OPEN) :]
    elif not close or THINK_OPEN in inside:
        return Reasoned(None, output)
    return Reasoned(inside.strip("\n"), answer.lstrip("\n"))


def with_reasoning(reasoning: str, answer: str) -> str:
    """An output of two parts; the answer alone if it has its own block, or if there is no reasoning."""
    return f"{THINK_OPEN}\n{reasoning.strip()}\n{THINK_CLOSE}\n\n{answer}" if reasoning.strip() and not has_reasoning(answer) else answer


def answer_of(output: str) -> str:
    """An output without its reasoning: what is scored."""
    # Most outputs have no block, and this is asked for each of them many times.
    return split_reasoning(output).answer if "think>" in output else output


def has_reasoning(output: str) -> bool:
    """Whether an output begins with a block of reasoning."""
    return "think>" in output and split_reasoning(output).reasoning is not None


def opened_by(prompt: str) -> str:
    """The opening mark that a prompt ends with, and the white space after it; empty if the prompt opens no block."""
    _, mark, tail = prompt.rpartition(THINK_OPEN)
    return mark + tail if mark and not tail.strip() else ""
