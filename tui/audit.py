"""`tuneproof audit`: the audit of files without a run; findings go to stdout, progress to stderr."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tuneproof.engine.audit.answers import in_a_case_file
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.profile_text import profile_lines
from tuneproof.engine.audit.report import Counts, Report, StoredFinding
from tuneproof.engine.audit_runs.local import AuditCallbacks, audit_files
from tuneproof.engine.case.data import Columns, Data, LabelErrorMethod
from tuneproof.engine.case.load import load_as
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.core.errors import ExitCode, GateClosed, UsageError
from tuneproof.engine.core.plain_text import sanitize, sanitize_json
from tuneproof.tui.audit_progress import AuditProgress

ROWS_SHOWN = 5
"""Rows of a finding that the text shows; --json has all."""

WIDTH = 140
"""Characters of the longest line."""


def audit_command(
    files: Sequence[str],
    against: Sequence[str],
    shingle: Shingle,
    case: Path | None,
    label_errors: LabelErrorMethod | None,
    columns: Columns | None = None,
    *,
    on_ray: bool,
    allow_large: bool,
    as_json: bool,
) -> int:
    """Audits files, here or on Ray, and returns the exit code. `columns` go before those of the case.

    Raises GateClosed if a finding blocks, after all findings are printed.
    """
    draft = load_as(DraftCase, case) if case else None
    if columns is not None:
        draft = _with_columns(draft, columns, files)
    progress = AuditProgress()
    callbacks = AuditCallbacks(progress.on_file, progress.on_check, progress.on_reading, progress.on_rows)
    try:
        report = _auditor(on_ray)(files, against, shingle, draft, callbacks, label_errors, allow_large=allow_large)
    finally:
        progress.end()
    print(sanitize_json(report.model_dump_json()) if as_json else report_text(report))
    blocking = report.blocking()
    if blocking:
        names = ", ".join(dict.fromkeys(finding.check for finding in blocking))
        raise GateClosed(
            f"the audit blocks: {names}",
            where=next((f"{row.file}:{row.line}" for finding in blocking for row in finding.rows), ""),
            fix=in_a_case_file(blocking),
        )
    return int(ExitCode.DONE)


_COLUMN = re.compile(r"(?:^|,)\s*(input|output|instruction)\s*=")


def parse_columns(text: str) -> Columns:
    """The columns in a text such as `input=text,output=label`. Raises UsageError for any other."""
    before, *parts = _COLUMN.split(text)
    named = {name: value.strip() for name, value in zip(parts[::2], parts[1::2], strict=True)}
    missing = [name for name in ("input", "output") if not named.get(name)]
    if before.strip() or missing or len(named) * 2 != len(parts):
        what = f"does not name the {missing[0]}" if missing else "is not a list of columns"
        raise UsageError(f"`{text[:80]}` {what}", where="--columns", fix="write it as input=text,output=label")
    return Columns(input=named["input"], output=named["output"], instruction=named.get("instruction") or None)


def _with_columns(case: DraftCase | None, columns: Columns, files: Sequence[str]) -> DraftCase:
    """The case with these columns, or one that has nothing else."""
    case = case or DraftCase(name="audit")
    data = case.data or Data(examples=list(files))
    return case.model_copy(update={"data": data.model_copy(update={"columns": columns})})


class Auditor(Protocol):
    """The audit in this process or on Ray."""

    def __call__(
        self,
        files: Sequence[str],
        against: Sequence[str],
        shingle: Shingle,
        case: DraftCase | None,
        callbacks: AuditCallbacks,
        label_errors: LabelErrorMethod | None = None,
        *,
        allow_large: bool = False,
    ) -> Report: ...


def _auditor(on_ray: bool) -> Auditor:
    if not on_ray:
        return audit_files
    from tuneproof.engine.audit_runs.ray.audit import audit_shards

    return audit_shards


def report_text(report: Report) -> str:
    """The report as text: findings, most severe first, each with its first rows; then the counts and the profile."""
    parts = [_finding_text(finding) for finding in report.findings] or ["no findings"]
    left = (
        [
            "\n".join(
                [
                    "profile of the rows that are not left out",
                    *(f"  {sanitize(line, one_line=True)}" for line in profile_lines(report.profile)),
                ]
            )
        ]
        if report.profile
        else []
    )
    return "\n\n".join([*parts, _counts_text(report.counts), *left])


def _finding_text(finding: StoredFinding) -> str:
    state = "left out" if finding.left_out else "accepted" if finding.accepted is not None else finding.severity.value
    lines = [f"{state:<8}  {finding.check}: {sanitize(finding.message, one_line=True, max_length=WIDTH)}"]
    for row in finding.rows[:ROWS_SHOWN]:
        twin = f" = {row.of.file}:{row.of.line}" if row.of else ""
        lines.append("          " + sanitize(f"{row.file}:{row.line}{twin}  {row.note}".rstrip(), one_line=True, max_length=WIDTH))
    if finding.count > ROWS_SHOWN:
        lines.append(f"          … and {finding.count - ROWS_SHOWN:,} more: --json has them all")
    reason = sanitize(finding.accepted, one_line=True, max_length=WIDTH) if finding.accepted else ""
    lines.append(f"          accepted: {reason}" if reason else f"          what to do: {finding.action}")
    return "\n".join(lines)


def _counts_text(counts: Counts) -> str:
    repeats, conflicts = counts.duplicate_rows, counts.conflict_rows
    least = "" if counts.near_complete else "at least "
    lines = [
        f"{counts.rows:,} rows",
        f"  inputs that repeat an earlier one: {repeats.raw:,} exactly, {repeats.norm:,} under norm, {repeats.loose:,} under loose",
        f"  equal input, different output: {conflicts.norm:,} under norm, {conflicts.loose:,} under loose",
        f"  near pairs: {least}{counts.near_pairs:,}; rows to drop so that no near pair is left: {least}{counts.near_rows_to_drop:,}",
    ]
    for file, leaked in counts.leaked_rows.items():
        lines.append(
            f"  inputs of {sanitize(file, one_line=True)} that are also here: {leaked.raw:,} exactly, {leaked.norm:,} under norm, "
            f"{leaked.loose:,} under loose, {leaked.near:,} near"
        )
    return "\n".join(lines)
