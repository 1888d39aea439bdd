"""All checks over one table, and `audit.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.audit.checks.duplicates import conflicting
from tuneproof.engine.audit.label_noise.cross_validated import must_be_installed
from tuneproof.engine.audit.pii.masking import masked
from tuneproof.engine.audit.profile import Profile
from tuneproof.engine.audit.registry import CHECKS, Check, Finding, Severity
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import AllRows, Table
from tuneproof.engine.case.data import LabelErrorMethod
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Source


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
    accepted: str | None = None
    rows: list[FoundRow]

    @property
    def closes_the_gate(self) -> bool:
        """Whether it blocks, and nobody has accepted it with a reason."""
        return self.severity is Severity.BLOCK and self.accepted is None


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


class Leaked(ByKey):
    """Eval rows that stand among the rows to learn from, under the three ways of comparing texts, and those that nearly do."""

    near: int


class Counts(BaseModel):
    """What the audit counted, before any row was left out; the near counts are lower bounds where they are not complete."""

    model_config = ConfigDict(extra="forbid")

    rows: int
    duplicate_rows: ByKey
    conflict_rows: ByNormalisedKey
    near_pairs: int
    near_complete: bool
    near_rows_to_drop: int
    leaked_rows: dict[str, Leaked]


class Report(BaseModel):
    """`audit.json`: findings and counts, and the rows that go no further."""

    model_config = ConfigDict(extra="forbid")

    findings: list[StoredFinding]
    counts: Counts
    shapes: dict[str, str]
    left_out: list[Place]
    profile: Profile | None = None
    """What the data is like as a whole, where there are no parts yet for the card to tell it of."""

    def blocking(self) -> list[StoredFinding]:
        """The findings that close the gate."""
        return [f for f in self.findings if f.closes_the_gate]

    def count(self, severity: Severity) -> int:
        """How many findings have the severity, and nobody has accepted them with a reason."""
        return sum(f.severity is severity and f.accepted is None for f in self.findings)

    @property
    def accepted(self) -> int:
        """How many findings are lived with."""
        return sum(f.accepted is not None for f in self.findings)


def audit(
    table: Table,
    leave_out: Sequence[str],
    shapes: Mapping[str, str],
    accept: Mapping[str, str] | None = None,
    on_check: Callable[[str], None] = lambda check: None,
) -> Report:
    """Runs every check; the rows of the checks named in `leave_out` are taken out instead of blocking.

    `accept` has the reasons why findings of some checks are lived with: they are told and no longer block. `on_check` hears the name of
    each check before it runs. The table is left with the rows that go on. Raises CaseError for the name of a check that does not exist,
    and where cleanlab is asked for and not there.
    """
    accepted = dict(accept or {})
    check_names(leave_out, accepted)
    if table.label_errors is LabelErrorMethod.CLEANLAB:
        # Before the minutes that other checks may take.
        must_be_installed()
    counts = _counts(table)
    findings: list[tuple[Finding, str | None]] = []
    for check in CHECKS.values():
        on_check(check.name)
        for finding in [_severed(check, finding, check.name in leave_out) for finding in check.find(table)]:
            if finding.left_out:
                table.leave_out(row.at for row in finding.rows)
            findings.append((finding, None if finding.left_out else accepted.get(check.name)))
    order = list(Severity)
    stored = [_stored(*found) for found in sorted(findings, key=lambda found: order.index(found[0].severity))]
    return Report(findings=stored, counts=counts, shapes=dict(shapes), left_out=[_place(source) for source in sorted(table.gone)])


def check_names(leave_out: Sequence[str], accept: Mapping[str, str]) -> None:
    """Raises CaseError for the name of a check that does not exist, and for a check whose rows are both left out and accepted."""
    for names, where in ((leave_out, "data.leave_out"), (accept, "data.accept")):
        unknown = sorted(set(names) - CHECKS.keys())
        if unknown:
            raise CaseError(f"`{unknown[0]}` is no check", where=where, fix=f"the checks are {', '.join(CHECKS)}")
    both = sorted(set(leave_out) & accept.keys())
    if both:
        raise CaseError(f"`{both[0]}` is left out and accepted", where="data.accept", fix="do one of the two")


def _severed(check: Check, finding: Finding, asked: bool) -> Finding:
    """The finding with its check's name and severity; what is left out no longer blocks. Without rows nothing can be left out."""
    left_out = bool(finding.rows) and (asked or check.always_leaves_out)
    severity = Severity.WARN if left_out and check.severity is Severity.BLOCK else check.severity
    return replace(finding, check=check.name, severity=severity, left_out=left_out)


def _counts(table: Table) -> Counts:
    learned = table.examples
    by_file: dict[str, list[int]] = {}
    for at, example in enumerate(table.eval):
        by_file.setdefault(example.source.file, []).append(at)
    near = table.near()
    nearly = Counter(table.eval[found.row - len(learned)].source.file for found in near.eval_near_examples())
    return Counts(
        rows=table.count(AllRows).examples,
        duplicate_rows=ByKey(raw=_repeats(learned.raw), norm=_repeats(learned.norm), loose=_repeats(learned.loose)),
        conflict_rows=ByNormalisedKey(norm=_conflicts(learned, learned.norm), loose=_conflicts(learned, learned.loose)),
        near_pairs=near.pairs(),
        near_complete=near.complete,
        near_rows_to_drop=len(near.dropped),
        leaked_rows={file: _leaked(learned, table.eval, rows, nearly[file]) for file, rows in sorted(by_file.items())},
    )


def _repeats(keys: list[str]) -> int:
    return len(keys) - len(set(keys))


def _conflicts(rows: Rows, keys: list[str]) -> int:
    return sum(map(len, conflicting(rows, keys)))


def _leaked(learned: Rows, scored: Rows, rows: list[int], near: int) -> Leaked:
    def among(known: list[str], keys: list[str]) -> int:
        present = set(known)
        return sum(keys[at] in present for at in rows)

    return Leaked(
        raw=among(learned.raw, scored.raw),
        norm=among(learned.norm, scored.norm),
        loose=among(learned.loose, scored.loose),
        near=near,
    )


def _stored(finding: Finding, accepted: str | None) -> StoredFinding:
    return StoredFinding(
        check=finding.check,
        severity=finding.severity,
        message=finding.message,
        action=finding.action,
        count=len(finding.rows),
        left_out=finding.left_out,
        accepted=accepted,
        rows=[FoundRow(file=r.at.file, line=r.at.line, of=_place(r.of) if r.of else None, note=masked(r.note)) for r in finding.rows],
    )


def _place(source: Source) -> Place:
    return Place(file=source.file, line=source.line)
