"""Train, validation and eval as JSONL files of the run folder; their digests are in the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.data.messages import ToolCall, ToolUse, message
from tuneproof.engine.data.split import case_ids


def _is_empty(value: object) -> bool:
    return not value


class StoredMessage(BaseModel):
    """One turn before the answer. What a plain turn has not is left out."""

    model_config = ConfigDict(extra="forbid")

    role: str
    content: str
    tool_calls: list[ToolCall] = Field(default=[], exclude_if=_is_empty)
    tool_call_id: str = Field(default="", exclude_if=_is_empty)
    name: str = Field(default="", exclude_if=_is_empty)
    reasoning: str = Field(default="", exclude_if=_is_empty)

    @classmethod
    def of(cls, turn: Message) -> StoredMessage:
        """The turn as it is stored."""
        calls = list(turn.tool_calls)
        return cls(
            role=turn.role, content=turn.content, tool_calls=calls, tool_call_id=turn.tool_call_id, name=turn.name, reasoning=turn.reasoning
        )

    def message(self) -> Message:
        """The stored turn."""
        return message(self.role, self.content, tuple(self.tool_calls), self.tool_call_id, self.name, self.reasoning)


class StoredToolUse(BaseModel):
    """The tools of an example."""

    model_config = ConfigDict(extra="forbid")

    tools: list[str]
    turns: list[StoredMessage]
    calls: list[ToolCall]

    @classmethod
    def of(cls, use: ToolUse) -> StoredToolUse:
        """The tools as they are stored."""
        return cls(tools=list(use.tools), turns=[StoredMessage.of(turn) for turn in use.turns], calls=list(use.calls))

    def tool_use(self) -> ToolUse:
        """The stored tools."""
        return ToolUse(tuple(self.tools), tuple(turn.message() for turn in self.turns), tuple(self.calls))


class StoredExample(BaseModel):
    """One line of a file under `splits/`."""

    model_config = ConfigDict(extra="forbid")

    id: str
    """From `case_ids`: a digest of the content, numbered if several rows are equal."""
    instruction: str
    system: str
    history: list[StoredMessage]
    input: str
    output: str
    metadata: dict[str, Any]
    file: str
    line: int
    tool_use: StoredToolUse | None = Field(default=None, exclude_if=_is_empty)
    conversation: str = Field(default="", exclude_if=_is_empty)


def examples_to_jsonl(examples: Sequence[Example]) -> str:
    """The examples as JSONL, each with its id."""
    return "".join(_stored(i, e).model_dump_json() + "\n" for i, e in zip(case_ids(examples), examples, strict=True))


def examples_from_jsonl(text: str) -> list[tuple[str, Example]]:
    """The ids and examples of a stored part. Raises ValidationError for a line that is none."""
    rows = [StoredExample.model_validate_json(line) for line in text.split("\n") if line]
    return [(row.id, _example(row)) for row in rows]


def _stored(name: str, example: Example) -> StoredExample:
    return StoredExample(
        id=name,
        instruction=example.instruction,
        system=example.system,
        history=[StoredMessage.of(turn) for turn in example.history],
        input=example.input,
        output=example.output,
        metadata=dict(example.metadata),
        file=example.source.file,
        line=example.source.line,
        tool_use=None if example.tool_use is None else StoredToolUse.of(example.tool_use),
        conversation=example.conversation,
    )


def _example(row: StoredExample) -> Example:
    return Example(
        instruction=row.instruction,
        input=row.input,
        output=row.output,
        source=Source(row.file, row.line),
        system=row.system,
        history=tuple(turn.message() for turn in row.history),
        metadata=row.metadata,
        tool_use=None if row.tool_use is None else row.tool_use.tool_use(),
        conversation=row.conversation,
    )
