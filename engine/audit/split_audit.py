"""The audit of a frozen split as it is: what its train part says about its eval part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.harm import harm_of
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import StoredFinding
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.run_checks import findings_of
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example
from tuneproof.engine.run.store import SPLIT_AUDIT, RunStore
from tuneproof.engine.scoring.grade import Grader

CHECKS_OF_PARTS = (
    "leakage",
    "near-leakage",
    "common-requests",
    "group-leakage",
    "template-leakage",
    "known-outputs",
    "unseen-label",
    "label-shares",
)
"""The checks that compare train with eval."""


class SplitAudit(BaseModel):
    """`splits/audit.json`: what was found when a file had been divided, before anything was trained. There is none if nothing was found."""

    model_config = ConfigDict(extra="forbid")

    findings: list[StoredFinding]


def audit_split(train: Sequence[Example], eval_rows: Sequence[Example], grader: Grader | None, accept: Mapping[str, str]) -> SplitAudit:
    """What the checks of parts find between train and eval. Nothing is left out: the parts are frozen."""
    table = Table(Rows(train), Rows(eval_rows), [], grader)
    found = [finding for name in CHECKS_OF_PARTS for finding in findings_of(CHECKS[name], table, accept)]
    order = list(Severity)
    return SplitAudit(findings=sorted(found, key=lambda each: (order.index(each.severity), harm_of(each.check))))


def findings_in_parts(store: RunStore) -> list[StoredFinding]:
    """What was found in the parts of a run when they were frozen."""
    return SplitAudit.model_validate_json(store.read(SPLIT_AUDIT)).findings if store.has(SPLIT_AUDIT) else []
