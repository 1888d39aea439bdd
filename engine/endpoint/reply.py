"""Parses what a server sends: an answer, or the reason why there is none and whether a retry can help."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from tuneproof.engine.data.reasoning import with_reasoning

RETRYABLE_STATUSES = {408, 409, 425, 429}
"""Statuses below 500 that a retry may not get again."""

WRONG_ADDRESS_STATUSES = {404, 405}
"""Statuses that every other request gets too: the path or the name of the model is wrong."""

FINISH_LENGTH = "length"
"""The `finish_reason` of an answer that was cut off at `max_tokens`."""


class FailureKind(Enum):
    """What a failed attempt says about the other requests."""

    UNREACHABLE = auto()
    """No connection to the server."""
    UNAUTHORIZED = auto()
    """401: the API key is missing or wrong."""
    WRONG_ADDRESS = auto()
    """No request to this URL for this model can succeed."""
    REJECTED = auto()
    """The server understands the request and refuses it."""
    OTHER = auto()
    """Timeouts, overload, server errors, broken replies: says nothing about other requests."""


@dataclass(frozen=True)
class ServerAnswer:
    """The answer in a reply, and its token counts if the server reports them."""

    text: str
    truncated: bool
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usage_known: bool = False
    """Whether the server reports token counts; both are 0 if not."""


@dataclass(frozen=True)
class FailedAttempt:
    """Why a request got no answer."""

    reason: str
    """One of few short reasons that can be counted."""
    detail: str = ""
    """The server's own message."""
    kind: FailureKind = FailureKind.OTHER
    retryable: bool = True
    """Whether another attempt can help."""
    retry_after: float | None = None
    """Seconds that the server asks to wait before the next request."""


class _Part(BaseModel):
    type: str = ""
    text: str = ""


class _Message(BaseModel):
    content: str | list[_Part] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None

    @property
    def text(self) -> str | None:
        """The answer; None if there is none.

        A server that takes reasoning apart returns it in a field of its own (vLLM, DeepSeek, OpenRouter) or in parts of another type
        (Mistral). A model that only reasoned has an answer without a text, and no server failed.
        """
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content if part.type in ("text", "output_text"))
        # A refusal is an answer too; the API returns it in a field of its own.
        found = self.content if self.content is not None else self.refusal
        return with_reasoning(self.reasoning_content or self.reasoning or "", "") or None if found is None else found


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Reply(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class _ReplyWithUsage(BaseModel):
    usage: _Usage


def read_reply(content: bytes) -> ServerAnswer | FailedAttempt:
    """The first choice of a successful reply (OpenAI API, "The chat completion object")."""
    try:
        reply = _Reply.model_validate_json(content)
    except ValidationError as error:
        if any(found["type"] == "json_invalid" for found in error.errors(include_input=False)):
            return FailedAttempt("reply is not JSON", server_message(content))
        return FailedAttempt("reply has an unknown format", server_message(content))
    choice = reply.choices[0]
    text = choice.message.text
    if text is None:
        detail = f"finish_reason is `{choice.finish_reason}`" if choice.finish_reason else ""
        return FailedAttempt("reply without text", detail, retryable=choice.finish_reason is None)
    truncated, usage = choice.finish_reason == FINISH_LENGTH, _usage(content)
    if usage is None:
        return ServerAnswer(text, truncated)
    return ServerAnswer(text, truncated, usage.prompt_tokens, usage.completion_tokens, usage_known=True)


def _usage(content: bytes) -> _Usage | None:
    """The token counts of a reply; None if they are missing or malformed, which does not make the answer invalid."""
    try:
        return _ReplyWithUsage.model_validate_json(content).usage
    except ValidationError:
        return None


def read_failure(status: int, headers: Mapping[str, str], content: bytes) -> FailedAttempt:
    """Why a reply with an error status has no answer."""
    try:
        reason = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        reason = f"status {status}"
    return FailedAttempt(
        reason,
        server_message(content),
        _kind(status),
        retryable=status in RETRYABLE_STATUSES or status >= 500,
        retry_after=_retry_after(headers.get("retry-after")),
    )


def _kind(status: int) -> FailureKind:
    if status == 401:
        return FailureKind.UNAUTHORIZED
    # A redirect counts as a wrong address: it is not followed, so that the API key goes nowhere else.
    if status in WRONG_ADDRESS_STATUSES or status < 400:
        return FailureKind.WRONG_ADDRESS
    return FailureKind.REJECTED if status < 500 and status not in RETRYABLE_STATUSES else FailureKind.OTHER


def _retry_after(value: str | None) -> float | None:
    """The header `Retry-After` in seconds from now; it holds seconds or a date (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(max(0.0, seconds), 1e9) if seconds == seconds else None


def server_message(content: bytes) -> str:
    """The error message in a reply, on one line: from the usual fields of its JSON, or else the whole text."""
    text = content.decode("utf-8", "replace")
    try:
        # JSON is written again, so that an API key in it has one spelling and can be found.
        document = json.loads(text)
        text = _message_field(document) or json.dumps(document, ensure_ascii=False)
    except (ValueError, RecursionError):
        pass
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _message_field(document: Any) -> str:
    while isinstance(document, dict):
        document = next((document[key] for key in ("error", "message", "detail") if document.get(key)), None)
    return document if isinstance(document, str) else ""
