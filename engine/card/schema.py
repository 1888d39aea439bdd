"""The evidence card as data: Decision, Data Shape, Method, Eval Set, Risk, and the verdict."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.audit.profile import Profile
from tuneproof.engine.card.learning_curve import LearningCurveSection
from tuneproof.engine.card.merged_model import ServedSection
from tuneproof.engine.card.method_comparison import ComparisonSection
from tuneproof.engine.case.route import Route
from tuneproof.engine.core.sentence import Sentence, Sentences
from tuneproof.engine.run.artifacts import PlannedFacts, TrainedLength
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.verdict import Verdict

CARD_JSON = "card.json"
CARD_MD = "card.md"


class CardSection(BaseModel):
    """A part of the card: unknown keys are errors, and the summary says it in a sentence."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    summary: Sentence


class DecisionSection(CardSection):
    """The answers, the route they lead to, and what the case overruled."""

    route: Route
    answers: dict[str, bool | int]
    overruled: list[str]
    measured: Sentence | None
    """Whether the measurement agrees with the route; none where what it recommends was not measured."""


class DataShapeSection(CardSection):
    """What there is to learn from."""

    files: dict[str, str]
    rows: int
    duplicate_rows: int
    conflict_rows: int
    left_out: int
    train: int
    validation: int
    findings: dict[str, int]
    profile: Profile


class MethodSection(CardSection):
    """What was trained, or why nothing was; each setting, where its value comes from, and how long the rows are."""

    name: str | None
    settings: dict[str, float | int | None]
    sources: dict[str, str] = {}
    length: TrainedLength | None = None
    skipped: str | None
    trained_parameters: int | None
    all_parameters: int | None
    best_step: int | None
    steps: int | None
    planned: PlannedFacts | None = None
    """What memory, time and money were predicted and measured before training."""


class EvalSetSection(CardSection):
    """The frozen cases, and what they can show.

    `fewest_cases_for_target` is how many cases it takes to show that the target is met, `fewest_right_for_target` how many of these have
    to be right; none where there is no target, the metric is not a share of right cases, or no number is enough.
    """

    n: int
    sha256: str | None
    metric: str | None
    minimum_detectable_effect: float | None
    fewest_cases_for_target: int | None
    fewest_right_for_target: int | None


class RiskSection(CardSection):
    """What could make the verdict wrong, or the model worse than it looks."""

    items: Sentences


class CardArm(BaseModel):
    """One arm on the frozen cases: rates with their 95 % Wilson intervals, and what a case costs.

    The price is that of the machine, at the rate measured here, where `budget.usd_per_gpu_hour` gives one; of the endpoint, that of its
    tokens, where `endpoint` has the prices. `n` counts the cases that were answered; the last two are there only where they say something.
    """

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
    usd_per_1000_requests: float | None
    asked: str = ""
    """What was settled about the arm before the frozen cases, in a sentence."""
    recall: Rate | None = None
    left_out: int = 0
    unanswered: dict[str, int] = Field(default={}, exclude_if=lambda reasons: not reasons)
    """The cases that a server gave no answer to, by the reason."""
    tokens_untold: int = Field(default=0, exclude_if=lambda count: not count)


class ProvenanceSection(BaseModel):
    """The digests that the card rests on: the case, the frozen cases, the base, and every step of the run."""

    model_config = ConfigDict(extra="forbid")

    case_sha256: str
    eval_sha256: str | None
    base: str | None
    base_sha256: str | None
    adapter_sha256: str | None
    device: str | None
    endpoint: str | None = Field(default=None, exclude_if=lambda told: told is None)
    """The model that a server answered with, and where that is."""
    versions: dict[str, str]
    steps: dict[str, str]


class Card(BaseModel):
    """The five fields, the verdict, the arms and where it all comes from."""

    model_config = ConfigDict(extra="forbid")

    name: str
    decision: DecisionSection
    data_shape: DataShapeSection | None
    method: MethodSection | None
    eval_set: EvalSetSection | None
    risk: RiskSection
    verdict: Verdict
    arms: list[CardArm]
    provenance: ProvenanceSection
    served: ServedSection | None = Field(default=None, exclude_if=lambda told: told is None)
    """Whether what will be served is what was measured; none where nothing was trained, or it is not to be merged."""
    comparison: ComparisonSection | None = Field(default=None, exclude_if=lambda told: told is None)
    """What other methods made of the same rows; none where that was not asked."""
    learning_curve: LearningCurveSection | None = Field(default=None, exclude_if=lambda told: told is None)
    """Whether more labels would help; none where that was not asked."""

    def as_text(self) -> str:
        """The one way `card.json` is written."""
        return self.model_dump_json(indent=1) + "\n"
