"""Labels that are one label but for case and the spacing between words."""

from __future__ import annotations

import re

SPACING = r"[\s_-]+"
"""What stands between the words of a label."""


def plain_label(text: str) -> str:
    """The label in the one form that its spellings share."""
    return re.sub(SPACING, " ", text).strip().casefold()
