"""Reading what a server sent: an answer, or why there is none and whether asking again can help."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field, ValidationError

PASSING = {408, 409, 425, 429}
"""Statuses below 500 that another attempt may not meet with."""

NOWHERE = {401, 404, 405}
"""Statuses that every other request will meet with too: a wrong key, a wrong address, a wrong name of a model."""

NO_ROOM = "length"
"""How a server says that it stopped because the room was used up."""


@dataclass(frozen=True)
class ServerAnswer:
    """What the model wrote, and the tokens of both sides where the server told them."""

    text: str
    truncated: bool
    prompt_tokens: int = 0
    tokens: int = 0
    tokens_told: bool = False


@dataclass(frozen=True)
class FailedAttempt:
    """Why an attempt gave no answer: in a few words that can be counted, and what the server said."""

    what: str
    said: str = ""
    again: bool = True
    """Whether another attempt may fare better."""
    wait: float | None = None
    """The seconds that the server asks to wait."""
    misplaced: bool = False
    """Whether no request at all can fare better: something about the address, the key or the name of the model is wrong."""
    refused: bool = False
    """Whether the server understood the request and does not take it."""
    status: int | None = None
    """The HTTP status, if there was a response."""


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Reply(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class _Used(BaseModel):
    usage: _Usage


def read_reply(content: bytes) -> ServerAnswer | FailedAttempt:
    """The first choice of a reply that says it went well."""
    try:
        reply = _Reply.model_validate_json(content)
    except ValidationError as error:
        if any(found["type"] == "json_invalid" for found in error.errors(include_input=False)):
            return FailedAttempt("a reply that is not JSON", told(content))
        return FailedAttempt("JSON of another shape than an answer", told(content))
    choice = reply.choices[0]
    # A refusal is what the model says, in a field of its own.
    text = choice.message.content if choice.message.content is not None else choice.message.refusal
    if text is None:
        ended = f"it ended for `{choice.finish_reason}`" if choice.finish_reason else ""
        return FailedAttempt("a reply without a text", ended, again=choice.finish_reason is None)
    usage = _usage(content)
    if usage is None:
        return ServerAnswer(text, choice.finish_reason == NO_ROOM)
    return ServerAnswer(text, choice.finish_reason == NO_ROOM, usage.prompt_tokens, usage.completion_tokens, tokens_told=True)


def _usage(content: bytes) -> _Usage | None:
    """The tokens, where they are told in the usual way; an answer is one without them too."""
    try:
        return _Used.model_validate_json(content).usage
    except ValidationError:
        return None


def read_failure(status: int, headers: Mapping[str, str], content: bytes) -> FailedAttempt:
    """Why the server did not answer, by its status."""
    try:
        what = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        what = f"status {status}"
    return FailedAttempt(
        what,
        told(content),
        again=status in PASSING or status >= 500,
        wait=_seconds_to_wait(headers.get("retry-after")),
        misplaced=status in NOWHERE or status < 400,
        refused=300 <= status < 500 and status not in PASSING,
        status=status,
    )


def _seconds_to_wait(value: str | None) -> float | None:
    """`Retry-After` in seconds from now, written as seconds or as a date."""
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


def told(content: bytes) -> str:
    """What a server says about a failure, on one line: the message that its JSON has in one of the usual places, or the text itself."""
    text = content.decode("utf-8", "replace")
    try:
        # Written anew where it is JSON, so that whoever looks for a key in it finds it in one spelling.
        document = json.loads(text)
        text = _message(document) or json.dumps(document, ensure_ascii=False)
    except (ValueError, RecursionError):
        pass
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _message(document: Any) -> str:
    while isinstance(document, dict):
        document = next((document[key] for key in ("error", "message", "detail") if document.get(key)), None)
    return document if isinstance(document, str) else ""
