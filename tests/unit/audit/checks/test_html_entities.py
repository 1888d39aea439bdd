"""HTML entities are found in plain text, and not in HTML or code."""

from __future__ import annotations

import pytest

from tests.unit.audit.checks.text_rows import notes


@pytest.mark.parametrize("text", ["Tom &amp; Ann", "he said &quot;no&quot;", "it&#39;s late", "5 &lt; 6", "a&nbsp;b", "&#x27;tis"])
def test_an_entity_in_plain_text_is_found(text: str) -> None:
    assert notes("html-entities", text) and notes("html-entities", "a question", text)


@pytest.mark.parametrize(
    "text", ["<p>Tom &amp; Ann</p>", "write `&amp;` for it", "R&D; now", "AT&T;", "a && b;", "```html\n&lt;\n```", "x &y; z"]
)
def test_markup_code_and_signs_are_no_entities_in_text(text: str) -> None:
    assert notes("html-entities", text, text) == []
