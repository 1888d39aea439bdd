"""HTML entities in text that is no HTML."""

from __future__ import annotations

import re
from html.entities import html5

from tuneproof.engine.audit.text.code_spans import without_code

_ENTITY = re.compile(r"&(?:#\d{2,6}|#[xX][0-9a-fA-F]{2,6}|[A-Za-z]{2,31}\d{0,2});")
_TAG = re.compile(r"</?[A-Za-z][\w-]*(?:\s[^<>]*)?/?>|<!--|<\?xml|<!DOCTYPE", re.IGNORECASE)


def html_entity(field: str, text: str) -> str:
    """The first HTML entity of a text; empty if there is none, or if the text is HTML or XML, where entities are right."""
    if "&" not in text or ";" not in text or _TAG.search(text):
        return ""
    for match in _ENTITY.finditer(without_code(text)):
        if match[0][1] == "#" or match[0][1:] in html5:
            return f"{field}: {match[0]}"
    return ""
