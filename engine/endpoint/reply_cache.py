"""Answers of a server kept as they come, so that a run which is stopped and resumed does not pay for them again."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tuneproof.engine.core.hashing import sha256_data


class CachedReply(BaseModel):
    """One line of the file: the digest of address and request, what came back, and how long that took."""

    model_config = ConfigDict(extra="forbid")

    request: str
    text: str
    truncated: bool
    prompt_tokens: int
    tokens: int
    tokens_told: bool
    attempts: int
    seconds: float


class ReplyCache:
    """A file that is only appended to; a torn last line counts as not there."""

    def __init__(self, path: Path, url: str) -> None:
        self._path, self._url = path, url
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.read_bytes() if path.exists() else b""
        whole = whole[: whole.rfind(b"\n") + 1]
        self._found = dict(_read(line) for line in whole.split(b"\n") if line)
        self._file = path.open("ab")
        os.truncate(path, len(whole))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def digest(self, request: str) -> str:
        """What a request is known by: another address is another request."""
        return sha256_data([self._url, request])

    def find(self, request: str) -> CachedReply | None:
        """The answer that was kept before this file was opened."""
        return self._found.get(self.digest(request))

    def add(self, answer: CachedReply) -> None:
        """Keeps one more."""
        self._file.write(answer.model_dump_json().encode() + b"\n")
        self._file.flush()


def _read(line: bytes) -> tuple[str, CachedReply | None]:
    try:
        answer = CachedReply.model_validate_json(line)
    except ValidationError:
        # What a power cut left is asked again.
        return "", None
    return answer.request, answer
