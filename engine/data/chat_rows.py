"""Rows that are conversations: in the keys of OpenAI, ShareGPT or Gemini."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from tuneproof.engine.case.data import Turns
from tuneproof.engine.data.cells import RowError, object_of, objects_of, output_cell, shared_label, text_cell
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.messages import ToolUse
from tuneproof.engine.data.notes import KeyPlace, RowNotes, UnansweredTurns, UnusedKey
from tuneproof.engine.data.row_keys import note_unused, reasoned, rest_of, single_turn, tools_of
from tuneproof.engine.data.row_shape import Converted
from tuneproof.engine.data.turns import (
    ROLES,
    Conversation,
    answer_position,
    conversation_digest,
    input_position,
    learned_positions,
    read_conversation,
)

_PROMPT_COMPLETION = frozenset(("prompt", "completion"))


def prompt_completion(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Converted:
    """`prompt` and `completion`, each as a text or as turns (TRL)."""
    prompt, completion = row["prompt"], row["completion"]
    # An answer may be a JSON list too.
    if isinstance(prompt, list) or (isinstance(completion, list) and completion and all(map(_is_turn, completion))):
        turns = [*_as_turns(prompt, "user"), *_as_turns(completion, "assistant")]
        return chat(turns, row, _PROMPT_COMPLETION, source, notes)
    return single_turn(row, source, notes, "", text_cell(row, "prompt"), output_cell(row, "completion"), _PROMPT_COMPLETION)


def _is_turn(value: Any) -> bool:
    return isinstance(value, dict) and str(value.get("role", value.get("from"))).lower() in ROLES


def _as_turns(value: Any, role: str) -> list[Any]:
    return value if isinstance(value, list) else [{"role": role, "content": value}]


def messages(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Converted:
    """`messages` (OpenAI, and Anthropic with a `system` beside them)."""
    return chat(row["messages"], row, {"messages"}, source, notes)


def conversations(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Converted:
    """`conversations` (ShareGPT)."""
    return chat(row["conversations"], row, {"conversations"}, source, notes)


def conversation(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Converted:
    """`conversation`, the same in other data sets."""
    return chat(row["conversation"], row, {"conversation"}, source, notes)


def contents(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Converted:
    """`contents` with `parts` (Gemini)."""
    used = {"contents"}
    system = ""
    for key in ("systemInstruction", "system_instruction"):
        if (given := row.get(key)) is not None:
            used.add(key)
            parts = [] if isinstance(given, str) else objects_of(object_of(given, key).get("parts"), "parts")
            system = given if isinstance(given, str) else "".join(text_cell(part, "text", required=False) for part in parts)
    turns = row["contents"]
    if isinstance(turns, list):
        turns = [read for turn in turns for read in (_of_parts(turn) if isinstance(turn, dict) else [turn])]
    return chat(turns, row, used, source, notes, system)


def _of_parts(turn: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A turn with parts as OpenAI writes it: one turn, or one for each result of a tool and one for what is said beside them."""
    parts = objects_of(turn.get("parts"), "parts")
    called = [part["functionCall"] for part in parts if part.get("functionCall")]
    results = [object_of(part["functionResponse"], "functionResponse") for part in parts if part.get("functionResponse")]
    rest = [dict(part) for part in parts if not (part.get("functionCall") or part.get("functionResponse"))]
    turn = {key: value for key, value in turn.items() if key != "parts"} | {"content": rest}
    turn |= {"tool_calls": called, "content": rest or None} if called else {}
    answered = [
        {"role": "tool", "name": each.get("name"), "tool_call_id": each.get("id"), "content": each.get("response")} for each in results
    ]
    return [*answered, *([turn] if rest or called or not results else [])]


class Dialogue(NamedTuple):
    """A conversation, the tools that its row offers, and the other columns."""

    spoken: Conversation
    tools: tuple[str, ...]
    metadata: Mapping[str, Any]


def chat(turns: Any, row: Mapping[str, Any], used: Collection[str], source: Source, notes: RowNotes, system: str = "") -> Converted:
    """The examples of a conversation: that of the last turn that is learned, or one for every turn, as the case asks.

    `used` are the keys of the row that have the turns; `system` is a system text in one of them.
    """
    dialogue = _dialogue(turns, row, used, notes, system)
    return _every_turn(dialogue, source, notes) if notes.turns is Turns.ALL else _last_turn(dialogue, source, notes)


def last_turn(turns: Any, row: Mapping[str, Any], used: Collection[str], source: Source, notes: RowNotes) -> Example:
    """The example of the last turn of a conversation that is learned, whatever the case asks."""
    return _last_turn(_dialogue(turns, row, used, notes), source, notes)


def _dialogue(turns: Any, row: Mapping[str, Any], used: Collection[str], notes: RowNotes, system: str = "") -> Dialogue:
    if len(row) <= len(used):
        return Dialogue(read_conversation(turns, notes, system), (), rest_of(row, used))
    note_unused(row, notes, used)
    tools, offered = tools_of(row, notes)
    read = {*used, *offered}
    if isinstance(row.get("system"), str):
        system = row["system"]
        read.add("system")
    return Dialogue(read_conversation(turns, notes, system), tools, rest_of(row, read))


def _last_turn(dialogue: Dialogue, source: Source, notes: RowNotes) -> Example:
    """The last turn that is learned is the output, the last user turn before it the input."""
    return _example_at(dialogue, answer_position(dialogue.spoken, notes), source, notes)


def _every_turn(dialogue: Dialogue, source: Source, notes: RowNotes) -> list[Example]:
    """An example for each turn of the assistant that is learned and answers a turn of the user. Raises RowError if there is none."""
    name = conversation_digest(dialogue.spoken, dialogue.tools)
    found: list[Example] = []
    wrong: RowError | None = None
    for at in learned_positions(dialogue.spoken):
        try:
            found.append(replace(_example_at(dialogue, at, source, notes), conversation=name))
        except RowError as error:
            wrong = wrong or error
    if wrong is not None and not found:
        raise wrong
    if wrong is not None:
        notes.add(UnansweredTurns())
    return found


def _example_at(dialogue: Dialogue, answer: int, source: Source, notes: RowNotes) -> Example:
    """The example whose output is the assistant's turn at a position of a conversation. Raises RowError if it is not one to learn."""
    spoken, tools, metadata = dialogue
    turns = spoken.turns
    asked = input_position(spoken, answer)
    output = reasoned(turns[answer].reasoning, turns[answer].text, notes)
    uses_tools = tools or answer - asked > 1 or turns[answer].tool_calls
    tool_use = ToolUse(tools, turns[asked + 1 : answer], turns[answer].tool_calls) if uses_tools else None
    if any(turn.reasoning for turn in turns[:answer]):
        notes.add(UnusedKey("reasoning", KeyPlace.TURN, "what was thought before an earlier turn is not shown to the model"))
    return Example("", turns[asked].content, shared_label(output), source, spoken.system, turns[:asked], metadata, tool_use)
