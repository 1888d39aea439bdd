"""The rules by which the answers of a run are graded; a run keeps those that it began with."""

from __future__ import annotations

from enum import StrEnum


class GradingRules(StrEnum):
    """The rules that hold where the case says nothing."""

    FIRST = "1"
    """Exact comparison; a pattern finds its last match; reasoning is one block that ends at its first closing mark."""
    SECOND = "2"
    """`task.compare`; a pattern finds its last match before another request begins; blocks of reasoning may be several or nested."""


CURRENT_RULES = GradingRules.SECOND
