"""Bounds for constrained decoding: how long the parts of an answer are in train, which values they have, and of what form they are.

A schema that leaves a string open lets a small model write in it until it is cut off. Bounds from train make every string, list and number
end. They narrow only what decoding may write; an answer is judged by the schema of the case.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from tuneproof.engine.case.output_bounds import FieldBound
from tuneproof.engine.scoring.answer_pattern import AnswerPattern
from tuneproof.engine.scoring.output_inference import MAX_ENUM_VALUES, MIN_ROWS, repeated_labels

ROOM = 2
"""How many times as long as the longest of train a text or a list may become: eval has other rows than train."""

STEP = 10
"""Lengths of texts are rounded up to a multiple of this."""

MAX_DECIMALS = 6
MAX_DIGITS = 15
"""A number with more digits has no exact value in a parser of JSON."""

CLASSES = (("[0-9]", "0", "9"), ("[A-Z]", "A", "Z"), ("[a-z]", "a", "z"))
"""Classes of characters, with the first and the last of each."""

Classes = tuple[str, ...]
"""A text as runs of characters of one class, without their lengths."""


class Seen(NamedTuple):
    """The values of one part of the answers: in train, from which bounds are proposed, and in validation, which they must allow."""

    train: Sequence[Any]
    validation: Sequence[Any]

    def of(self, type_: type | tuple[type, ...]) -> Seen:
        """The values of a type; a boolean is no number."""

        def is_one(value: Any) -> bool:
            return isinstance(value, type_) and not isinstance(value, bool)

        return Seen(list(filter(is_one, self.train)), list(filter(is_one, self.validation)))

    @property
    def both(self) -> list[Any]:
        """All values."""
        return [*self.train, *self.validation]


def string_bound(texts: Seen, longest_answer: int) -> FieldBound | None:
    """The values that train repeats, or else the form that its texts share, or else a length; each only if it allows validation.

    A part that no train answer has is at most as long as the longest of them; `longest_answer` is its length in characters, 0 if there are
    no train answers, and then there is no bound.
    """
    labels = repeated_labels(texts.train, MAX_ENUM_VALUES, each=5)
    if labels and set(texts.validation) <= set(labels):
        return FieldBound(values=labels)
    pattern = shared_form(texts.train)
    if pattern and all(re.fullmatch(pattern, text) for text in texts.validation):
        return FieldBound(pattern=pattern)
    return length_bound(max(map(len, texts.both), default=longest_answer))


def length_bound(longest: int) -> FieldBound | None:
    """The most characters of a text of which the longest seen has so many; None for 0."""
    return FieldBound(max_length=STEP * math.ceil(ROOM * longest / STEP)) if longest else None


def list_bound(lists: Seen) -> FieldBound | None:
    """The most items of a list; None if there is none in train or validation."""
    longest = max(map(len, lists.both), default=None)
    return None if longest is None else FieldBound(max_items=ROOM * longest)


def number_bound(numbers: Seen, *, is_integer: bool) -> FieldBound | None:
    """How many digits a number may have, one more than in train, and how many decimals; None if there is no number.

    Its size is not bounded otherwise: the amounts of train say little about other amounts.
    """
    found = [Decimal(repr(number)) for number in numbers.both]
    digits = max((number.adjusted() + 1 for number in found if number), default=1) + 1
    if not found or digits > MAX_DIGITS:
        return None
    # In Python the float 3.0 ends in a zero that is no decimal.
    decimals = max(max(0, -int(number.normalize().as_tuple().exponent)) for number in found)
    known = not is_integer and len(numbers.train) >= MIN_ROWS and decimals <= MAX_DECIMALS
    return FieldBound(max_digits=max(1, digits), decimals=decimals if known else None)


def shared_form(texts: Sequence[str]) -> str | None:
    """A regular expression for texts that are all written alike, as `[A-Z][0-9]{4}` for K2448; None if they are not.

    Only texts without white space that have a digit have a form: codes, dates, amounts. Where lengths differ, a run may be twice as long
    as the longest.
    """
    if len(texts) < MIN_ROWS:
        return None
    runs = [[(kind, len(list(run))) for kind, run in groupby(text, _class)] for text in texts]
    classes = {tuple(kind for kind, _ in found) for found in runs}
    first: Classes = next(iter(classes))
    if len(classes) > 1 or "[0-9]" not in first or any(kind.isspace() for kind in first):
        return None
    lengths = [[found[at][1] for found in runs] for at in range(len(first))]
    return "".join(f"{kind}{_repeat(min(seen), max(seen))}" for kind, seen in zip(map(_escaped, first), lengths, strict=True))


def _class(character: str) -> str:
    return next((class_ for class_, first, last in CLASSES if first <= character <= last), character)


def _escaped(kind: str) -> str:
    return kind if len(kind) > 1 else f"[{kind}]" if kind in ".*+?(){}|$" else f"\\{kind}" if kind in "[]^\\/" else kind


def _repeat(fewest: int, most: int) -> str:
    if fewest == most:
        return "" if most == 1 else f"{{{most}}}"
    return f"{{1,{ROOM * most}}}"


def ends(pattern: str) -> bool:
    """Whether every match of an expression is of limited length, so that a text of this form needs no other bound."""
    is_whole = pattern.startswith("^") and pattern.endswith("$")
    return is_whole and not re.search(r"[*+]|\{\d+,\}", re.sub(r"\\.|\[[^\]]*\]", "x", pattern))


BOUND_OF: dict[str, Callable[[FieldBound], bool]] = {
    "string": lambda bound: bound.values is not None or bound.pattern is not None or bound.max_length is not None,
    "array": lambda bound: bound.max_items is not None,
    "number": lambda bound: bound.max_digits is not None or bound.decimals is not None,
}
"""Which bounds are for a text, for a list and for a number."""


def allows(bound: FieldBound, value: Any) -> bool:
    """Whether a bound allows a value; a bound for another type says nothing about it."""
    match value:
        case bool() | None:
            return True
        case str():
            return (
                (bound.values is None or value in bound.values)
                and (bound.pattern is None or _form(bound.pattern).is_whole(value))
                and (bound.max_length is None or len(value) <= bound.max_length)
            )
        case list():
            return bound.max_items is None or len(value) <= bound.max_items
        case int() | float():
            number = Decimal(repr(value))
            decimals = max(0, -int(number.normalize().as_tuple().exponent))
            fits = bound.max_digits is None or abs(number) < 10**bound.max_digits
            return fits and (bound.decimals is None or decimals <= bound.decimals)
        case _:
            return True


@cache
def _form(pattern: str) -> AnswerPattern:
    return AnswerPattern(pattern, "task.output.bounds")
