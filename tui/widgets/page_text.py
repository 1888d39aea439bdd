"""A page that the engine wrote in Markdown, as text for a narrow terminal: the rows of a table become lines, as columns have no room."""

from __future__ import annotations

import re
from collections.abc import Iterator

from textual.content import Content

from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.sanitize import sanitize

BOLD = re.compile(r"(?<!\\)\*\*(.+?)(?<!\\)\*\*")
ESCAPED = re.compile(r"\\([\\`*<>\[\]|])")
CELL = re.compile(r"(?<!\\)\|")


def page_content(text: str) -> Content:
    """The page with its headings and bold words; texts from data keep what only looks like markup."""
    return Content("\n").join(list(_lines(text)))


def _lines(text: str) -> Iterator[Content]:
    head: list[str] | None = None
    in_code = False
    for line in text.splitlines():
        if line.startswith("```"):
            in_code = not in_code
        elif in_code:
            yield Content.styled(f"  {sanitize(line)}", "bold")
        elif line.startswith("|---"):
            continue
        elif line.startswith("|"):
            cells = [cell.strip() for cell in CELL.split(line)[1:-1]]
            if head is None:
                head = cells
            else:
                yield _row(head, cells)
        else:
            head = None
            yield _line(line)


def _line(line: str) -> Content:
    level = len(line) - len(line.lstrip("#"))
    if level:
        return Content.styled(_plain(line[level:].strip()), Meaning.HEADING.style)
    if line == "---":
        return Content("─" * 20)
    return _with_bold(f"• {line[2:]}" if line.startswith("- ") else line)


def _row(head: list[str], cells: list[str]) -> Content:
    """One row of a table as a line: its first cell, then each other one after the name of its column."""
    first, *others = [_with_bold(cell) for cell in cells]
    parts = [
        Content.assemble(Meaning.MUTED.text(f"{_plain(name)}: "), cell) for name, cell in zip(head[1:], others, strict=False) if cell.plain
    ]
    return Content.assemble(
        "• ", first.stylize("bold"), *(Content.assemble("; " if number else ": ", part) for number, part in enumerate(parts))
    )


def _with_bold(text: str) -> Content:
    parts: list[Content] = []
    at = 0
    for found in BOLD.finditer(text):
        parts += [Content(_plain(text[at : found.start()])), Content.styled(_plain(found[1]), "bold")]
        at = found.end()
    return Content("").join([*parts, Content(_plain(text[at:]))])


def _plain(text: str) -> str:
    """The text without the backslashes and quotation marks of Markdown."""
    return sanitize(ESCAPED.sub(r"\1", re.sub(r"(?<!\\)`", "", text)))
