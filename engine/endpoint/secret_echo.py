"""Finding an API key in what a server sends back: as it is, or reversed, encoded, spaced out or shortened.

A server that wants to hide a key from this can: whatever it knows, it can encrypt. What is found here is what servers and proxies do.
"""

from __future__ import annotations

import base64
import html
import re
from functools import cached_property
from urllib.parse import unquote

MIN_SECRET_LENGTH = 6
"""A shorter API key, such as the EMPTY of local servers, is no secret, and may well be part of an answer."""

FRAGMENT = 8
"""Characters in a row that give a part of the key away, if a digit is among them: shorter ones are in many texts."""

WORDY_FRAGMENT = 12
"""The same for letters alone, which words are made of."""

ENCODED_FRAGMENT = 12
"""Characters of base64, or of pairs of hexadecimal digits, in a row."""


class SecretEcho:
    """Looks for one API key; there is nothing to find without one, or if it is too short to be a secret."""

    def __init__(self, key: str | None) -> None:
        self._key = key if key is not None and len(key) >= MIN_SECRET_LENGTH else None

    def is_in(self, text: str) -> bool:
        """Whether the text has the key in it, or enough of it to be of use."""
        if self._key is None:
            return False
        read = unquote(html.unescape(text))
        plain, compact = _letters_and_digits(read), "".join(read.split())
        return (
            self._key in read
            or any(fragment in plain for fragment in self._fragments)
            or any(fragment in compact for fragment in self._base64)
            or any(fragment in plain for fragment in self._hexadecimal)
        )

    @cached_property
    def _both_ways(self) -> list[str]:
        assert self._key is not None
        return [self._key, self._key[::-1]]

    @cached_property
    def _fragments(self) -> set[str]:
        """Parts of the key, forwards and backwards, without case and punctuation."""
        found: set[str] = set()
        for key in map(_letters_and_digits, self._both_ways):
            found |= {part for part in _windows(key, FRAGMENT) if any(c.isdigit() for c in part)} | _windows(key, WORDY_FRAGMENT)
            if len(key) >= MIN_SECRET_LENGTH:
                found.add(key)
        return found

    @cached_property
    def _base64(self) -> set[str]:
        """Parts of the key in base64, wherever in the encoded text it begins."""
        found: set[str] = set()
        for key in self._both_ways:
            for before in range(3):
                encoded = base64.b64encode(b"\0" * before + key.encode()).decode().rstrip("=")
                # The first and the last characters also hold bits of what stands beside the key.
                inner = encoded[{0: 0, 1: 2, 2: 3}[before] : -1]
                parts = _windows(inner, ENCODED_FRAGMENT) or {inner}
                found |= parts | {part.translate(str.maketrans("+/", "-_")) for part in parts}
        return found

    @cached_property
    def _hexadecimal(self) -> set[str]:
        """Parts of the key as hexadecimal digits."""
        found: set[str] = set()
        for key in self._both_ways:
            digits = key.encode().hex()
            found |= _windows(digits, 2 * ENCODED_FRAGMENT) or {digits}
        return found


def _windows(text: str, length: int) -> set[str]:
    """All parts of the text of this length."""
    return {text[at : at + length] for at in range(len(text) - length + 1)}


def _letters_and_digits(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
