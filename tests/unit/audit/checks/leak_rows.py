"""Rows of an examples file and of an eval file, for the tests of leaks."""

from __future__ import annotations

from typing import Any

from tuneproof.engine.audit.registry import Finding, FlaggedRow
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Source


def row(line: int, text: str = "", output: str = "", file: str = "rows.jsonl", **more: Any) -> Example:
    return Example(more.pop("instruction", "Do it."), text or f"text {line}", output or f"said {line}", Source(file, line), **more)


def table(train_rows: list[Example], eval_rows: list[Example]) -> Table:
    return Table(Rows(train_rows), Rows(eval_rows), [])


def rows_of(findings: list[Finding]) -> list[FlaggedRow]:
    return [found for finding in findings for found in finding.rows]
