"""The turns of one row, in any of the ways that chat data write them, as a conversation of typed turns."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.cells import NotToLearn, RowError, TurnError, text_of
from tuneproof.engine.data.content_blocks import read_blocks
from tuneproof.engine.data.example import Message
from tuneproof.engine.data.messages import CALL_OPEN, ToolCall, calls_in, message, turn_data
from tuneproof.engine.data.notes import KeyPlace, RowNotes, SkippedTurns, UnknownTurnKey, UnusedKey
from tuneproof.engine.data.tool_calls import NotACall, calls_of

ROLE_KEYS = ("role", "from", "speaker", "type")
CONTENT_KEYS = ("content", "value", "text")
REASONING_KEYS = ("reasoning_content", "thinking", "reasoning")
CALL_KEYS = ("tool_calls", "function_call")
LEARNING_KEYS = ("weight", "train", "training", "loss")
"""Keys by which a turn says whether it is learned: OpenAI's, and those of axolotl and ms-swift."""

CALL_ROLES = ("function_call", "tool_call")
"""Roles whose content is a call of the assistant (ShareGPT as LLaMA-Factory and ms-swift read it)."""

ROLES = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "ai", "bot", "chatbot", "model", *CALL_ROLES), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "tool_response", "function_response", "ipython"), "tool"),
}
"""The role of `Message` for each name that data have for it."""

DIGEST_CHARACTERS = 16
"""Hexadecimal digits that tell a conversation from others."""

_RESPONSE = re.compile(r"<tool_response>\s*((?:(?!</?tool_response>).)*?)\s*</tool_response>", re.DOTALL)
"""The result of a tool as Hermes writes it."""

UNUSED_TURN_KEYS = {
    "audio": "speech is not read",
    "audios": "recordings are not read",
    "images": "pictures are not read",
    "videos": "films are not read",
    "annotations": "what an answer refers to is not read",
}
"""Keys of turns on which nothing here acts, and what that means."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns of a row."""

    system: str
    turns: tuple[Message, ...]
    """Every turn but the system's."""
    unlearned: frozenset[int]
    """The positions of assistant turns that are never an output, because the data say so."""
    keys_of_unlearned: frozenset[str]
    """The keys that say so."""
    first_call: int
    """The number in the file of the first turn that calls a tool or has its result; 0 if none does."""


def read_conversation(turns: Any, notes: RowNotes, system: str = "") -> Conversation:
    """The conversation of a list of turns; `system` is the row's own system text, before that of the turns.

    Raises RowError for turns that cannot be read, and TurnError for an unknown role or a system turn after the start.
    """
    if isinstance(turns, str) and turns.lstrip()[:1] == "[":
        # Tables have no lists.
        turns = _json_list(turns)
    if not isinstance(turns, list):
        raise RowError("the conversation is not a list of turns")
    systems = [system] if system else []
    spoken: list[Message] = []
    unlearned: set[int] = set()
    keys: set[str] = set()
    first_call = 0
    for number, turn in enumerate(turns, start=1):
        if not isinstance(turn, dict):
            raise RowError(f"turn {number} is not an object")
        for read in _messages(turn, number, notes):
            if read.role == "system":
                if spoken:
                    # At the start, it would apply to turns that were written without it.
                    where = f"turn {number} is a system message in the middle of the conversation"
                    raise TurnError(f"{where}; models expect it only at the start")
                systems.append(read.content)
                continue
            if spoken and spoken[-1].role == "assistant" and _is_call(turn):
                # ShareGPT has what is said beside a call, and each of several calls, as a turn of its own.
                said = spoken.pop()
                read = message("assistant", said.content, said.tool_calls + read.tool_calls, reasoning=said.reasoning or read.reasoning)
            spoken.append(read)
            if not first_call and (read.tool_calls or read.role == "tool"):
                first_call = number
        if len(turn) > 2 and spoken and spoken[-1].role == "assistant" and (key := _says_not_to_learn(turn, notes)):
            unlearned.add(len(spoken) - 1)
            keys.add(key)
    return Conversation("\n\n".join(systems), tuple(spoken), frozenset(unlearned), frozenset(keys), first_call)


def _json_list(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _messages(turn: Mapping[str, Any], number: int, notes: RowNotes) -> Sequence[Message]:
    """The messages of one turn: one, or more if a turn has results of tools beside its text."""
    role_key = next((key for key in ROLE_KEYS if key in turn), ROLE_KEYS[0])
    named = str(turn.get(role_key))
    role = ROLES.get(named) or ROLES.get(named.lower())
    if role is None:
        raise TurnError(f"turn {number} has the unknown role {named[:60]!r}")
    content_key = next((key for key in CONTENT_KEYS if key in turn), CONTENT_KEYS[0])
    content, name = turn.get(content_key), f"{content_key} of turn {number}"
    if len(turn) == 2 and isinstance(content, str) and role != "tool" and CALL_OPEN not in content and not _is_call(turn):
        return (Message(role, text_of(content, name)),)
    _note_other_keys(turn, {role_key, content_key}, notes)
    reasoning = next((text_of(turn[key], f"{key} of turn {number}") for key in REASONING_KEYS if turn.get(key)), "")
    calls = _calls(turn, content if _is_call(turn) else None, number)
    if _is_call(turn):
        content = ""
    elif isinstance(content, list) and role != "tool":
        blocks = read_blocks(content, number)
        results = [message("tool", text, (), call_id) for call_id, text in blocks.results]
        if results and blocks.calls:
            raise RowError(f"turn {number} has a call of a tool and the result of one: write them as two turns")
        if results:
            return [*results, Message(role, blocks.text)] if blocks.text else results
        content, calls, reasoning = blocks.text, calls + blocks.calls, blocks.reasoning or reasoning
    elif role == "tool":
        content = _result(content)
    elif content is None and turn.get("refusal"):
        content = turn["refusal"]
    if content is None:
        if not calls:
            raise RowError(f"`{name}` is missing")
        content = ""
    text = text_of(content, name)
    if role == "assistant" and CALL_OPEN in text:
        text, written = calls_in(text)
        calls += written
    speaker = turn.get("name") if isinstance(turn.get("name"), str) else None
    if speaker and role != "tool":
        notes.add(UnusedKey("name", KeyPlace.TURN, "the model is not told who speaks"))
        speaker = None
    call_id = turn.get("tool_call_id")
    answered = call_id if isinstance(call_id, str) else ""
    return (message(role, text, calls, answered, speaker or "", reasoning if role == "assistant" else ""),)


def _is_call(turn: Mapping[str, Any]) -> bool:
    """Whether the content of a turn is a call."""
    return (turn.get("role") or turn.get("from")) in CALL_ROLES


def _calls(turn: Mapping[str, Any], content: Any, number: int) -> tuple[ToolCall, ...]:
    found = [turn[key] for key in CALL_KEYS if turn.get(key)] + ([content] if content is not None else [])
    try:
        return tuple(call for value in found for call in calls_of(value))
    except NotACall as error:
        raise RowError(f"turn {number} calls a tool, but {error}") from None


def _result(content: Any) -> str | None:
    """What a tool gave back: text, parts of text, or any JSON."""
    if isinstance(content, list) and content and all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in content):
        return "".join(part["text"] for part in content)
    if isinstance(content, str) and (marked := _RESPONSE.fullmatch(content.strip())):
        # Chat templates write the marks themselves.
        return marked[1]
    return json.dumps(content, ensure_ascii=False) if isinstance(content, dict | list) else "" if content is None else content


KNOWN_TURN_KEYS = frozenset(
    (*ROLE_KEYS, *CONTENT_KEYS, *REASONING_KEYS, *CALL_KEYS, *LEARNING_KEYS, *UNUSED_TURN_KEYS, "name", "tool_call_id", "refusal", "id")
)


def _note_other_keys(turn: Mapping[str, Any], used: set[str], notes: RowNotes) -> None:
    for key, value in turn.items():
        if key in used or value in (None, "", [], {}):
            continue
        if key in UNUSED_TURN_KEYS:
            notes.add(UnusedKey(key, KeyPlace.TURN, UNUSED_TURN_KEYS[key]))
        elif key not in KNOWN_TURN_KEYS or key in (*ROLE_KEYS, *CONTENT_KEYS):
            notes.add(UnknownTurnKey(key))


def _says_not_to_learn(turn: Mapping[str, Any], notes: RowNotes) -> str:
    """The key by which a turn says that it is not learned; empty if none does."""
    for key in LEARNING_KEYS:
        value = turn.get(key)
        if value is None:
            continue
        if value in (0, False, "0", "0.0", "false", "False"):
            return key
        if value not in (1, True, "1", "1.0", "true", "True"):
            notes.add(UnusedKey(key, KeyPlace.TURN, "a turn is learned wholly or, at 0, not at all"))
    return ""


def answer_position(conversation: Conversation, notes: RowNotes) -> int:
    """The position of the last turn that is learned, which is the answer.

    Raises TurnError if the last turn is not the assistant's, and NotToLearn if no turn of the assistant is learned.
    """
    turns = conversation.turns
    if not turns:
        raise TurnError(_nothing_said(conversation))
    if turns[-1].role != "assistant":
        raise TurnError("the last turn is not the assistant's, so there is no answer to train on")
    if len(turns) - 1 not in conversation.unlearned:
        return len(turns) - 1
    learned = learned_positions(conversation)
    for key in sorted(conversation.keys_of_unlearned):
        notes.add(SkippedTurns(key))
    return learned[-1]


def learned_positions(conversation: Conversation) -> list[int]:
    """The positions of the assistant's turns that are learned.

    Raises TurnError if the assistant says nothing, and NotToLearn if no turn of it is learned.
    """
    spoken = [at for at, turn in enumerate(conversation.turns) if turn.role == "assistant"]
    if not spoken:
        raise TurnError(
            "no turn is the assistant's, so there is no answer to train on" if conversation.turns else _nothing_said(conversation)
        )
    learned = [at for at in spoken if at not in conversation.unlearned]
    if not learned:
        keys = " and ".join(f"`{key}`" for key in sorted(conversation.keys_of_unlearned))
        raise NotToLearn(f"{keys} says of every turn of the assistant that it is not learned")
    return learned


def _nothing_said(conversation: Conversation) -> str:
    return "the conversation has only system messages" if conversation.system else "the conversation has no turns"


def conversation_digest(conversation: Conversation, tools: Sequence[str]) -> str:
    """What tells a conversation from others: its content, so that copies of one are the same."""
    return sha256_data([conversation.system, list(tools), [turn_data(turn) for turn in conversation.turns]])[:DIGEST_CHARACTERS]


def input_position(conversation: Conversation, answer: int) -> int:
    """The position of the user turn that an answer belongs to; between the two are only calls of tools and their results.

    Raises TurnError if there is none.
    """
    turns = conversation.turns
    asked = next((at for at in range(answer - 1, -1, -1) if turns[at].role == "user"), None)
    if answer == 0 or asked is None:
        raise TurnError("the conversation begins with the answer; there is no user turn before it")
    between = turns[asked + 1 : answer]
    if any(turn.role == "assistant" and not turn.tool_calls for turn in between) or (between and between[0].role == "tool"):
        if between[-1].role == "tool":
            raise TurnError("the answer follows a tool's turn, and no turn after the user's calls a tool")
        raise TurnError("the last two turns are both the assistant's: the answer does not follow a user's turn")
    if between and between[-1].role == "assistant":
        raise TurnError("the answer follows a call of a tool without its result")
    return asked
