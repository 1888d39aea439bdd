"""The tool calls in an answer of a model, in the ways that chat templates write them.

<tool_call>{"name": "find", "arguments": {"id": 7}}</tool_call>     Hermes, Qwen 2.5 and 3, and the text form of `messages`
<tool_call><function=find><parameter=id>7</parameter></function></tool_call>     Qwen 3 Coder
<tool_call>find <arg_key>id</arg_key> <arg_value>7</arg_value></tool_call>     GLM 4.5
<function=find>{"id": 7}</function>     Llama 3.1
[TOOL_CALLS] [{"name": "find", "arguments": {"id": 7}}]     Mistral, also as [TOOL_CALLS]find[ARGS]{"id": 7}
{"name": "find", "parameters": {"id": 7}}     Llama 3.1 and others: nothing but the call, or several of them; also after <|python_tag|>
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.core.storable import NotStorable, require_storable

ARGUMENT_KEYS = ("arguments", "parameters")
"""The keys of a call with its arguments."""

CALL_KEYS = {"name", *ARGUMENT_KEYS, "id", "type", "function"}
"""Every key of a call."""

_MARKED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_NAMED = re.compile(r"<function=([^<>\s]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^<>\s]+)>(.*?)</parameter>", re.DOTALL)
_PAIR = re.compile(r"<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL)
_MISTRAL = "[TOOL_CALLS]"
_MISTRAL_NAMED = re.compile(r"([^\[\]{}\s]+)\s*\[ARGS\]\s*(.*)", re.DOTALL)
_PYTHON_TAG = "<|python_tag|>"
_BETWEEN = re.compile(r"[\s;,]*")


@dataclass(frozen=True)
class CalledTool:
    """A call that an answer makes."""

    name: str
    arguments: Mapping[str, Any]
    typed: bool = True
    """Whether the call says what is a number and what is a text; if not, every argument is a text."""


@dataclass(frozen=True)
class CallText:
    """An answer in two parts: what it says, and what it calls."""

    said: str
    calls: tuple[CalledTool, ...]


class UnreadableCall(ValueError):
    """A text begins a call that is none."""


def read_calls(text: str) -> CallText:
    """The calls of an answer without its reasoning; none if it only says something. Raises UnreadableCall."""
    for marked, read in ((_MARKED, _inside), (_NAMED, None)):
        if found := list(marked.finditer(text)):
            calls = [call for each in found for call in (read(each[1]) if read else [_function(each)])]
            return CallText(marked.sub("", text).strip(), tuple(calls))
    before, mark, after = text.partition(_MISTRAL)
    if mark:
        return CallText(before.strip(), tuple(call for part in after.split(_MISTRAL) for call in _mistral(part)))
    said, mark, after = text.partition(_PYTHON_TAG)
    if mark:
        return CallText(said.strip(), tuple(_documents(after)))
    try:
        return CallText("", tuple(_documents(text, only_calls=True)))
    except UnreadableCall:
        # Any other text, JSON too, says something.
        return CallText(text, ())


def _inside(text: str) -> list[CalledTool]:
    """The calls between the marks of Hermes."""
    if named := list(_NAMED.finditer(text)):
        return [_function(each) for each in named]
    if "<arg_key>" in text:
        return [_untyped(text.partition("<arg_key>")[0].strip(), _PAIR.findall(text))]
    return list(_documents(text))


def _function(found: re.Match[str]) -> CalledTool:
    name, inside = found[1], found[2].strip()
    if inside.startswith("{"):
        return _call({"name": name, "arguments": _json(inside)})
    return _untyped(name, _PARAMETER.findall(inside))


def _untyped(name: str, pairs: list[tuple[str, str]]) -> CalledTool:
    if not name:
        raise UnreadableCall("a call has no name")
    # Templates put each value on lines of its own.
    return CalledTool(name, {key.strip(): value.removeprefix("\n").removesuffix("\n") for key, value in pairs}, typed=False)


def _mistral(text: str) -> list[CalledTool]:
    if found := _MISTRAL_NAMED.fullmatch(text.strip()):
        return [_call({"name": found[1], "arguments": _json(found[2])})]
    return list(_documents(text))


def _documents(text: str, *, only_calls: bool = False) -> Iterator[CalledTool]:
    """The calls of a text that is nothing but JSON documents of calls, or lists of them; `only_calls` allows no other keys in them."""
    at, decoder = _after_space(text, 0), json.JSONDecoder()
    if at == len(text):
        raise UnreadableCall("there is no call")
    while at < len(text):
        if text[at] not in "{[":
            raise UnreadableCall("there is text beside the call")
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise UnreadableCall("the call is not valid JSON") from None
        for each in value if isinstance(value, list) else [value]:
            if only_calls and isinstance(each, dict) and not each.keys() <= CALL_KEYS:
                raise UnreadableCall("it has keys that no call has")
            yield _call(each)
        at = _after_space(text, end)


def _after_space(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableCall("the arguments are not valid JSON") from None


def _call(value: Any) -> CalledTool:
    inner = value.get("function") if isinstance(value, dict) else None
    call = inner if isinstance(inner, dict) else value
    key = next((key for key in ARGUMENT_KEYS if key in call), None) if isinstance(call, dict) else None
    if key is None or not isinstance(call.get("name"), str) or not call["name"]:
        raise UnreadableCall("a call has a name and arguments")
    given = call[key]
    arguments = _json(given) if isinstance(given, str) and given.strip() else given or {}
    if not isinstance(arguments, dict):
        raise UnreadableCall("the arguments of a call are an object")
    try:
        require_storable(arguments)
    except NotStorable as error:
        raise UnreadableCall(str(error)) from None
    return CalledTool(call["name"], arguments)
