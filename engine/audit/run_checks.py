"""Running all checks over one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from sys import intern

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.harm import harm_of
from tuneproof.engine.audit.label_noise.cross_validated import require_cleanlab
from tuneproof.engine.audit.left_out import LeftOut
from tuneproof.engine.audit.pii.masking import masked
from tuneproof.engine.audit.registry import Check, Finding, Severity
from tuneproof.engine.audit.report import ByKey, ByNormalisedKey, Counts, FoundRow, Leaked, Report, RowReference, StoredFinding
from tuneproof.engine.audit.rows import Rows, conflicting_groups
from tuneproof.engine.audit.table import AllRows, Table
from tuneproof.engine.audit.texts import Keys
from tuneproof.engine.case.data import LabelErrorMethod
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Source

Find = Callable[[Check, Table, Callable[[], None]], list[Finding]]
"""Finds what a check finds in a table; the function is called before the check runs."""


def _find(check: Check, table: Table, begin: Callable[[], None]) -> list[Finding]:
    begin()
    return list(check.find(table))


def audit(
    table: Table,
    leave_out: Sequence[str],
    shapes: Mapping[str, str],
    accept: Mapping[str, str] | None = None,
    on_check: Callable[[str], None] = lambda check: None,
    on_rows: Callable[[int, int], None] | None = None,
    *,
    find: Find = _find,
    counts: Counts | None = None,
) -> Report:
    """Runs every check and leaves the remaining rows in the table.

    The single rows in `leave_out`, and those of its checks, are left out instead of blocking. `accept` has, by check, the reason why its
    findings are accepted: they are reported and no longer block. `shapes` has the shape of each file. `on_check` is called with the name
    of each check before it runs, and `on_rows` with how many of how many rows a pass through them has come to. Raises CaseError for an
    unknown check, and if cleanlab is wanted and not installed.

    `find` and `counts` are for an audit that knows some findings, and the counts, from before.
    """
    accepted = dict(accept or {})
    require_known_checks(leave_out, accepted)
    left_out = LeftOut.of(leave_out)
    table.by_hand = left_out.rows
    if table.label_errors is LabelErrorMethod.CLEANLAB:
        # Fail before the minutes that other checks may take.
        require_cleanlab()
    table.watch(on_rows)
    counts = counts or count_rows(table)
    findings: list[StoredFinding] = []
    for check in CHECKS.values():
        found = find(check, table, partial(on_check, check.name))
        for finding in [_completed(check, finding, check.name in left_out.checks) for finding in found]:
            if finding.left_out:
                table.leave_out(row.at for row in finding.rows)
            findings.append(_stored(finding, None if finding.left_out else accepted.get(check.name)))
    order = list(Severity)
    findings.sort(key=lambda found: (order.index(found.severity), harm_of(found.check), -found.count))
    return Report(findings=findings, counts=counts, shapes=dict(shapes), left_out=[_reference(source) for source in sorted(table.gone)])


def findings_of(check: Check, table: Table, accept: Mapping[str, str]) -> list[StoredFinding]:
    """What one check finds in a table from which nothing is left out."""
    return [_stored(_completed(check, finding, False), accept.get(check.name)) for finding in check.find(table)]


def require_known_checks(leave_out: Sequence[str], accept: Mapping[str, str]) -> None:
    """Raises CaseError for an unknown check, and for a check that is both left out and accepted."""
    checks = LeftOut.of(leave_out).checks
    for names, where in ((checks, "data.leave_out"), (accept, "data.accept")):
        unknown = sorted(set(names) - CHECKS.keys())
        if unknown:
            raise CaseError(
                f"there is no check `{unknown[0]}`", where=where, fix=f"the checks are {', '.join(CHECKS)}; a row is `file:line`"
            )
    both = sorted(set(checks) & accept.keys())
    if both:
        raise CaseError(f"`{both[0]}` is both left out and accepted", where="data.accept", fix="remove it from one of the two")


def _completed(check: Check, finding: Finding, leave_out: bool) -> Finding:
    """The finding with the name of its check, and its severity where it names none.

    A finding without rows cannot be left out; one that is left out only warns.
    """
    left_out = bool(finding.rows) and (leave_out or check.always_leaves_out)
    own = finding.severity or check.severity
    severity = Severity.WARN if left_out and own is Severity.BLOCK else own
    return replace(finding, check=check.name, severity=severity, left_out=left_out)


def count_rows(table: Table) -> Counts:
    """The counts of a table from which no row is left out yet."""
    examples = table.examples
    near = table.near()
    near_by_file = Counter(table.eval[found.row - len(examples)].source.file for found in near.eval_near_examples())
    return Counts(
        rows=table.count(AllRows).examples,
        duplicate_rows=ByKey(raw=examples.raw.repeats(), norm=examples.norm.repeats(), loose=examples.loose.repeats()),
        conflict_rows=ByNormalisedKey(norm=_conflicts(examples, examples.norm), loose=_conflicts(examples, examples.loose)),
        near_pairs=near.pairs(),
        near_complete=near.complete,
        near_rows_to_drop=len(near.dropped),
        leaked_rows=_leaked(examples, table.eval, near_by_file),
    )


def _conflicts(rows: Rows, keys: Keys) -> int:
    return sum(map(len, conflicting_groups(rows, keys)))


def _leaked(examples: Rows, eval_rows: Rows, near: Counter[str]) -> dict[str, Leaked]:
    """By file, the eval rows that are also examples, under each way of comparing texts."""

    def among(known: Keys, keys: Keys) -> Counter[str]:
        return Counter(eval_rows[at].source.file for at in keys.first_in(known))

    raw, norm, loose = (
        among(examples.raw, eval_rows.raw),
        among(examples.norm, eval_rows.norm),
        among(examples.loose, eval_rows.loose),
    )
    files = sorted({example.source.file for example in eval_rows})
    return {file: Leaked(raw=raw[file], norm=norm[file], loose=loose[file], near=near[file]) for file in files}


def _stored(finding: Finding, accepted: str | None) -> StoredFinding:
    assert finding.severity is not None, "a completed finding has a severity"
    rows = [
        # Many rows have the same note, such as their similarity, and it is stored once.
        FoundRow(row.at.file, row.at.line, _reference(row.of) if row.of else None, intern(masked(row.note)))
        for row in finding.rows
    ]
    return StoredFinding.model_construct(
        check=finding.check,
        severity=finding.severity,
        message=finding.message,
        action=finding.action,
        count=len(rows),
        left_out=finding.left_out,
        accepted=accepted,
        group_by=finding.group_by,
        rows=rows,
    )


def _reference(source: Source) -> RowReference:
    return RowReference(file=source.file, line=source.line)
