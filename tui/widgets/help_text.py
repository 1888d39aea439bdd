"""Help texts: paragraphs and lists with bold text, code and emphasis.

Textual's Markdown widget draws the same, but needs a third of a second per screen while a training uses the cores.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from textual.content import Content

ITEM = "- "
MARKED = re.compile(r"\*\*(?P<bold>[^*]+)\*\*|\*(?P<italic>[^*]+)\*|`(?P<code>[^`]+)`")
STYLES = {"bold": "bold", "italic": "italic", "code": "$heading"}


def help_content(text: str) -> Content:
    """The text as content. An empty line ends a paragraph, `- ` starts an item, and other line breaks are joined."""
    return Content("\n").join(list(_blocks(text)))


def _blocks(text: str) -> Iterator[Content]:
    for number, paragraph in enumerate(part for part in text.strip().split("\n\n") if part.strip()):
        if number:
            yield Content("")
        block = ""
        for line in paragraph.split("\n"):
            if line.startswith(ITEM) and block:
                yield _inline(block)
                block = ""
            block = f"{block} {line.strip()}" if block else line.strip()
        yield _inline(block)


def _inline(text: str) -> Content:
    """One paragraph or item with its markup as styles."""
    shown = "• " + text.removeprefix(ITEM) if text.startswith(ITEM) else text
    parts: list[Content | str] = []
    at = 0
    for found in MARKED.finditer(shown):
        kind = str(found.lastgroup)
        parts += [shown[at : found.start()], Content.styled(found[kind], STYLES[kind])]
        at = found.end()
    return Content.assemble(*parts, shown[at:])
