"""An API key is found in what a server sends back however the server writes it, and an answer that has none of it is kept."""

from __future__ import annotations

import base64
import html
import textwrap
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.endpoint.secret_echo import SecretEcho

KEY = "sk-proj-Ab3dEf7hIjK1mN0pQrS9tUvWxYz24680"

WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "reversed": lambda key: key[::-1],
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 of the header": lambda key: base64.b64encode(f"Bearer {key}".encode()).decode(),
    "base64 for URLs, reversed": lambda key: base64.urlsafe_b64encode(key[::-1].encode()).decode(),
    "base64 in lines": lambda key: "\n".join(textwrap.wrap(base64.encodebytes(f"x{key}".encode()).decode(), 16)),
    "hexadecimal": lambda key: key.encode().hex(),
    "hexadecimal with colons": lambda key: key.encode().hex(":").upper(),
    "shortened": lambda key: f"{key[:20]}…",
    "only its end": lambda key: f"…{key[-10:]}",
    "in capitals": str.upper,
    "spaced out": " ".join,
    "with dashes": "-".join,
    "for a URL": lambda key: "".join(f"%{ord(c):02x}" for c in key),
    "as entities": lambda key: "".join(f"&#{ord(c)};" for c in key),
    "quoted": lambda key: quote(html.escape(f'"{key}"')),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("around", ["{}", "yes, your key is {} indeed"])
def test_the_key_is_found_however_it_is_written(way: Callable[[str], str], around: str) -> None:
    assert SecretEcho(KEY).is_in(around.format(way(KEY)))


@given(st.text(st.characters(codec="ascii", exclude_categories=("C", "Z")), min_size=6, max_size=80), st.text(), st.text())
def test_no_key_is_overlooked_as_it_is_or_in_base64(key: str, before: str, after: str) -> None:
    echo = SecretEcho(key)
    assert echo.is_in(base64.b64encode(key.encode()).decode())
    assert echo.is_in(f"{before} {key} {after}") or "&" in before + key or "%" in before + key


@pytest.mark.parametrize(
    "answer",
    [
        "yes",
        '{"queue": "billing", "priority": 2}',
        "sk-proj- is how keys of projects begin",
        "Order 24680 of 2024-01-02",
        "development server",
    ],
)
def test_an_answer_without_the_key_is_kept(answer: str) -> None:
    assert not SecretEcho(KEY).is_in(answer)
    assert not SecretEcho("local-development").is_in(answer)


@pytest.mark.parametrize("key", [None, "EMPTY", "none"])
def test_a_key_that_is_no_secret_is_not_looked_for(key: str | None) -> None:
    assert not SecretEcho(key).is_in(f"{key} EMPTY none")
