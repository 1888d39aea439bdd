"""Prompts about something that is not in the prompt: an image, a file, a page behind a link."""

from __future__ import annotations

import re

_MEDIA = r"(?:image|picture|photo(?:graph)?|screenshot|figure|diagram|chart|graph|video|audio|recording|map)"
_MARK = re.compile(r"<(?:image|img|video|audio)(?:_?\d+)?\s*/?>|<\|?(?:image|vision)[\w ]*\|?>|!\[[^\]\n]*\]\([^)\n]+\)", re.IGNORECASE)
_ASKS = (
    r"(?:please\s+)?(?:describe|caption|identify|explain|analy[sz]e|look|using|use|based|summari[sz]e|translate|read|count|list|name|tell|find|give"
    r"|extract|convert|write|what|which|who|whose|where|how|why|when|is|are|does|do|can|could|in|from|according)"
)
_POINTED_AT = re.compile(
    rf"(?:^|[.!?:\n]\s*){_ASKS}\b[^.!?\n]{{0,80}}?\b("
    rf"(?:the|this|that)\s+(?:(?:following|given|attached|above|below|uploaded|provided)\s+{_MEDIA}"
    rf"|{_MEDIA}\s+(?:above|below|attached|provided|shown))|(?:attached|uploaded)\s+(?:{_MEDIA}|file|document|pdf|spreadsheet))\b",
    re.IGNORECASE,
)
# Most prompts have none of these, and a plain search of each is much quicker than the pattern.
_POINTERS = ("attached", "uploaded", "above", "below", "following", "given", "provided", "shown")
_URL = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_READ_IT = re.compile(
    r"\b(?:summar\w+|read|translate|analy[sz]e|review|open|visit|watch|look at|based on|according to|from|rewrite|extract|explain)\b"
    r"[^.!?\n]{0,60}(?:https?://|www\.)",
    re.IGNORECASE,
)
FEW_WORDS = 30
"""Words besides a link up to which the page itself is not in the prompt."""


def outside_media(prompt: str) -> str:
    """What a prompt points at that it does not contain; empty if it points at nothing."""
    mark = _MARK.search(prompt) if "<" in prompt or "![" in prompt else None
    if mark:
        return mark[0]
    lower = prompt.lower()
    pointed = _POINTED_AT.search(prompt) if any(word in lower for word in _POINTERS) else None
    if pointed:
        return pointed[1]
    if "://" in prompt or "www." in prompt:
        link = _URL.search(prompt)
        if link and len(_URL.sub(" ", prompt).split()) <= FEW_WORDS and (_READ_IT.search(prompt) or link[0].strip() == prompt.strip()):
            return link[0]
    return ""
