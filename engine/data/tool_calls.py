"""Tool calls and offered tools in the ways that data write them, read into the one form of `messages`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tuneproof.engine.data.messages import ToolCall, arguments_text


class NotACall(ValueError):
    """A value that is no call of a tool; the message is a part of a sentence."""


def calls_of(value: Any) -> tuple[ToolCall, ...]:
    """The calls of a value: one or a list of them, or the JSON text of that.

    A call is {"name", "arguments"}, as in `function_call` of OpenAI and in ShareGPT, or {"id", "type", "function": {"name", "arguments"}},
    as in `tool_calls` of OpenAI. Raises NotACall.
    """
    if isinstance(value, str):
        value = _json(value)
    calls = value if isinstance(value, list) else [value]
    return tuple(_call(call) for call in calls if call is not None)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NotACall("it is not JSON") from None


def _call(value: Any) -> ToolCall:
    if not isinstance(value, Mapping):
        raise NotACall("a call is not an object")
    inner = value.get("function")
    function = inner if isinstance(inner, Mapping) else value
    name = function.get("name") or (inner if isinstance(inner, str) else None) or value.get("tool_name")
    if not isinstance(name, str) or not name:
        raise NotACall("a call has no name")
    arguments = next((function[key] for key in ("arguments", "parameters", "input", "args") if function.get(key) is not None), None)
    call_id = next((value[key] for key in ("id", "tool_call_id") if isinstance(value.get(key), str)), "")
    try:
        return ToolCall(name, arguments_text(arguments), call_id)
    except ValueError as error:
        raise NotACall(f"the arguments of `{name[:60]}` are not the JSON of an object: {str(error)[:80]}") from None


def offered_tools(value: Any) -> tuple[str, ...]:
    """The tools that a row offers, each as JSON text. The value is a list of tools, one tool, or the JSON text of that; empty means none.

    A tool is the object of OpenAI's `tools`, that of its `functions`, or Anthropic's with `input_schema`. Raises NotACall.
    """
    if isinstance(value, str):
        if not value.strip():
            return ()
        value = _json(value)
    tools = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(_tool(tool) for tool in tools if tool is not None)


def _tool(value: Any) -> str:
    if isinstance(value, str):
        # Some data sets have each tool as JSON text.
        value = _json(value)
    if not isinstance(value, Mapping):
        raise NotACall("a tool is not an object")
    inner = value.get("function")
    function = dict(inner if isinstance(inner, Mapping) else {key: part for key, part in value.items() if key != "type"})
    if not isinstance(function.get("name"), str):
        raise NotACall("a tool has no name")
    if "parameters" not in function and "input_schema" in function:
        function["parameters"] = function.pop("input_schema")
    return json.dumps({"type": "function", "function": function}, ensure_ascii=False)
