"""The evidence card as data: Decision, Data Shape, Method, Eval Set, Risk, and the verdict."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.route import Route
from tuneproof.engine.run.events import Rate
from tuneproof.engine.verdict import Verdict

CARD_JSON = "card.json"
CARD_MD = "card.md"


class Field(BaseModel):
    """A part of the card: unknown keys are errors, and the summary says it in a sentence."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    summary: str


class Decision(Field):
    """The answers, the route they lead to, and what the case overruled."""

    route: Route
    answers: dict[str, bool | int]
    overruled: list[str]


class DataShape(Field):
    """What there is to learn from."""

    files: dict[str, str]
    rows: int
    duplicate_rows: int
    conflict_rows: int
    left_out: int
    train: int
    validation: int
    findings: dict[str, int]


class Method(Field):
    """What was trained, or why nothing was."""

    name: str | None
    settings: dict[str, float | int | None]
    skipped: str | None
    trained_parameters: int | None
    all_parameters: int | None
    best_step: int | None
    steps: int | None


class EvalSet(Field):
    """The frozen cases."""

    n: int
    sha256: str | None
    metric: str | None
    minimum_detectable_effect: float | None


class Risk(Field):
    """What could make the verdict wrong, or the model worse than it looks."""

    items: list[str]


class CardArm(BaseModel):
    """One arm on the frozen cases: rates with their 95 % Wilson intervals, and what a case costs."""

    model_config = ConfigDict(extra="forbid")

    arm: str
    n: int
    format_valid: Rate
    correct: Rate
    metrics: dict[str, float]
    failures: dict[str, int]
    truncated: int
    tokens_per_case: float
    seconds_per_case: float
    asked: str = ""
    """What was settled about the arm before the frozen cases, in a sentence."""
    recall: Rate | None = None
    left_out: int = 0


class Provenance(BaseModel):
    """The digests that the card rests on: the case, the frozen cases, the base, and every step of the run."""

    model_config = ConfigDict(extra="forbid")

    case_sha256: str
    eval_sha256: str | None
    base: str | None
    base_sha256: str | None
    adapter_sha256: str | None
    device: str | None
    versions: dict[str, str]
    steps: dict[str, str]


class Card(BaseModel):
    """The five fields, the verdict, the arms and where it all comes from."""

    model_config = ConfigDict(extra="forbid")

    name: str
    decision: Decision
    data_shape: DataShape | None
    method: Method | None
    eval_set: EvalSet | None
    risk: Risk
    verdict: Verdict
    arms: list[CardArm]
    provenance: Provenance

    def as_text(self) -> str:
        """The one way `card.json` is written."""
        return self.model_dump_json(indent=1) + "\n"
