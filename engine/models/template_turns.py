"""The turns of a chat and the tools that it offers, as the chat templates of transformers take them."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from tuneproof.engine.data.messages import Message, ToolOffer

CALL_ID = "call{:05}"
"""Ids of calls: nine letters and digits, as Mistral's templates require, and the same in every chat, so that none has to be learned."""


def template_tools(messages: Sequence[Message], literal: Callable[[str], str]) -> list[dict[str, Any]] | None:
    """The tools that a chat offers; None if it offers none."""
    offered = [json.loads(tool) for message in messages if isinstance(message, ToolOffer) for tool in message.tools]
    return [_literal_in(tool, literal) for tool in offered] or None


def template_turns(messages: Sequence[Message], literal: Callable[[str], str], *, arguments_as_text: bool) -> list[dict[str, Any]]:
    """The turns of a chat. Calls are numbered through the chat, and each result has the number of its call."""
    turns: list[dict[str, Any]] = []
    open_calls: deque[tuple[str, str, str]] = deque()
    count = 0
    for message in messages:
        if isinstance(message, ToolOffer):
            continue
        turn: dict[str, Any] = {"role": message.role, "content": literal(message.content)}
        if message.tool_calls:
            open_calls.clear()
            turn["tool_calls"] = []
            for call in message.tool_calls:
                count += 1
                number = CALL_ID.format(count)
                open_calls.append((call.id, number, call.name))
                arguments = _literal_in(json.loads(call.arguments), literal)
                given = json.dumps(arguments, ensure_ascii=False) if arguments_as_text else arguments
                function = {"name": literal(call.name), "arguments": given}
                turn["tool_calls"].append({"id": number, "type": "function", "function": function})
        elif message.role == "tool":
            number, name = _answered(message, open_calls)
            turn |= {"tool_call_id": number, "name": literal(name)}
        turns.append(turn)
    return turns


def _answered(result: Message, open_calls: deque[tuple[str, str, str]]) -> tuple[str, str]:
    """The number and the name of the call that a result belongs to: the one with its id, else the first without a result."""
    found = next((call for call in open_calls if result.tool_call_id and call[0] == result.tool_call_id), None)
    found = found or (open_calls[0] if open_calls else None)
    if found is None:
        return CALL_ID.format(0), result.name
    open_calls.remove(found)
    return found[1], result.name or found[2]


def _literal_in(value: Any, literal: Callable[[str], str]) -> Any:
    """A JSON value with every text in it as it stands in a prompt."""
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, dict):
        return {literal(key): _literal_in(item, literal) for key, item in value.items()}
    return [_literal_in(item, literal) for item in value] if isinstance(value, list) else value
