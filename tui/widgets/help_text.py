"""Help texts: paragraphs and lists with bold words, code and emphasis, drawn at once.

Textual's Markdown widget draws the same, and takes a third of a second for a screen of it while a training has the cores.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from textual.content import Content

ITEM = "- "
MARKED = re.compile(r"\*\*(?P<bold>[^*]+)\*\*|\*(?P<italic>[^*]+)\*|`(?P<code>[^`]+)`")
STYLES = {"bold": "bold", "italic": "italic", "code": "reverse dim"}


def help_content(text: str) -> Content:
    """The text as content: an empty line ends a paragraph, `- ` begins an item, and lines in between belong together."""
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
    """One paragraph or item, its marks turned into styles."""
    shown = "• " + text.removeprefix(ITEM) if text.startswith(ITEM) else text
    parts: list[Content | str] = []
    at = 0
    for found in MARKED.finditer(shown):
        kind = str(found.lastgroup)
        parts += [shown[at : found.start()], Content.styled(found[kind], STYLES[kind])]
        at = found.end()
    return Content.assemble(*parts, shown[at:])
