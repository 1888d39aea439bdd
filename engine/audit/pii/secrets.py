"""Keys, tokens and passwords inside examples."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneproof.engine.audit.pii.matches import Match, held, settled
from tuneproof.engine.audit.pii.secret_patterns import NAMED, TOKENS
from tuneproof.engine.audit.registry import Finding, Severity, check, several
from tuneproof.engine.audit.table import Table

# What every token has that does not begin with AKIA, ASIA or AIza: the end of its prefix, a sign, and a long run of its characters.
_TOKEN = re.compile(
    r"_(?<=(?:h[pousr]|at|ve|hf|pm)_)[A-Za-z0-9_]{16}"
    r"|-(?:----BEGIN |(?<=(?:sk|[adrptbfn]t|as|x[abeoprs]|pp|pi|PX)-)[A-Za-z0-9_-]{16})"
    r"|\.(?:eyJ|(?<=SG\.)[A-Za-z0-9_-]{22}|[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27})"
    r"|:(?://(?:hooks\.|(?:\w+\.)?discord|[^\s/@]*@)|[A-Za-z0-9_-]{35})"
)
# A value that only its name gives away, in small letters: the name and the sign before a value, or the name and the value.
_NAMED = re.compile(
    r"(?:pass|secret|pwd|key|token|sig)[\w-]{0,24}\\?[\"'`\])]{0,2}\s{0,3}[:=]|bearer\s|(?:aws|secret)[^\n]{0,60}?[a-z0-9/+]{40}"
)


@check("secret", severity=Severity.BLOCK)
def secrets(table: Table) -> Iterator[Finding]:
    """Keys, tokens and passwords: a model can repeat a key that it has seen, to anyone who asks.

    Looks for the forms that providers document (cloud, code hosting, chat, payment, model hosting, packages), private-key blocks, web
    tokens, addresses with a password, and values after names such as `password=`. Stand-ins such as `your_password` are let through.
    Shown masked, here and on the card.
    """
    found = held([*table.examples, *table.eval], may_hold_secret, find_secrets)
    if found.rows:
        count = len(found.rows)
        yield Finding(
            f"{count} {several(count, 'row holds a secret', 'rows hold secrets')}: {found}",
            "revoke what is still valid, put stand-ins in its place, such as <api-key>; or leave these rows out",
            found.rows,
        )


def may_hold_secret(text: str) -> bool:
    """Whether a text is worth a closer look: false for nearly every clean text, and never false for one that holds something."""
    return _may_hold_token(text) or _may_hold_named(text)


def find_secrets(text: str) -> list[Match]:
    """The secrets of a text, masked, in the order of the text."""
    patterns = (*(TOKENS if _may_hold_token(text) else ()), *(NAMED if _may_hold_named(text) else ()))
    return settled(
        Match(pattern.kind, match.start(), match.end(), pattern.shown(match), pattern.trust)
        for pattern in patterns
        for match in pattern.written.finditer(text)
        if pattern.real(match)
    )


def _may_hold_token(text: str) -> bool:
    return _TOKEN.search(text) is not None or "AKIA" in text or "ASIA" in text or "AIza" in text


def _may_hold_named(text: str) -> bool:
    """Written out, since it is asked of every row."""
    if "=" not in text and ":" not in text and "earer" not in text and "EARER" not in text and "aws" not in text and "AWS" not in text:
        return False
    low = text.lower()
    named = "pass" in low or "secret" in low or "pwd" in low or "key" in low or "token" in low or "sig=" in low or "aws" in low
    return (named or "bearer" in low) and _NAMED.search(low) is not None
