"""Every check finds what was planted, names the rows, and finds nothing in clean rows."""

from __future__ import annotations

from typing import Any

import pytest

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import Report
from tuneproof.engine.audit.rows import Rows, TokenLengths
from tuneproof.engine.audit.run_checks import audit
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.task import Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.problems import UnreadableRow
from tuneproof.engine.scoring.graders import make_grader

TASK = Task.model_validate(
    {"output": {"kind": "json", "schema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}}
)


def row(line: int, text: str, output: str = '{"n": 1}', file: str = "rows.jsonl") -> Example:
    return Example("Count.", text, output, Source(file, line))


CLEAN = [row(i, f"text number {i}") for i in range(1, 30)]


def report_of(examples: list[Example], *, leave_out: tuple[str, ...] = (), **table: Any) -> Report:
    given = {"eval": Rows(), "problems": [], "grader": make_grader(TASK, []), **table}
    return audit(Table(examples=Rows(examples), **given), leave_out, {})


def found(report: Report) -> dict[str, list[int]]:
    return {f.check: [r.line for r in f.rows] for f in report.findings}


def test_clean_rows_have_no_findings() -> None:
    report = report_of(CLEAN, eval=[row(1, "another text", file="eval.jsonl")])
    assert report.findings == [] and report.counts.rows == 29


PLANTED = {
    "empty": [row(101, "  "), row(102, "asks", "")],
    "format": [row(103, "prose", "n is 1"), row(104, "shape", '{"n": "one"}')],
    "duplicate": [row(105, "Text  NUMBER 3")],
    "conflict": [row(107, "ﬁve", '{"n": 5}'), row(108, "Five", '{"n": 6}')],
}


@pytest.mark.parametrize("check", PLANTED)
def test_a_check_finds_exactly_what_was_planted(check: str) -> None:
    report = report_of([*CLEAN, *PLANTED[check]])
    lines = found(report)
    assert lines.pop(check) == [e.source.line for e in PLANTED[check]]
    # Two rows that contradict each other repeat an input as well.
    assert lines in ({}, {"duplicate": [108]})


def test_unreadable_rows_are_reported_and_left_out() -> None:
    report = report_of(CLEAN, problems=[(Source("rows.jsonl", 7), UnreadableRow("not JSON"))])
    (finding,) = report.findings
    assert (finding.check, finding.severity, finding.rows[0].line, finding.rows[0].note) == ("unreadable", Severity.WARN, 7, "not JSON")
    assert [place.line for place in report.left_out] == [7]


def test_a_leak_names_both_rows_and_contradictions_come_first() -> None:
    scored = [row(1, "TEXT number 4!", file="eval.jsonl"), row(2, "text number 9", '{"n": 2}', file="eval.jsonl")]
    report = report_of(CLEAN, eval=scored)
    (finding,) = report.findings
    assert (finding.check, finding.severity) == ("leakage", Severity.BLOCK)
    assert [(r.line, r.of and (r.of.file, r.of.line)) for r in finding.rows] == [(9, ("eval.jsonl", 2)), (4, ("eval.jsonl", 1))]
    assert report.counts.leaked_rows["eval.jsonl"].model_dump() == {"raw": 1, "norm": 1, "loose": 2, "near": 2}


def test_what_the_case_leaves_out_no_longer_blocks_and_goes_no_further() -> None:
    rows = [*CLEAN, *PLANTED["format"]]
    assert report_of(rows).blocking()
    report = report_of(rows, leave_out=("format",))
    assert not report.blocking()
    assert [place.line for place in report.left_out] == [103, 104]


def test_a_single_row_is_left_out_and_the_right_one_of_a_conflict_stays() -> None:
    report = report_of([*CLEAN, *PLANTED["conflict"]], leave_out=("rows.jsonl:107",))
    (finding,) = report.findings
    assert (finding.check, finding.severity, finding.left_out) == ("by-hand", Severity.WARN, True)
    assert [str(row.line) for row in report.left_out] == ["107"] == [str(row.line) for row in finding.rows]


def test_a_row_to_leave_out_that_is_nowhere_blocks_and_is_named() -> None:
    report = report_of(
        CLEAN, leave_out=("rows.jsonl:999", "rows.jsonl:7"), problems=[(Source("rows.jsonl", 50), UnreadableRow("not JSON"))]
    )
    (blocking,) = report.blocking()
    assert blocking.check == "no-such-row" and blocking.message.endswith("rows.jsonl:999")
    assert [row.line for row in report.left_out] == [7, 50]


def test_a_check_that_does_not_exist_cannot_be_left_out() -> None:
    with pytest.raises(CaseError, match="there is no check `leaks`"):
        report_of(CLEAN, leave_out=("leaks",))


def test_rows_that_do_not_fit_are_left_out_of_training_and_kept_in_eval() -> None:
    lengths = TokenLengths(
        render=lambda e: e.input, prompt=lambda e: len(e.input), answer=lambda e: len(e.output), base="any", sha256="", context=25
    )
    long = [row(50, "x" * 18)]
    report = report_of([*CLEAN, *long], eval=[row(1, "y" * 30, file="eval.jsonl")], lengths=lengths)
    assert found(report) == {"context": [1], "context-train": [50]}
    assert [(p.file, p.line) for p in report.left_out] == [("rows.jsonl", 50)]
    assert report.findings[1].rows[0].note == "prompt 18 tokens, answer 8: 1 too many"


def test_every_check_says_what_it_looks_for() -> None:
    assert all(len(check.help) > 40 for check in CHECKS.values())
