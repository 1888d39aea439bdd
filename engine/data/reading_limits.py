"""How much data may be read: what fits into memory, and how far a compressed file may grow."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.core.memory_limits import least_free_memory

MIB, GIB = 1 << 20, 1 << 30

MOST_RATIO = 100
"""How many times larger than its file decompressed data may be. Text stays far below; files that are made to fill memory do not."""

ALWAYS_ALLOWED = 16 * MIB
"""Bytes that a compressed file may always grow to."""

MOST_ROW_BYTES = 16 * MIB
"""Bytes of one row: longer than the context of any model, and mostly a sign of a missing line break."""

ROW_BYTES = 512
"""Memory that the audit needs for each row besides its text."""

TEXT_FACTOR = 2
"""Memory that reading and the audit need for each byte of text besides WORK_FACTOR: 1.2 to 1.6 were measured, most of them for the text."""

WORK_BYTES, WORK_FACTOR = 384 * MIB, 6
"""Memory that the checks need to work in, however many rows there are; for small files this factor of the text."""

ALLOW_LARGE = "add --allow-large (in a case: data.allow_large: true) if the file is meant to be so large"


@dataclass
class ReadingLimits:
    """What may still be read. One of these counts for all files of an audit or a run."""

    memory_bytes: int | None = None
    """Memory that reading and the audit may take; None: no limit."""
    allow_large: bool = False
    """Read on whatever a file grows to."""
    _text_bytes: int = 0
    _other_bytes: int = 0

    @classmethod
    def of_this_machine(cls, *, allow_large: bool = False) -> ReadingLimits:
        """The limits that free memory sets now."""
        return cls(least_free_memory().free, allow_large)

    @classmethod
    def none(cls) -> ReadingLimits:
        """No limits, for files that have been read before."""
        return cls(allow_large=True)

    def take(self, file: str, *, text_bytes: int = 0, rows: int = 0, held_bytes: int = 0) -> None:
        """Counts what has been read, and what is held besides. Raises DataRefused, with the numbers, if memory cannot hold it."""
        self._text_bytes += text_bytes
        self._other_bytes += rows * ROW_BYTES + held_bytes
        self._require(_needed(self._text_bytes, self._other_bytes), file)

    def require_room(self, file: str, *, text_bytes: int, rows: int = 0) -> None:
        """Raises DataRefused if memory cannot hold this much more; nothing is counted."""
        self._require(_needed(self._text_bytes + text_bytes, self._other_bytes + rows * ROW_BYTES), file)

    def require_ratio(self, file: str, compressed_bytes: int, content_bytes: int) -> None:
        """Raises DataRefused if a compressed file grows as no data do."""
        if not self.allow_large and content_bytes > max(ALWAYS_ALLOWED, MOST_RATIO * compressed_bytes):
            raise DataRefused(
                f"the file grows from {size(compressed_bytes)} to more than {size(content_bytes)}, as data made to fill memory do",
                where=file,
                fix=ALLOW_LARGE,
            )

    def _require(self, needed: int, file: str) -> None:
        if self.memory_bytes is not None and not self.allow_large and needed > self.memory_bytes:
            each = f"{TEXT_FACTOR} bytes for each byte of text, {ROW_BYTES} for each row, and up to {size(WORK_BYTES)} to work in"
            raise DataRefused(
                f"the audit needs {size(needed)} of memory or more ({each}), and {size(self.memory_bytes)} are free",
                where=file,
                fix="audit it in parts or on Ray (--on ray), free memory, or add --allow-large (in a case: data.allow_large: true) to try",
            )


def _needed(text_bytes: int, other_bytes: int) -> int:
    return text_bytes * TEXT_FACTOR + min(text_bytes * WORK_FACTOR, WORK_BYTES) + other_bytes


def size(count: int) -> str:
    """A number of bytes in words."""
    for unit, bytes_of in (("GiB", GIB), ("MiB", MIB)):
        if count >= bytes_of:
            return f"{count / bytes_of:,.1f} {unit}"
    return f"{count:,} bytes"
