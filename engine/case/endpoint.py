"""`endpoint`: a model behind an OpenAI-compatible server. The API key stays in the environment; the case has the variable's name."""

from __future__ import annotations

import re
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, JsonValue, model_validator

from tuneproof.engine.case.section import CaseSection


class Endpoint(CaseSection):
    """The server, how it is called, and its prices."""

    url: str | None = None
    """The base URL, to which `/chat/completions` is added. None: the environment variable OPENAI_BASE_URL."""
    model: str = Field(min_length=1)
    """The model's name on the server."""
    key_env: str = "OPENAI_API_KEY"
    """The environment variable that has the API key; if it is not set, no key is sent."""
    timeout_seconds: float = Field(default=60, gt=0)
    """Time limit for one attempt."""
    retries: int = Field(default=4, ge=0)
    """Attempts after the first one."""
    concurrency: int = Field(default=4, ge=1, le=256)
    """Requests at the same time."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    """The most requests in a minute. None: no limit."""
    usd_per_million_input_tokens: float | None = Field(default=None, ge=0)
    """The price of a million tokens of prompts, in US dollars. With both prices, the card says what 1,000 requests cost."""
    usd_per_million_output_tokens: float | None = Field(default=None, ge=0)
    """The price of a million tokens of answers, in US dollars."""
    body: dict[str, JsonValue] = Field(default={})
    """Keys to add to the body of the request, or to replace in it; null removes a key."""

    @model_validator(mode="after")
    def has_no_secret(self) -> Self:
        # A validator of the whole section: the error of a single key shows its value, which here may be the API key.
        if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", self.key_env):
            raise ValueError("`key_env` is the name, in capitals, of the environment variable that has the API key, never the key itself")
        if self.url is not None:
            server_url(self.url)
        if reserved := {"messages", "stream"} & self.body.keys():
            raise ValueError(f"`body` cannot have `{min(reserved)}`: tuneproof sets it")
        return self


def server_url(text: str) -> str:
    """The base URL of a server, to which `/chat/completions` can be added.

    Raises ValueError if the text is no URL of a server, or if it has a user, a password, a query or a fragment.
    """
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("`url` is not the URL of a server: write http://localhost:8000/v1")
    if parts.username is not None or parts.password is not None:
        raise ValueError("`url` has a user or a password in it: put the API key into the environment variable that `key_env` names")
    if parts.query or parts.fragment:
        raise ValueError("`url` has a `?` or `#` in it: write only the part before `/chat/completions`")
    return text.rstrip("/").removesuffix("/chat/completions")
