"""Work on rows reports how far it has come, at what pace, and how long the rest takes."""

from __future__ import annotations

import pytest

from tuneproof.engine.audit.rows import REPORTED_ROWS, Rows
from tuneproof.engine.audit.run_checks import audit
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data import pace
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.pace import Pace, Progress, progress_text


def test_a_report_has_rows_rate_and_time_left() -> None:
    progress = Progress("reading rows.jsonl", 5000, 0.25, 10)
    line = progress_text(progress.doing, progress.rows, progress.share, progress.rows_per_second, progress.seconds_left)
    assert line == "reading rows.jsonl: 5,000 rows (25%), 500 rows/s, 30 s left"


def test_reports_come_no_more_often_than_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[Progress] = []
    counted = Pace(reports.append)
    for done in range(0, 5000, 1000):
        counted.rows(done, 5000)
    assert reports == []
    monkeypatch.setattr(pace, "INTERVAL", 0.0)
    counted.begin("checking: duplicate")
    counted.rows(4000, 5000)
    counted.reading("rows.jsonl", 1000, 0.5)
    assert [(each.doing, each.rows, each.share) for each in reports] == [
        ("checking: duplicate", 4000, 0.8),
        ("reading rows.jsonl", 1000, 0.5),
    ]


def test_a_second_pass_counts_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "INTERVAL", 0.0)
    reports: list[Progress] = []
    counted = Pace(reports.append)
    counted.reading("rows.jsonl", 9000, 0.9)
    counted.reading("rows.jsonl", 1000, 0.1)
    assert reports[1].seconds < 1 and reports[1].rows == 1000


def test_every_part_of_an_audit_says_how_far_it_has_come() -> None:
    count = 2 * REPORTED_ROWS
    rows = Rows(Example("", f"question {at} of many", f"answer {at}", Source("rows.jsonl", at)) for at in range(count))
    step, reported = "before the checks", dict[str, set[tuple[int, int]]]()

    def on_check(name: str) -> None:
        nonlocal step
        step = name

    audit(Table(rows, Rows(), []), [], {}, {}, on_check, lambda done, of: reported.setdefault(step, set()).add((done, of)))
    halves = {(0, count), (REPORTED_ROWS, count)}
    assert halves <= reported["before the checks"]
    assert all(halves <= reported[check] for check in ("private-data", "secret", "answer-in-prompt", "placeholder", "echo"))
