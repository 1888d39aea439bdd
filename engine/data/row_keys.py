"""The keys of a row beside its text: those that say something are honoured or noted, and the others are its metadata."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from typing import Any

from tuneproof.engine.data.cells import RowError, shared_label, text_of
from tuneproof.engine.data.example import NO_METADATA, Example, Message, Source
from tuneproof.engine.data.messages import ToolUse
from tuneproof.engine.data.notes import KeyPlace, PairKind, PreferencePair, RowNotes, UnusedKey
from tuneproof.engine.data.reasoning import with_reasoning
from tuneproof.engine.data.tool_calls import NotACall, offered_tools
from tuneproof.engine.data.turns import read_conversation

OFFERED_KEYS = ("tools", "functions")
"""Keys of a row with the tools that it offers."""

ROW_REASONING_KEYS = ("reasoning_content", "thinking")
"""Keys of a row with what is thought before its output."""

UNUSED_ROW_KEYS = {
    "tool_choice": "which tool is called is left to the model",
    "parallel_tool_calls": "whether several tools are called at once is left to the model",
    "function_call": "which tool is called is left to the model",
    "response_format": "the format of answers is that of the case",
    "image": "pictures are not read",
    "images": "pictures are not read",
    "video": "films are not read",
    "videos": "films are not read",
    "audio": "recordings are not read",
    "audios": "recordings are not read",
    "choices": "the model is not shown what there is to choose from",
    "options": "the model is not shown what there is to choose from",
}
"""Keys of a row on which nothing here acts, and what that means."""

REJECTED_KEYS = ("rejected", "rejected_response", "rejected_messages")
"""Keys of a row with an answer that is worse than its output (TRL, ms-swift)."""

_HONOURED = {"system", "history", *OFFERED_KEYS, *ROW_REASONING_KEYS}
_SAYING = frozenset({*_HONOURED, *REJECTED_KEYS, *UNUSED_ROW_KEYS})


def rest_of(row: Mapping[str, Any], used: Collection[str]) -> Mapping[str, Any]:
    """The metadata of an example: the columns that it does not use, and the entries of a column `metadata`."""
    rest = {sys.intern(key): value for key, value in row.items() if key not in used}
    if not rest:
        # Most rows have none, and an empty dictionary for each would take more memory than a label.
        return NO_METADATA
    inner = rest.pop("metadata", None)
    return {**rest, **inner} if isinstance(inner, dict) else rest if inner is None else {**rest, "metadata": inner}


def note_unused(row: Mapping[str, Any], notes: RowNotes, used: Collection[str] = ()) -> None:
    """Notes the keys of a row on which nothing here acts."""
    if any(row.get(key) for key in REJECTED_KEYS):
        notes.add(PreferencePair(PairKind.BETTER_AND_WORSE))
    # In the order of the row, so that two audits report the same in the same order.
    for key, value in row.items():
        if key in UNUSED_ROW_KEYS and key not in used and value not in (None, "", [], {}):
            notes.add(UnusedKey(key, KeyPlace.ROW, UNUSED_ROW_KEYS[key]))


def tools_of(row: Mapping[str, Any], notes: RowNotes) -> tuple[tuple[str, ...], set[str]]:
    """The tools that a row offers, and the keys that offer them. What cannot be read as tools is noted."""
    tools: tuple[str, ...] = ()
    keys: set[str] = set()
    for key in OFFERED_KEYS:
        if row.get(key) is None:
            continue
        try:
            tools += offered_tools(row[key])
            keys.add(key)
        except NotACall as error:
            notes.add(UnusedKey(key, KeyPlace.ROW, f"the tools cannot be read: {error}"))
    return tools, keys


def reasoned(reasoning: str, answer: str, notes: RowNotes) -> str:
    """An output with its reasoning; an answer that has its own block stays as it is, which is noted."""
    output = with_reasoning(reasoning, answer)
    if reasoning.strip() and output == answer and reasoning.strip() not in answer:
        notes.add(UnusedKey("reasoning", KeyPlace.ROW, "the answer has other reasoning in its text, which is what is learned"))
    return output


def single_turn(
    row: Mapping[str, Any], source: Source, notes: RowNotes, instruction: str, given: str, output: str, used: frozenset[str]
) -> Example:
    """The example of a row with one request and one answer; `used` are the keys that have them."""
    if row.keys() <= used:
        return Example(instruction, given, output, source)
    saying = _SAYING & row.keys() - used
    if not saying:
        return Example(instruction, given, output, source, metadata=rest_of(row, used))
    read = set(used)
    note_unused(row, notes, used)
    system = row.get("system") if "system" in saying else None
    if system is not None:
        system = text_of(system, "system")
        read.add("system")
    history = _history(row["history"], notes) if "history" in saying else None
    if history is not None:
        read.add("history")
    if history:
        # Both are of the last turn; the instruction of an example stands before the first.
        instruction, given = "", "\n".join(part for part in (instruction, given) if part.strip())
    tools: tuple[str, ...] = ()
    if not saying.isdisjoint(OFFERED_KEYS) and not _is_prose(row):
        tools, keys = tools_of(row, notes)
        read |= keys
    for key in ROW_REASONING_KEYS:
        if key in saying and isinstance(row[key], str):
            output = shared_label(reasoned(row[key], output, notes))
            read.add(key)
    tool_use = ToolUse(tools) if tools else None
    return Example(instruction, given, output, source, system or "", history or (), rest_of(row, read), tool_use)


def _is_prose(row: Mapping[str, Any]) -> bool:
    """Whether a table has a column of this name that is no list of tools, such as what a craftsman needs."""
    values = [row[key] for key in OFFERED_KEYS if row.get(key)]
    return all(isinstance(value, str) and value.lstrip()[:1] not in ("[", "{") for value in values)


def _history(value: Any, notes: RowNotes) -> tuple[Message, ...] | None:
    """The earlier turns of a row: pairs of a question and its answer, or turns as a conversation has them; None if it is something else."""
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if value is None:
        return ()
    if not isinstance(value, list):
        return None
    try:
        if value and all(isinstance(turn, dict) for turn in value):
            earlier = read_conversation(value, RowNotes())
            if not earlier.system and not earlier.first_call:
                return earlier.turns
        if all(isinstance(pair, list) and len(pair) == 2 for pair in value):
            roles = ("user", "assistant")
            return tuple(Message(role, text_of(text, "history")) for pair in value for role, text in zip(roles, pair, strict=True))
    except RowError:
        pass
    notes.add(UnusedKey("history", KeyPlace.ROW, "it is not a list of questions with their answers, and is not read as earlier turns"))
    return None
