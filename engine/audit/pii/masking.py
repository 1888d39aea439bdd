"""Masking private data and secrets in texts that are shown."""

from __future__ import annotations

from tuneproof.engine.audit.pii.matches import mask_matches, without_overlaps
from tuneproof.engine.audit.pii.private_data import find_private_data, may_have_private_data
from tuneproof.engine.audit.pii.secrets import find_secrets, may_have_secret


def masked(text: str) -> str:
    """The text with all private data and secrets masked: their kind stays recognisable, and nothing that could be used is left."""
    found = find_private_data(text) if may_have_private_data(text) else []
    if may_have_secret(text):
        found = without_overlaps([*found, *find_secrets(text)])
    return mask_matches(text, found) if found else text


def quoted(text: str, most: int = 120) -> str:
    """The beginning of a text for a note. It is masked before it is cut, because half a key is not recognised."""
    return masked(text.strip())[:most]
