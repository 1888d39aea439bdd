"""`audit.json`: the findings and counts of one audit."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.audit.profile import Profile
from tuneproof.engine.audit.registry import Severity


@dataclass(frozen=True, slots=True)
class RowReference:
    """A row of a file."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class FoundRow(RowReference):
    """A row of a finding; `of` is the row that it is a duplicate or leak of.

    No model, which would take ten times the memory: a finding may have every row of a large file.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    of: RowReference | None = None
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
    """Whether its rows are left out."""
    accepted: str | None = None
    """The reason why the finding is accepted."""
    group_by: str | None = Field(default=None, exclude_if=lambda name: name is None)
    """What `data.split.group_by` has to be so that nothing is found."""
    rows: list[FoundRow]

    @property
    def closes_the_gate(self) -> bool:
        """Whether it blocks and is not accepted."""
        return self.severity is Severity.BLOCK and self.accepted is None


class ByKey(BaseModel):
    """A count under the three ways of comparing texts: exactly, under `norm` and under `loose`."""

    model_config = ConfigDict(extra="forbid")

    raw: int
    norm: int
    loose: int


class ByNormalisedKey(BaseModel):
    """A count under `norm` and under `loose`."""

    model_config = ConfigDict(extra="forbid")

    norm: int
    loose: int


class Leaked(ByKey):
    """Eval rows that are also examples, under the three ways of comparing texts, and eval rows that are near one."""

    near: int


class Counts(BaseModel):
    """Counts before any row is left out; the near counts are lower bounds if `near_complete` is false."""

    model_config = ConfigDict(extra="forbid")

    rows: int
    duplicate_rows: ByKey
    conflict_rows: ByNormalisedKey
    near_pairs: int
    near_complete: bool
    near_rows_to_drop: int
    leaked_rows: dict[str, Leaked]


class Report(BaseModel):
    """Findings and counts, and the rows that are left out."""

    model_config = ConfigDict(extra="forbid")

    findings: list[StoredFinding]
    counts: Counts
    shapes: dict[str, str]
    left_out: list[RowReference]
    profile: Profile | None = None
    """The data as a whole; None in a run, whose card describes the parts."""

    def blocking(self) -> list[StoredFinding]:
        """The findings that close the gate."""
        return [f for f in self.findings if f.closes_the_gate]

    def count(self, severity: Severity) -> int:
        """The number of findings of a severity that are not accepted."""
        return sum(f.severity is severity and f.accepted is None for f in self.findings)

    @property
    def accepted(self) -> int:
        """The number of accepted findings."""
        return sum(f.accepted is not None for f in self.findings)
