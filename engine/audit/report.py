"""All checks over one table, and `audit.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.audit.duplicates import conflicting, groups
from tuneproof.engine.audit.finding import CHECKS, Check, Finding, Severity, Table
from tuneproof.engine.data.example import Example, Source, loose, norm, prompt_text
from tuneproof.engine.errors import CaseError


class Place(BaseModel):
    """A row of a file."""

    model_config = ConfigDict(extra="forbid")

    file: str
    line: int


class FoundRow(Place):
    """A row of a finding; `of` is the row that it is a duplicate or leak of."""

    of: Place | None = None
    note: str = ""


class StoredFinding(BaseModel):
    """One finding of `audit.json`."""

    model_config = ConfigDict(extra="forbid")

    check: str
    severity: Severity
    message: str
    action: str
    count: int
    left_out: bool
    rows: list[FoundRow]


class ByKey(BaseModel):
    """A count under the three ways of comparing texts."""

    model_config = ConfigDict(extra="forbid")

    raw: int
    norm: int
    loose: int


class ByNormalisedKey(BaseModel):
    """A count under the two ways of comparing texts that are not literal."""

    model_config = ConfigDict(extra="forbid")

    norm: int
    loose: int


class Counts(BaseModel):
    """What the audit counted, before any row was left out."""

    model_config = ConfigDict(extra="forbid")

    rows: int
    duplicate_rows: ByKey
    conflict_rows: ByNormalisedKey
    leaked_rows: dict[str, ByKey]


class Report(BaseModel):
    """`audit.json`: findings and counts, and the rows that go no further."""

    model_config = ConfigDict(extra="forbid")

    findings: list[StoredFinding]
    counts: Counts
    shapes: dict[str, str]
    left_out: list[Place]

    def blocking(self) -> list[StoredFinding]:
        """The findings that close the gate."""
        return [f for f in self.findings if f.severity is Severity.BLOCK]

    def count(self, severity: Severity) -> int:
        """How many findings have the severity."""
        return sum(f.severity is severity for f in self.findings)


def audit(table: Table, leave_out: Sequence[str], shapes: Mapping[str, str]) -> Report:
    """Runs every check; the rows of the checks named in `leave_out` are taken out instead of blocking.

    The table is left with the rows that go on. Raises CaseError for the name of a check that does not exist.
    """
    check_names_to_leave_out(leave_out)
    counts = _counts(table)
    findings: list[Finding] = []
    for check in CHECKS.values():
        found = [_severed(check, finding, check.name in leave_out) for finding in check.find(table)]
        for finding in found:
            if finding.left_out:
                table.leave_out(finding.rows)
        findings += found
    order = list(Severity)
    stored = [_stored(f) for f in sorted(findings, key=lambda f: order.index(f.severity))]
    return Report(findings=stored, counts=counts, shapes=dict(shapes), left_out=[_place(source) for source in sorted(table.gone)])


def check_names_to_leave_out(names: Sequence[str]) -> None:
    """Raises CaseError for the name of a check that does not exist."""
    unknown = sorted(set(names) - CHECKS.keys())
    if unknown:
        raise CaseError(f"`{unknown[0]}` is no check", where="data.leave_out", fix=f"the checks are {', '.join(CHECKS)}")


def _severed(check: Check, finding: Finding, asked: bool) -> Finding:
    """The finding with its check's name and severity; what is left out no longer blocks."""
    left_out = asked or check.always_leaves_out
    severity = Severity.WARN if left_out and check.severity is Severity.BLOCK else check.severity
    return replace(finding, check=check.name, severity=severity, left_out=left_out)


def _counts(table: Table) -> Counts:
    examples = table.examples
    files = sorted({e.source.file for e in table.eval})
    return Counts(
        rows=len(examples),
        duplicate_rows=ByKey(**{name: _repeats(examples, key) for name, key in KEYS.items()}),
        conflict_rows=ByNormalisedKey(**{name: sum(map(len, conflicting(examples, KEYS[name]))) for name in ("norm", "loose")}),
        leaked_rows={
            file: ByKey(**{n: _leaked(examples, [e for e in table.eval if e.source.file == file], k) for n, k in KEYS.items()})
            for file in files
        },
    )


def _repeats(examples: list[Example], key: Callable[[str], str]) -> int:
    return sum(len(rows) - 1 for rows in groups(examples, key))


def _leaked(learned: list[Example], scored: list[Example], key: Callable[[str], str]) -> int:
    known = {key(prompt_text(e)) for e in learned}
    return sum(key(prompt_text(e)) in known for e in scored)


def _raw(text: str) -> str:
    return text


KEYS: dict[str, Callable[[str], str]] = {"raw": _raw, "norm": norm, "loose": loose}


def _stored(finding: Finding) -> StoredFinding:
    return StoredFinding(
        check=finding.check,
        severity=finding.severity,
        message=finding.message,
        action=finding.action,
        count=len(finding.rows),
        left_out=finding.left_out,
        rows=[FoundRow(file=r.at.file, line=r.at.line, of=_place(r.of) if r.of else None, note=r.note) for r in finding.rows],
    )


def _place(source: Source) -> Place:
    return Place(file=source.file, line=source.line)
