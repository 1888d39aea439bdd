"""Raw rows to examples: the shapes of fine-tuning data, each recognised by its keys."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tuneproof.engine.case.data import Columns
from tuneproof.engine.data.binary_text import BinaryText
from tuneproof.engine.data.example import NO_METADATA, Example, Message, Source
from tuneproof.engine.data.problems import BadTurns, RowProblem, UnreadableRow

MOST_LABEL_CHARACTERS = 60
"""Longest output that many rows may share."""


class RowError(ValueError):
    """A row cannot become an example."""

    def problem(self) -> RowProblem:
        """The error as data, for the audit to report."""
        return UnreadableRow(str(self))


class TurnError(RowError):
    """The turns of a conversation do not end with an answer to a user's turn."""

    def problem(self) -> RowProblem:
        return BadTurns(str(self))


@dataclass(frozen=True)
class RowShape:
    """One of the ways to write an example as a row."""

    name: str
    required_keys: frozenset[str]
    """The keys by which it is recognised."""
    convert: Callable[[Mapping[str, Any], Source], Example]


def detect_shape(row: Mapping[str, Any]) -> RowShape | None:
    """The first shape in `SHAPES` whose required keys the row has, or None."""
    return next((shape for shape in SHAPES if shape.required_keys <= row.keys()), None)


def shape_of_columns(columns: Columns) -> RowShape:
    """The shape for `data.columns` of the case."""
    named = {columns.input, columns.output} | ({columns.instruction} if columns.instruction else set())

    def convert(row: Mapping[str, Any], source: Source) -> Example:
        return Example(
            instruction=text_cell(row, columns.instruction, required=False) if columns.instruction else "",
            input=text_cell(row, columns.input),
            output=output_cell(row, columns.output),
            source=source,
            metadata=_rest(row, named),
        )

    return RowShape(f"columns {columns.input} -> {columns.output}", frozenset(named), convert)


def text_cell(row: Mapping[str, Any], key: str, *, required: bool = True) -> str:
    """The value of a key as text: numbers and booleans as JSON, null as an empty string. Raises RowError for anything else."""
    value = row.get(key)
    if value is None:
        if required:
            raise RowError(f"`{key}` is missing")
        return ""
    if isinstance(value, BinaryText):
        raise RowError(f"`{key}` has bytes that are not text in UTF-8")
    if isinstance(value, str):
        _no_lone_surrogates(value, key)
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise RowError(f"`{key}` is not text")


def output_cell(row: Mapping[str, Any], key: str) -> str:
    """The value of a key as text, with an object or a list as JSON. Raises RowError as `text_cell` does."""
    value = row.get(key)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else shared_label(text_cell(row, key))


def shared_label(output: str) -> str:
    """The output; equal short ones are one object, so that a label takes no memory in each row."""
    return sys.intern(output) if len(output) <= MOST_LABEL_CHARACTERS else output


def _no_lone_surrogates(text: str, key: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise RowError(f"`{key}` has half a surrogate pair, which is not a character")


def _alpaca(row: Mapping[str, Any], source: Source) -> Example:
    instruction = text_cell(row, "instruction", required=False)
    input_text = text_cell(row, "input", required=False)
    return Example(
        # If a row has only an instruction, that is the input.
        instruction=instruction if input_text.strip() else "",
        input=input_text if input_text.strip() else instruction,
        output=output_cell(row, "output"),
        source=source,
        system=text_cell(row, "system", required=False),
        metadata=_rest(row, {"instruction", "input", "output", "system"}),
    )


def _prompt_completion(row: Mapping[str, Any], source: Source) -> Example:
    if isinstance(row["prompt"], list) and isinstance(row["completion"], list):
        return _chat(row["prompt"] + row["completion"], _rest(row, {"prompt", "completion"}), source, OPENAI)
    return Example("", text_cell(row, "prompt"), output_cell(row, "completion"), source, metadata=_rest(row, {"prompt", "completion"}))


def _messages(row: Mapping[str, Any], source: Source) -> Example:
    return _chat(row["messages"], _rest(row, {"messages"}), source, OPENAI)


def _conversations(row: Mapping[str, Any], source: Source) -> Example:
    turns = row["conversations"]
    first = turns[0] if isinstance(turns, list) and turns else None
    names = OPENAI if isinstance(first, dict) and "role" in first else SHAREGPT
    extra = [{names.role: "system", names.content: row["system"]}] if isinstance(row.get("system"), str) and row["system"] else []
    return _chat(extra + turns if isinstance(turns, list) else turns, _rest(row, {"conversations", "system"}), source, names)


@dataclass(frozen=True)
class TurnNames:
    """The keys of a turn in a chat format, and its names for the roles."""

    role: str
    content: str
    roles: Mapping[str, str]
    """The role of `Message` for each name."""


OPENAI = TurnNames(
    "role",
    "content",
    {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"},
)
SHAREGPT = TurnNames(
    "from",
    "value",
    {
        "system": "system",
        "human": "user",
        "user": "user",
        "gpt": "assistant",
        "assistant": "assistant",
        "chatgpt": "assistant",
    },
)


def _chat(turns: Any, metadata: Mapping[str, Any], source: Source, names: TurnNames) -> Example:
    """An example of a conversation: the last turn is the output, the one before it the input, the others the history."""
    if not isinstance(turns, list):
        raise RowError("the conversation is not a list of turns")
    messages = [_turn(turn, number, names) for number, turn in enumerate(turns, start=1)]
    turns_spoken = [m for m in messages if m.role != "system"]
    _check_turns(messages, turns_spoken)
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    return Example("", turns_spoken[-2].content, shared_label(turns_spoken[-1].content), source, system, tuple(turns_spoken[:-2]), metadata)


def _check_turns(messages: Sequence[Message], spoken: Sequence[Message]) -> None:
    """Raises TurnError or RowError if the last turn is not an answer to train on; odd turns before it are left to the audit."""
    if not spoken:
        raise TurnError("the conversation has only system messages" if messages else "the conversation has no turns")
    roles = [message.role for message in messages]
    late_system = next((at for at, two in enumerate(pairwise(roles), start=2) if two[1] == "system" != two[0]), None)
    if late_system is not None:
        # At the start, it would apply to turns that were written without it.
        raise TurnError(f"turn {late_system} is a system message in the middle of the conversation; models expect it only at the start")
    if spoken[-1].role != "assistant":
        raise TurnError("the last turn is not the assistant's, so there is no answer to train on")
    if len(spoken) < 2:
        raise TurnError("the conversation begins with the answer; there is no user turn before it")
    if spoken[-2].role == "tool":
        raise RowError("the answer follows a tool's turn, which this version cannot train on")
    if spoken[-2].role != "user":
        raise TurnError("the last two turns are both the assistant's: the answer does not follow a user's turn")


def _turn(turn: Any, number: int, names: TurnNames) -> Message:
    if not isinstance(turn, dict):
        raise RowError(f"turn {number} is not an object")
    role = names.roles.get(str(turn.get(names.role)))
    if role is None:
        raise TurnError(f"turn {number} has the unknown role {str(turn.get(names.role))[:60]!r}")
    if turn.get("tool_calls"):
        raise RowError(f"turn {number} calls tools, which this version cannot train on")
    content = turn.get(names.content)
    if isinstance(content, list) and all(isinstance(p, dict) and p.get("type") == "text" for p in content):
        content = "".join(str(p.get("text", "")) for p in content)
    cell = f"{names.content} of turn {number}"
    return Message(role, text_cell({cell: content}, cell))


def _rest(row: Mapping[str, Any], used: set[str]) -> Mapping[str, Any]:
    """The metadata of the example: the columns that it does not use, and the entries of a column `metadata`."""
    rest = {sys.intern(key): value for key, value in row.items() if key not in used}
    if not rest:
        # Most rows have none, and an empty dictionary for each would take more memory than a label.
        return NO_METADATA
    inner = rest.pop("metadata", None)
    return {**rest, **inner} if isinstance(inner, dict) else rest if inner is None else {**rest, "metadata": inner}


SHAPES = [
    RowShape("messages", frozenset({"messages"}), _messages),
    RowShape("conversations", frozenset({"conversations"}), _conversations),
    RowShape("instruction/input/output", frozenset({"instruction", "output"}), _alpaca),
    RowShape("input/output", frozenset({"input", "output"}), _alpaca),
    RowShape("prompt/completion", frozenset({"prompt", "completion"}), _prompt_completion),
]
"""The known shapes, in the order in which they are tried."""
