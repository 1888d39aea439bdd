"""Stores answers on disk as they arrive, so that a resumed run does not pay for them again."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tuneproof.engine.core.atomic_write import PRIVATE_FOLDER
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.core.regular_files import open_for_appending
from tuneproof.engine.decoding.completion import Completion


class CachedReply(BaseModel):
    """One line of the file. The keys in the file are those of earlier versions, so that their runs can be resumed."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True, validate_by_name=True)

    request: str
    """Digest of the URL and the request body."""
    text: str
    truncated: bool
    prompt_tokens: int
    completion_tokens: int = Field(alias="tokens")
    usage_known: bool = Field(alias="tokens_told")
    attempts: int
    seconds: float
    """Duration of the attempt that was answered."""

    @classmethod
    def of(cls, request: str, completion: Completion, seconds: float) -> Self:
        """The reply that keeps a completion; `seconds` is how long it took."""
        return cls(
            request=request,
            text=completion.text,
            truncated=completion.truncated,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            usage_known=completion.usage_known,
            attempts=completion.attempts,
            seconds=seconds,
        )

    @property
    def completion(self) -> Completion:
        """The reply as what answered the prompt gave it."""
        return Completion(
            self.text, self.prompt_tokens, self.completion_tokens, self.truncated, usage_known=self.usage_known, attempts=self.attempts
        )


class ReplyCache:
    """A file of JSON lines that is only appended to; an incomplete last line is dropped."""

    def __init__(self, path: Path, url: str) -> None:
        self._path, self._url = path, url
        path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        descriptor = open_for_appending(path)
        content = path.read_bytes()
        complete = content[: content.rfind(b"\n") + 1]
        replies = [_parse(line) for line in complete.split(b"\n") if line]
        self._replies = {reply.request: reply for reply in replies if reply is not None}
        self._file = os.fdopen(descriptor, "ab")
        self._file.truncate(len(complete))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def key(self, request: str) -> str:
        """The digest of a request body. It covers the URL, since another server answers differently."""
        return sha256_data([self._url, request])

    def find(self, request: str) -> CachedReply | None:
        """The reply to a request body, if it was in the file when it was opened."""
        return self._replies.get(self.key(request))

    def add(self, reply: CachedReply) -> None:
        """Appends a reply to the file."""
        self._file.write(reply.model_dump_json().encode() + b"\n")
        self._file.flush()


def _parse(line: bytes) -> CachedReply | None:
    """None for a line that a power cut has damaged; its request is sent again."""
    try:
        return CachedReply.model_validate_json(line)
    except ValidationError:
        return None
