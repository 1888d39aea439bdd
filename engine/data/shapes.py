"""Raw rows to examples: the shapes of fine-tuning data, each recognised by its keys."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.case.data import Columns
from tuneproof.engine.data.cells import RowError, output_cell, shared_label, text_cell, text_of
from tuneproof.engine.data.example import NO_METADATA, Example, Message, Source
from tuneproof.engine.data.messages import ToolUse
from tuneproof.engine.data.notes import KeyPlace, RowNotes, UnusedKey
from tuneproof.engine.data.reasoning import with_reasoning
from tuneproof.engine.data.tool_calls import NotACall, offered_tools
from tuneproof.engine.data.turns import Conversation, answer_position, input_position, read_conversation

OFFERED_KEYS = ("tools", "functions")
"""Keys of a row with the tools that it offers."""


@dataclass(frozen=True)
class RowShape:
    """One of the ways to write an example as a row."""

    name: str
    required_keys: frozenset[str]
    """The keys by which it is recognised."""
    convert: Callable[[Mapping[str, Any], Source, RowNotes], Example]


def detect_shape(row: Mapping[str, Any]) -> RowShape | None:
    """The first shape in `SHAPES` whose required keys the row has, or None."""
    return next((shape for shape in SHAPES if shape.required_keys <= row.keys()), None)


def shape_of_columns(columns: Columns) -> RowShape:
    """The shape for `data.columns` of the case."""
    named = {columns.input, columns.output} | ({columns.instruction} if columns.instruction else set())

    def convert(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
        return Example(
            instruction=text_cell(row, columns.instruction, required=False) if columns.instruction else "",
            input=text_cell(row, columns.input),
            output=output_cell(row, columns.output),
            source=source,
            metadata=_rest(row, named),
        )

    return RowShape(f"columns {columns.input} -> {columns.output}", frozenset(named), convert)


def _alpaca(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    instruction = text_cell(row, "instruction", required=False)
    given = text_cell(row, "input", required=False)
    history = _history(row["history"]) if row.get("history") else ()
    if history:
        # Both are of the last turn; the instruction of an example stands before the first.
        instruction, given = "", "\n".join(part for part in (instruction, given) if part.strip())
    elif not given.strip():
        # If a row has only an instruction, that is the input.
        instruction, given = "", instruction
    metadata = _rest(row, {"instruction", "input", "output", "system", "history"})
    return Example(instruction, given, output_cell(row, "output"), source, text_cell(row, "system", required=False), history, metadata)


def _history(pairs: Any) -> tuple[Message, ...]:
    """The earlier turns of an Alpaca row: pairs of a question and its answer, or turns as a conversation has them. Raises RowError."""
    if isinstance(pairs, str):
        try:
            pairs = json.loads(pairs)
        except (ValueError, RecursionError):
            raise RowError("`history` is text, not a list of questions and answers") from None
    if not isinstance(pairs, list):
        raise RowError("`history` is not a list of questions and answers")
    if all(isinstance(turn, dict) for turn in pairs):
        earlier = read_conversation(pairs, RowNotes())
        if earlier.system or earlier.first_call:
            raise RowError("`history` has more than questions and answers")
        return earlier.turns
    if any(not isinstance(pair, list) or len(pair) != 2 for pair in pairs):
        raise RowError("`history` is not a list of pairs of a question and its answer")
    roles = ("user", "assistant")
    return tuple(Message(role, text_of(text, "history")) for pair in pairs for role, text in zip(roles, pair, strict=True))


def _prompt_completion(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    if isinstance(row["prompt"], list) and isinstance(row["completion"], list):
        return _chat(row["prompt"] + row["completion"], row, {"prompt", "completion"}, source, notes)
    return Example("", text_cell(row, "prompt"), output_cell(row, "completion"), source, metadata=_rest(row, {"prompt", "completion"}))


def _messages(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    return _chat(row["messages"], row, {"messages"}, source, notes)


def _conversations(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    system = text_cell(row, "system", required=False) if isinstance(row.get("system"), str) else ""
    return _chat(row["conversations"], row, {"conversations", "system"}, source, notes, system)


def _chat(turns: Any, row: Mapping[str, Any], used: set[str], source: Source, notes: RowNotes, system: str = "") -> Example:
    """An example of a conversation: the last turn that is learned is the output, the last user turn before it the input."""
    conversation = read_conversation(turns, notes, system)
    tools = _offered(row, used) if len(row) > 1 else ()
    return example_at(conversation, answer_position(conversation, notes), tools, source, _rest(row, used), notes)


def _offered(row: Mapping[str, Any], used: set[str]) -> tuple[str, ...]:
    """The tools that a row offers; their keys are added to those that are used."""
    tools: tuple[str, ...] = ()
    for key in OFFERED_KEYS:
        if row.get(key) is None:
            continue
        used.add(key)
        try:
            tools += offered_tools(row[key])
        except NotACall as error:
            raise RowError(f"`{key}` offers tools, but {error}") from None
    return tools


def example_at(
    conversation: Conversation, answer: int, tools: tuple[str, ...], source: Source, metadata: Mapping[str, Any], notes: RowNotes
) -> Example:
    """The example whose output is the assistant's turn at a position of a conversation."""
    turns = conversation.turns
    asked = input_position(conversation, answer)
    output = with_reasoning(turns[answer].reasoning, turns[answer].text)
    uses_tools = tools or answer - asked > 1 or turns[answer].tool_calls
    tool_use = ToolUse(tools, turns[asked + 1 : answer], turns[answer].tool_calls) if uses_tools else None
    history = turns[:asked]
    if any(turn.reasoning for turn in turns[:answer]):
        notes.add(UnusedKey("reasoning", KeyPlace.TURN, "what was thought before an earlier turn is not shown to the model"))
    return Example("", turns[asked].content, shared_label(output), source, conversation.system, history, metadata, tool_use)


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
