"""The server that a case names: where it is, what a request to it looks like, and its key, which stays in the environment."""

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

URL_ENV = "OPENAI_BASE_URL"


@dataclass(frozen=True)
class Server:
    """Where requests go, and the settings of the case for them."""

    url: str
    settings: Endpoint

    def request(self, messages: Sequence[Message], room: int) -> str:
        """The body of a request: greedy decoding, as all arms decode, and whatever the case says otherwise."""
        body: dict[str, Any] = {
            "model": self.settings.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "temperature": 0,
            "max_tokens": room,
        }
        body |= self.settings.body
        return json.dumps({key: value for key, value in body.items() if value is not None}, ensure_ascii=False)

    def key(self) -> str | None:
        """The key; none where the environment has none. Raises CaseError for one that cannot be sent."""
        key = os.environ.get(self.settings.key_env, "").strip()
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise CaseError("the key has characters that no key has", where=f"environment: {self.settings.key_env}", fix="set it anew")
        return key or None

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the server listens on this machine's own address, so that no proxy stands before it."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def resolve_server(settings: Endpoint) -> Server:
    """The server of a case. Raises CaseError where neither the case nor the environment says where it is."""
    url = settings.url or os.environ.get(URL_ENV, "").strip()
    if not url:
        fix = f"add `url:` under `endpoint`, or set the environment variable {URL_ENV}"
        raise CaseError("the endpoint has no URL", where="endpoint", fix=fix)
    try:
        return Server(server_url(url), settings)
    except ValueError as error:
        # The URL itself is not shown: it may hold a password.
        raise CaseError(str(error).replace("`url`", f"the value of {URL_ENV}"), where="environment") from None
