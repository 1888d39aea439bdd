"""The server that a case names: its URL, the format of a request, and its API key, which stays in the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from tuneproof.engine.case.endpoint import Endpoint, server_url
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Message
from tuneproof.engine.data.tools_in_text import tools_in_text

URL_ENV = "OPENAI_BASE_URL"
"""Environment variable with the URL of the server, for cases without `endpoint.url`."""


@dataclass(frozen=True)
class Server:
    """An OpenAI-compatible server and the settings of a case for it."""

    url: str
    """Base URL, with `/v1` or the like; requests go to `{url}/chat/completions`."""
    settings: Endpoint

    def request_body(self, messages: Sequence[Message], max_new_tokens: int) -> str:
        """The JSON body of a request: greedy decoding, as for every arm, unless the case's `endpoint.body` overrides it.

        Tools are offered, called and answered in text, which every server takes.
        """
        body: dict[str, Any] = {
            "model": self.settings.model,
            "messages": [{"role": message.role, "content": message.content} for message in tools_in_text(messages)],
            "temperature": 0,
            "max_tokens": max_new_tokens,
        }
        body |= self.settings.body
        return json.dumps({key: value for key, value in body.items() if value is not None}, ensure_ascii=False)

    def api_key(self) -> str | None:
        """The API key from the environment variable `endpoint.key_env`; None if it is not set.

        Raises CaseError for a key that cannot be sent in a header.
        """
        key = os.environ.get(self.settings.key_env, "").strip()
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise CaseError(
                "the API key contains characters that no API key has",
                where=f"environment: {self.settings.key_env}",
                fix="set the variable to the key alone",
            )
        return key or None

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the URL is a loopback address, which no proxy can reach."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def resolve_server(settings: Endpoint) -> Server:
    """The server of a case: `endpoint.url`, or else the URL in the environment.

    Raises CaseError if neither gives a URL, or if it is not a valid one.
    """
    url = settings.url or os.environ.get(URL_ENV, "").strip()
    if not url:
        fix = f"add `url:` under `endpoint`, or set the environment variable {URL_ENV}"
        raise CaseError("the endpoint has no URL", where="endpoint", fix=fix)
    try:
        return Server(server_url(url), settings)
    except ValueError as error:
        # The message does not repeat the URL, which may contain a password.
        raise CaseError(str(error).replace("`url`", f"the value of {URL_ENV}"), where="environment") from None
