"""Slots of a template that nobody filled in."""

from __future__ import annotations

import re

_BRACES = re.compile(r"(?<!\$)\{\{\s*[A-Za-z][\w .'/-]{0,40}\s*\}\}|(?<![\w$%@{\\])\{[a-z]+(?:_[a-z]+)+\}")
_OF_WHOM = (
    "your|my|the|insert|enter|add|customer|client|user|company|recipient|sender|first|last|full|order|product|account|phone|contact"
    "|business|team|job|brand|website"
)
_ALONE = "name|date|company|address|amount|recipient|city|url|link"
_SQUARE = re.compile(
    rf"\[\s*(?:(?:{_OF_WHOM})['\u2019]?s?[ _-](?:[\w'\u2019-]+[ _-]?){{1,4}}|{_ALONE})\s*\](?!\()",
    re.IGNORECASE,
)
_ANGLED = re.compile(r"<(?:insert|enter|your|customer|company|recipient)[ _-](?:[\w'\u2019-]+[ _-]?){1,3}>", re.IGNORECASE)
_CODE = re.compile(r"```|\{%|</[A-Za-z]|\bv-(?:if|for|bind)=|=\{\{|<\?php|\bf[\"']|\.format\(|\btemplate|\bplaceholder", re.IGNORECASE)


def slot_in_braces(text: str) -> str:
    """The first slot in braces, such as `{{Order Number}}` or `{street_name}`; empty if there is none, or in text with or about code."""
    found = _BRACES.search(text) if "{" in text and not _CODE.search(text) else None
    return found[0] if found else ""


def unfilled_slot(prompt: str, output: str) -> str:
    """The first slot of a template in an output; empty if there is none, or if the output is code, in which slots are right.

    A slot in square or angle brackets that the prompt has too is repeated as asked. One in braces counts all the same: no reader of an
    answer can use `{{Order Number}}`.
    """
    if not ("{" in output or "[" in output or "<" in output) or _CODE.search(output):
        return ""
    if braces := slot_in_braces(output):
        return braces
    for pattern in (_SQUARE, _ANGLED):
        for match in pattern.finditer(output):
            if match[0] not in prompt:
                return match[0]
    return ""
