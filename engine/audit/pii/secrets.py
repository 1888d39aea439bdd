"""Keys, tokens and passwords in a text."""

from __future__ import annotations

import re

from tuneproof.engine.audit.pii.matches import Match, without_overlaps
from tuneproof.engine.audit.pii.secret_patterns import NAMED, TOKENS

# What all tokens have, except those that begin with AKIA, ASIA or AIza: the end of the prefix, a sign, and a long run of characters.
_TOKEN = re.compile(
    r"_(?<=(?:h[pousr]|at|ve|hf|pm)_)[A-Za-z0-9_]{16}"
    r"|-(?:----BEGIN |(?<=(?:sk|[adrptbfn]t|as|x[abeoprs]|pp|pi|PX)-)[A-Za-z0-9_-]{16})"
    r"|\.(?:eyJ|(?<=SG\.)[A-Za-z0-9_-]{22}|[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27})"
    r"|:(?://(?:hooks\.|(?:\w+\.)?discord|[^\s/@]*@)|[A-Za-z0-9_-]{35})"
)
# A secret recognised by its name alone, in lower case: the name and the sign before a value, or the name and the value.
_NAMED = re.compile(
    r"(?:pass|secret|pwd|key|token|sig)[\w-]{0,24}\\?[\"'`\])]{0,2}\s{0,3}[:=]|bearer\s|(?:aws|secret)[^\n]{0,60}?[a-z0-9/+]{40}"
)


def may_have_secret(text: str) -> bool:
    """A cheap test: false for nearly every clean text, and never false for a text with a secret."""
    return _may_have_token(text) or _may_have_named(text)


def find_secrets(text: str) -> list[Match]:
    """The secrets of a text, masked, in the order of the text."""
    patterns = (*(TOKENS if _may_have_token(text) else ()), *(NAMED if _may_have_named(text) else ()))
    return without_overlaps(
        Match(pattern.kind, match.start(), match.end(), pattern.shown(match), pattern.trust)
        for pattern in patterns
        for match in pattern.written.finditer(text)
        if pattern.real(match)
    )


def _may_have_token(text: str) -> bool:
    return _TOKEN.search(text) is not None or "AKIA" in text or "ASIA" in text or "AIza" in text


def _may_have_named(text: str) -> bool:
    """Written out for speed, because it runs on every row."""
    if "=" not in text and ":" not in text and "earer" not in text and "EARER" not in text and "aws" not in text and "AWS" not in text:
        return False
    low = text.lower()
    named = "pass" in low or "secret" in low or "pwd" in low or "key" in low or "token" in low or "sig=" in low or "aws" in low
    return (named or "bearer" in low) and _NAMED.search(low) is not None
