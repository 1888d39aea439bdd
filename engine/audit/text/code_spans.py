"""Code in Markdown, in which marks and entities are what they are about."""

from __future__ import annotations

import re

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


def without_code(text: str) -> str:
    """The text with a space in place of each block and span of code."""
    return _CODE.sub(" ", text) if "`" in text else text
