"""The turns of a conversation, and the one form that every way of writing tool calls is read into.

A turn is a `Message(role, content)`; one that has more than text is a `FullMessage`, which also has

    tool_calls     calls of an assistant's turn: `ToolCall(name, arguments, id)`, the arguments as the JSON text of an object
    tool_call_id   in a turn of the role "tool": the id of the call that it answers, or empty
    name           in a turn of the role "tool": the function that was called; else the speaker's name
    reasoning      what an assistant's turn thought before it, without marks

A plain `Message` answers to the same names with nothing. The roles are system, user, assistant and tool.

A row with tools has `Example.tool_use`, which is None in every other row:

    tools   the tools offered by the row, each as the JSON text of {"type": "function", "function": {"name", "description", "parameters"}}
    turns   the turns between `Example.input`, which is still the last user turn, and the answer: calls, and results of tools
    calls   what the answer calls. `Example.output` then has it as text (`with_calls`), after the answer's own text if it has one

So user, assistant that calls, tool, assistant becomes

    Example("", "Where is it?", "In Oslo.", source, tool_use=ToolUse(
        tools=('{"type": "function", "function": {"name": "find"}}',),
        turns=(FullMessage("assistant", "", (ToolCall("find", '{"id": 7}', "c1"),)), FullMessage("tool", "Oslo", tool_call_id="c1")),
    ))
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.core.storable import NotStorable, require_storable

CALL_OPEN, CALL_CLOSE = "<tool_call>", "</tool_call>"
"""The marks around a call in a text, as Hermes (Nous Research) and Qwen write it."""

_CALL = re.compile(rf"{CALL_OPEN}\s*(.*?)\s*{CALL_CLOSE}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool."""

    name: str
    arguments: str
    """The JSON text of an object."""
    id: str = ""
    """What the result refers to; empty if the data have none."""

    @property
    def text(self) -> str:
        """The call as JSON: name and arguments."""
        return f'{{"name": {json.dumps(self.name, ensure_ascii=False)}, "arguments": {self.arguments}}}'


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: str
    content: str

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls of the turn."""
        return ()

    @property
    def tool_call_id(self) -> str:
        """The id of the call whose result the turn is."""
        return ""

    @property
    def name(self) -> str:
        """The function that was called, or the speaker."""
        return ""

    @property
    def reasoning(self) -> str:
        """What was thought before the turn."""
        return ""

    @property
    def text(self) -> str:
        """The turn as text: its content, and its calls."""
        return with_calls(self.content, self.tool_calls)


@dataclass(frozen=True, slots=True)
class FullMessage(Message):
    """A turn with more than text. The others are plain, so that a long history takes little memory."""

    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    name: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class ToolOffer(Message):
    """The tools that a chat offers, before its first turn."""

    role: str = "tools"
    content: str = ""
    tools: tuple[str, ...] = ()
    """Each as JSON text, as in `ToolUse`."""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """The tools of one example."""

    tools: tuple[str, ...] = ()
    """The tools that are offered, each as JSON text."""
    turns: tuple[Message, ...] = ()
    """The turns between the input and the answer."""
    calls: tuple[ToolCall, ...] = ()
    """The calls of the answer."""


def message(
    role: str, content: str, calls: tuple[ToolCall, ...] = (), tool_call_id: str = "", name: str = "", reasoning: str = ""
) -> Message:
    """A turn: a plain one if it has nothing but text."""
    full = calls or tool_call_id or name or reasoning
    return FullMessage(role, content, calls, tool_call_id, name, reasoning) if full else Message(role, content)


def turn_data(turn: Message) -> list[Any]:
    """What the digest of an example has of a turn."""
    if not isinstance(turn, FullMessage):
        return [turn.role, turn.content]
    calls = [[call.name, call.arguments, call.id] for call in turn.tool_calls]
    return [turn.role, turn.content, calls, turn.tool_call_id, turn.name, turn.reasoning]


def tool_use_data(use: ToolUse) -> list[Any]:
    """What the digest of an example has of its tools."""
    return [list(use.tools), [turn_data(turn) for turn in use.turns], [[call.name, call.arguments, call.id] for call in use.calls]]


def with_calls(content: str, calls: Sequence[ToolCall]) -> str:
    """The text form of a turn: its content, then each call between `CALL_OPEN` and `CALL_CLOSE`."""
    if not calls:
        return content
    return "\n".join([*([content] if content else []), *(f"{CALL_OPEN}\n{call.text}\n{CALL_CLOSE}" for call in calls)])


def calls_in(text: str) -> tuple[str, tuple[ToolCall, ...]]:
    """The content and the calls of a turn in its text form. A text in which a call cannot be read has none, and is its own content."""
    if CALL_OPEN not in text:
        return text, ()
    try:
        calls = tuple(_call_of_text(found) for found in _CALL.findall(text))
    except (ValueError, RecursionError):
        return text, ()
    return (_CALL.sub("", text).strip(), calls) if calls else (text, ())


def _call_of_text(text: str) -> ToolCall:
    value = json.loads(text)
    if not isinstance(value, dict) or not isinstance(value.get("name"), str) or not value["name"]:
        raise ValueError("not a call")
    return ToolCall(value["name"], arguments_text(value.get("arguments", value.get("parameters"))))


def arguments_text(value: Any) -> str:
    """The arguments of a call as the JSON text of an object: they are written as an object, as its JSON text, or not at all.

    Raises ValueError for anything else.
    """
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except RecursionError:
            raise ValueError("the arguments are nested too deep") from None
    if value is None or value == "":
        value = {}
    if not isinstance(value, dict):
        raise ValueError("the arguments are no object")
    try:
        require_storable(value)
    except NotStorable as error:
        raise ValueError(str(error)) from None
    return json.dumps(value, ensure_ascii=False)
