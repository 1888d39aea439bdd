"""Tools in the text of a chat, for a template that has no place for them.

The form is that of Hermes (Nous Research), which Qwen's templates write too: the tools stand in the system text, a call between
`<tool_call>` marks, and a result between `<tool_response>` marks in a user turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import groupby

from tuneproof.engine.data.messages import CALL_CLOSE, CALL_OPEN, Message, ToolOffer

RESULT_OPEN, RESULT_CLOSE = "<tool_response>", "</tool_response>"
"""The marks around what a tool gave back."""


class ToolForm(StrEnum):
    """How a base is shown tools, calls and results."""

    OWN = "own"
    """As its chat template writes them."""
    TEXT = "text"
    """In the text of its turns: the template has no place for them, or writes calls that cannot be read back."""


def tools_in_text(messages: Sequence[Message]) -> list[Message]:
    """The same chat with tools, calls and results as text."""
    offered = "\n\n".join(_offer(message) for message in messages if isinstance(message, ToolOffer))
    turns = [message for message in messages if not isinstance(message, ToolOffer)]
    if offered:
        has_system = bool(turns) and turns[0].role == "system"
        told = f"{turns[0].content}\n\n{offered}" if has_system else offered
        turns = [Message("system", told), *turns[1 if has_system else 0 :]]
    changed: list[Message] = []
    for is_result, group in groupby(turns, key=lambda turn: turn.role == "tool"):
        if is_result:
            changed.append(Message("user", "\n".join(f"{RESULT_OPEN}\n{turn.content}\n{RESULT_CLOSE}" for turn in group)))
        else:
            changed += [Message(turn.role, turn.text) if turn.tool_calls else turn for turn in group]
    return changed


def _offer(offer: ToolOffer) -> str:
    """The tools of a chat in words."""
    tools = "\n".join(offer.tools)
    return (
        f"You can call these tools:\n{tools}\n\n"
        f'To call one, write:\n{CALL_OPEN}\n{{"name": <name of the tool>, "arguments": <object with its arguments>}}\n{CALL_CLOSE}'
    )
