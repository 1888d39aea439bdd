"""`task.output.bounds`: how long and of what form the parts of a constrained answer may be. It never changes how an answer is graded."""

from __future__ import annotations

import re
from enum import StrEnum

from pydantic import Field, field_validator, model_validator

from tuneproof.engine.case.section import CaseSection

WHOLE = "$"
"""The path of the whole answer. A field is `order.id`, an item of a list `tags[]`, a value of a map `prices.*`."""


class BoundsChoice(StrEnum):
    """Where the bounds come from, if the case does not list them."""

    AUTO = "auto"
    """Proposed from train."""
    NONE = "none"
    """Nothing but what the output format itself says."""


class FieldBound(CaseSection):
    """The bounds of one part of an answer; None: open."""

    values: list[str] | None = Field(default=None, min_length=1)
    """The only texts that are allowed."""
    pattern: str | None = None
    """A regular expression for the whole text."""
    max_length: int | None = Field(default=None, ge=1)
    """Most characters of a text."""
    max_items: int | None = Field(default=None, ge=0)
    """Most items of a list."""
    max_digits: int | None = Field(default=None, ge=1, le=15)
    """Most digits of a number before its decimal point."""
    decimals: int | None = Field(default=None, ge=0, le=9)
    """Most digits after the decimal point; 0 allows only integers."""

    @field_validator("pattern")
    @classmethod
    def pattern_compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def bounds_something(self) -> FieldBound:
        if self == FieldBound.model_construct():
            raise ValueError(f"a bound needs one of {', '.join(FieldBound.model_fields)}")
        return self

    def describe(self) -> str:
        """The bound in a few words, as `one of 5 values`."""
        parts = [
            None if self.values is None else f"always {self.values[0]}" if len(self.values) == 1 else f"one of {len(self.values)} values",
            None if self.pattern is None else f"of the form {self.pattern}",
            None if self.max_length is None else f"at most {_counted(self.max_length, 'character')}",
            None if self.max_items is None else f"at most {_counted(self.max_items, 'item')}",
            None if self.max_digits is None else f"at most {_counted(self.max_digits, 'digit')}",
            None if self.decimals is None else "an integer" if self.decimals == 0 else f"at most {_counted(self.decimals, 'decimal')}",
        ]
        return ", ".join(part for part in parts if part is not None)


Bounds = dict[str, FieldBound]
"""Bounds by the path of the part that they are for."""


def describe_bounds(bounds: Bounds, most: int = 6) -> str:
    """The bounds in a line: `status one of 5 values; summary at most 40 characters`; empty if there are none."""
    parts = [f"{'the answer' if path == WHOLE else path} {bound.describe()}" for path, bound in bounds.items()]
    more = len(parts) - most
    return "; ".join([*parts[:most], *([f"and {_counted(more, 'more part')}"] if more > 0 else [])])


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
