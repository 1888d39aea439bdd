"""Markdown pages as tests read them: headings, links, code blocks and code in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced code block: its language, empty if none is given, and its text."""

    language: str
    text: str


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def blocks(self) -> list[Block]:
        """The code blocks, in order."""
        return [Block(*found) for found in FENCE.findall(self._text)]

    @property
    def code(self) -> list[str]:
        """The code in the text, between single backticks."""
        return CODE.findall(self._prose)

    @property
    def links(self) -> list[str]:
        """The targets of links and pictures."""
        return LINK.findall(self._prose)

    @property
    def anchors(self) -> set[str]:
        """What a link can lead to inside the page, as GitHub names headings: lower case, hyphens, no punctuation."""
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(self._prose)}

    def table(self, first_column: str) -> Iterator[list[str]]:
        """The rows of the table whose first column has this title. Raises ValueError if there is none."""
        lines = self._text.splitlines()
        start = next((number for number, line in enumerate(lines) if line.startswith(f"| {first_column} |")), None)
        if start is None:
            raise ValueError(f"{self.path} has no table with a column {first_column}")
        for line in lines[start + 2 :]:
            if not line.startswith("|"):
                return
            yield [cell.strip() for cell in line.strip("|").split("|")]

    @property
    def _text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def _prose(self) -> str:
        return FENCE.sub("", self._text)
