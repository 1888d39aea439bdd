"""Groups that each file numbers from the start, so that the same number in two files is no shared group."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOSTLY = 0.8
"""Share of the numbers up to the last that must occur: rows may have been removed from a file that was numbered."""

AS_FAR = 1.25
"""If two files are parts of one, their numbers end at about the same; within this factor, numbers with gaps are taken for shared."""

_LARGEST = 1 << 62
_NUMBERED = re.compile(r"(.*?)0*(\d{1,19})")


@dataclass(frozen=True)
class Numbering:
    """The different numbers of a file in rising order, and the text that stands before each of them."""

    prefix: str
    numbers: NDArray[np.int64]

    @property
    def is_from_the_start(self) -> bool:
        """Whether the numbers begin at 0 or 1 and leave few out."""
        return bool(self.numbers[0] <= 1 and len(self.numbers) >= MOSTLY * (self.last - self.numbers[0] + 1))

    @property
    def has_gaps(self) -> bool:
        """Whether a number between the first and the last is missing."""
        return bool(self.last - self.numbers[0] + 1 > len(self.numbers))

    @property
    def last(self) -> int:
        """The largest number."""
        return int(self.numbers[-1])


def numbering_of(values: Iterable[str]) -> Numbering | None:
    """The numbers at the ends of these values; None if one has no number, or if they have different texts before them."""
    import numpy as np

    prefix: str | None = None
    numbers: list[int] = []
    for value in set(values):
        found = _NUMBERED.fullmatch(value)
        if found is None or prefix not in (None, found[1]) or int(found[2]) >= _LARGEST:
            return None
        prefix = found[1]
        numbers.append(int(found[2]))
    return None if prefix is None else Numbering(prefix, np.unique(np.array(numbers, np.int64)))


def joined(one: Numbering | None, other: Numbering | None) -> Numbering | None:
    """The numbers of two parts of a file."""
    import numpy as np

    if one is None or other is None or one.prefix != other.prefix:
        return None
    return Numbering(one.prefix, np.union1d(one.numbers, other.numbers))


def restarts(numberings: Iterable[Numbering | None]) -> bool:
    """Whether there are several files, and each numbers its groups from the start."""
    files = list(numberings)
    first = files[0] if files else None
    return first is not None and len(files) > 1 and first.is_from_the_start and all(_begins_again(first, other) for other in files[1:])


def _begins_again(one: Numbering, other: Numbering | None) -> bool:
    """Whether two files number their groups each for itself; the parts of one file end at about the same number, with gaps."""
    if other is None or one.prefix != other.prefix or not other.is_from_the_start:
        return False
    far, near = max(one.last, other.last), min(one.last, other.last)
    return not (one.has_gaps or other.has_gaps) or far > AS_FAR * near
