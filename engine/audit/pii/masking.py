"""Texts of a user's rows as they may be shown: private data and secrets masked."""

from __future__ import annotations

from tuneproof.engine.audit.pii.matches import replaced, settled
from tuneproof.engine.audit.pii.private_data import find_private_data, may_hold_private_data
from tuneproof.engine.audit.pii.secrets import find_secrets, may_hold_secret


def masked(text: str) -> str:
    """The text with every private datum and secret masked: the kind stays recognisable, and nothing of use is left."""
    found = find_private_data(text) if may_hold_private_data(text) else []
    if may_hold_secret(text):
        found = settled([*found, *find_secrets(text)])
    return replaced(text, found) if found else text


def quoted(text: str, most: int = 120) -> str:
    """The beginning of a text as a note may quote it: masked before it is cut, because half a key is no longer known as one."""
    return masked(text.strip())[:most]
