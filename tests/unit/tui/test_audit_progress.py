"""An audit says what it does while it lasts: rows, rate and time left."""

from __future__ import annotations

import pytest

from tuneproof.engine.data.readers import ReadingProgress
from tuneproof.tui.audit_progress import AuditProgress


def test_each_file_gets_a_line_and_the_end_leaves_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    progress = AuditProgress()
    progress.on_reading(ReadingProgress("rows.jsonl", 1000, 0.5))
    progress.on_file("rows.jsonl", "input/output", 2000)
    progress.on_check("duplicate")
    progress.on_rows(0, 2000)
    progress.end()
    assert capsys.readouterr().err == "rows.jsonl: 2,000 rows, input/output\n"
