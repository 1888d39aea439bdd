"""Files that need more memory than there is are refused before they are read, with the numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.data.reading_limits import MIB, ROW_BYTES, TEXT_FACTOR, WORK_BYTES, ReadingLimits


def test_a_file_that_memory_cannot_hold_is_refused_with_the_numbers_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"input": "a", "output": "b"}\n' + " " * 2 * MIB)
    with pytest.raises(DataRefused, match=r"the audit needs 16\.0 MiB of memory or more .* and 8\.0 MiB are free"):
        read_examples(str(file), limits=ReadingLimits(memory_bytes=8 * MIB))
    assert len(read_examples(str(file), limits=ReadingLimits(memory_bytes=17 * MIB)).examples) == 1


def test_a_large_file_needs_less_than_three_times_its_text() -> None:
    text, rows = 430_000_000, 1_000_000
    needed = TEXT_FACTOR * text + ROW_BYTES * rows + WORK_BYTES
    limits = ReadingLimits(memory_bytes=needed)
    limits.take("rows.jsonl", text_bytes=text, rows=rows)
    with pytest.raises(DataRefused):
        limits.take("rows.jsonl", text_bytes=1)
    assert TEXT_FACTOR < 3
