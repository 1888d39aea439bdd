"""Train, validation and eval as JSONL files of the run folder; their digests are in the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.data.split import case_ids


class StoredMessage(BaseModel):
    """One turn before the input."""

    model_config = ConfigDict(extra="forbid")

    role: str
    content: str


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
        history=[StoredMessage(role=m.role, content=m.content) for m in example.history],
        input=example.input,
        output=example.output,
        metadata=dict(example.metadata),
        file=example.source.file,
        line=example.source.line,
    )


def _example(row: StoredExample) -> Example:
    return Example(
        instruction=row.instruction,
        input=row.input,
        output=row.output,
        source=Source(row.file, row.line),
        system=row.system,
        history=tuple(Message(m.role, m.content) for m in row.history),
        metadata=row.metadata,
    )
