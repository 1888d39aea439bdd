"""The content of a turn as a list of blocks: text, thinking, calls of tools and their results (OpenAI, Anthropic, Mistral)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tuneproof.engine.data.cells import RowError
from tuneproof.engine.data.messages import ToolCall
from tuneproof.engine.data.tool_calls import NotACall, calls_of


@dataclass
class Blocks:
    """The blocks of a turn by their kind."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    results: list[tuple[str, str]] = field(default_factory=list)
    """Results of tools: the id of the call, and the text."""


def read_blocks(content: list[Any], number: int) -> Blocks:
    """The blocks of the content of a turn with a number. Raises RowError for what is not text, such as a picture."""
    found = Blocks()
    for block in content:
        kind = block.get("type") if isinstance(block, dict) else "text" if isinstance(block, str) else None
        if kind is None and isinstance(block, dict) and isinstance(block.get("text"), str):
            kind = "text"
        match kind:
            case "text" | "input_text" | "output_text":
                found.text += _text(block)
            case "refusal":
                found.text += str(block.get("refusal") or "")
            case "thinking" | "reasoning":
                found.reasoning += _text(block.get("thinking") or block.get("reasoning") or block.get("text"))
            case "tool_use":
                try:
                    found.calls += calls_of(block)
                except NotACall as error:
                    raise RowError(f"turn {number} calls a tool, but {error}") from None
            case "tool_result":
                found.results.append((str(block.get("tool_use_id") or ""), _text(block.get("content"))))
            case _:
                raise RowError(f"`content` of turn {number} has a part that is not text{f': {str(kind)[:40]}' if kind else ''}")
    return found


def _text(value: Any) -> str:
    """The text of a block: a text, a list of blocks of text, or nothing."""
    if isinstance(value, dict):
        value = value.get("text", value)
    if isinstance(value, list):
        return "".join(map(_text, value))
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
