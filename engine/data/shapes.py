"""Raw rows to examples: the shapes that fine-tuning data comes in, told by their keys and never guessed silently."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tuneproof.engine.case.data import Columns
from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.data.problems import RowProblem, Unreadable, WrongTurns


class RowError(ValueError):
    """One row does not make an example; the message says why."""

    kind: type[RowProblem] = Unreadable


class TurnError(RowError):
    """A conversation leads to no answer that can be learned."""

    kind = WrongTurns


@dataclass(frozen=True)
class Shape:
    """One way of writing a record: how it is called, which keys give it away, and how it becomes an example."""

    name: str
    needs: frozenset[str]
    convert: Callable[[Mapping[str, Any], Source], Example]


def detect(row: Mapping[str, Any]) -> Shape | None:
    """The first shape whose keys the row has, or none."""
    return next((shape for shape in SHAPES if shape.needs <= row.keys()), None)


def of_columns(columns: Columns) -> Shape:
    """The shape that the case spells out."""
    named = {columns.input, columns.output} | ({columns.instruction} if columns.instruction else set())

    def convert(row: Mapping[str, Any], source: Source) -> Example:
        return Example(
            instruction=text_of(row, columns.instruction, required=False) if columns.instruction else "",
            input=text_of(row, columns.input),
            output=answer_of(row, columns.output),
            source=source,
            metadata=_rest(row, named),
        )

    return Shape(f"columns {columns.input} -> {columns.output}", frozenset(named), convert)


def text_of(row: Mapping[str, Any], key: str, *, required: bool = True) -> str:
    """A text cell; numbers are written out, nothing counts as empty."""
    value = row.get(key)
    if value is None:
        if required:
            raise RowError(f"`{key}` is missing")
        return ""
    if isinstance(value, str):
        _no_lone_surrogates(value, key)
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise RowError(f"`{key}` is not text")


def answer_of(row: Mapping[str, Any], key: str) -> str:
    """A text cell, or a structure written as JSON."""
    value = row.get(key)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return text_of(row, key)


def _no_lone_surrogates(text: str, key: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise RowError(f"`{key}` holds half a surrogate pair, which is no character")


def _alpaca(row: Mapping[str, Any], source: Source) -> Example:
    instruction = text_of(row, "instruction", required=False)
    given = text_of(row, "input", required=False)
    return Example(
        # A record with an instruction alone asks with it: the instruction is then the input.
        instruction=instruction if given.strip() else "",
        input=given if given.strip() else instruction,
        output=answer_of(row, "output"),
        source=source,
        system=text_of(row, "system", required=False),
        metadata=_rest(row, {"instruction", "input", "output", "system"}),
    )


def _prompt_completion(row: Mapping[str, Any], source: Source) -> Example:
    if isinstance(row["prompt"], list) and isinstance(row["completion"], list):
        return _chat(row["prompt"] + row["completion"], _rest(row, {"prompt", "completion"}), source, OPENAI)
    return Example("", text_of(row, "prompt"), answer_of(row, "completion"), source, metadata=_rest(row, {"prompt", "completion"}))


def _messages(row: Mapping[str, Any], source: Source) -> Example:
    return _chat(row["messages"], _rest(row, {"messages"}), source, OPENAI)


def _conversations(row: Mapping[str, Any], source: Source) -> Example:
    turns = row["conversations"]
    first = turns[0] if isinstance(turns, list) and turns else None
    names = OPENAI if isinstance(first, dict) and "role" in first else SHAREGPT
    extra = [{names.role: "system", names.content: row["system"]}] if isinstance(row.get("system"), str) and row["system"] else []
    return _chat(extra + turns if isinstance(turns, list) else turns, _rest(row, {"conversations", "system"}), source, names)


@dataclass(frozen=True)
class TurnNames:
    """What a format calls the parts of a turn, and its speakers."""

    role: str
    content: str
    speakers: Mapping[str, str]


OPENAI = TurnNames(
    "role",
    "content",
    {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"},
)
SHAREGPT = TurnNames(
    "from",
    "value",
    {
        "system": "system",
        "human": "user",
        "user": "user",
        "gpt": "assistant",
        "assistant": "assistant",
        "chatgpt": "assistant",
    },
)


def _chat(turns: Any, metadata: Mapping[str, Any], source: Source, names: TurnNames) -> Example:
    """The last assistant turn is the output, the user turn before it the input, and what came before is history."""
    if not isinstance(turns, list):
        raise RowError("the conversation is not a list of turns")
    messages = [_turn(turn, number, names) for number, turn in enumerate(turns, start=1)]
    spoken = [m for m in messages if m.role != "system"]
    _must_lead_to_an_answer(messages, spoken)
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    return Example("", spoken[-2].content, spoken[-1].content, source, system, tuple(spoken[:-2]), metadata)


def _must_lead_to_an_answer(messages: Sequence[Message], spoken: Sequence[Message]) -> None:
    """Raises where no answer can be learned; turns before it that are merely odd are left to the audit."""
    if not spoken:
        raise TurnError("the conversation has no turns" + (" but the system's" if messages else ""))
    roles = [message.role for message in messages]
    late = next((at for at, two in enumerate(pairwise(roles), start=2) if two[1] == "system" != two[0]), None)
    if late is not None:
        # Moved to the start it would govern turns that were spoken without it.
        raise TurnError(f"turn {late} is the system's, in the middle of the conversation; models read it at the start alone")
    if spoken[-1].role != "assistant":
        raise TurnError("the last turn is not the assistant's, so there is nothing to learn")
    if len(spoken) < 2:
        raise TurnError("the conversation begins with the answer, and nothing was asked")
    if spoken[-2].role == "tool":
        raise RowError("the answer follows a tool's turn, which this version does not train")
    if spoken[-2].role != "user":
        raise TurnError("the last two turns are both the assistant's: the answer does not follow a user's turn")


def _turn(turn: Any, number: int, names: TurnNames) -> Message:
    if not isinstance(turn, dict):
        raise RowError(f"turn {number} is not an object")
    role = names.speakers.get(str(turn.get(names.role)))
    if role is None:
        raise TurnError(f"turn {number} has the unknown role {turn.get(names.role)!r}")
    if turn.get("tool_calls"):
        raise RowError(f"turn {number} calls tools, which this version does not train")
    content = turn.get(names.content)
    if isinstance(content, list) and all(isinstance(p, dict) and p.get("type") == "text" for p in content):
        content = "".join(str(p.get("text", "")) for p in content)
    named = f"{names.content} of turn {number}"
    return Message(role, text_of({named: content}, named))


def _rest(row: Mapping[str, Any], used: set[str]) -> dict[str, Any]:
    """What the row says beside the example; explicit `metadata` is laid flat."""
    rest = {key: value for key, value in row.items() if key not in used}
    inner = rest.pop("metadata", None)
    return {**rest, **inner} if isinstance(inner, dict) else rest if inner is None else {**rest, "metadata": inner}


SHAPES = [
    Shape("messages", frozenset({"messages"}), _messages),
    Shape("conversations", frozenset({"conversations"}), _conversations),
    Shape("instruction/input/output", frozenset({"instruction", "output"}), _alpaca),
    Shape("input/output", frozenset({"input", "output"}), _alpaca),
    Shape("prompt/completion", frozenset({"prompt", "completion"}), _prompt_completion),
]
