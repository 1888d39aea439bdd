"""The evidence card as data, as `card.json` has it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.audit.profile import Profile
from tuneproof.engine.card.behaviour_section import BehaviourSection
from tuneproof.engine.card.cost import CostSection
from tuneproof.engine.card.drift_section import DriftSection
from tuneproof.engine.card.judge_section import JudgeSection
from tuneproof.engine.card.learning_curve import LearningCurveSection
from tuneproof.engine.card.measured_route import RedrawnRoute
from tuneproof.engine.card.merged_model import ServedSection
from tuneproof.engine.card.method_comparison import ComparisonSection
from tuneproof.engine.card.overfitting_section import OverfittingSection
from tuneproof.engine.case.route import Route
from tuneproof.engine.core.sentence import Sentence, Sentences
from tuneproof.engine.run.artifacts import PlannedFacts, TrainedLength
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.scores import LabelScore
from tuneproof.engine.scoring.verdict_schema import Verdict

CARD_JSON = "card.json"
CARD_MD = "card.md"
CARD_HTML = "card.html"


class CardSection(BaseModel):
    """A section of the card, with its content as a sentence or two in `summary`."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    summary: Sentence


class DecisionSection(CardSection):
    """The answers, and the route that they lead to."""

    route: Route
    """The route that the case began with."""
    answers: dict[str, bool | int]
    overruled: list[str]
    """Reasons against training that the case overruled."""
    measured: Sentence | None
    """Whether the measurement agrees with the route; None if what the route recommends was not measured."""


class DataShapeSection(CardSection):
    """The examples: where they come from, how they were split, and what the audit found."""

    files: dict[str, str]
    """The shape of the rows of each file."""
    rows: int
    duplicate_rows: int
    """Rows whose normalised prompt is that of an earlier row."""
    conflict_rows: int
    """Rows that share a normalised prompt with a row of another output."""
    left_out: int
    """Rows that no part has."""
    train: int
    validation: int
    findings: dict[str, int]
    """How many findings of the audit there are, by severity."""
    profile: Profile


class MethodSection(CardSection):
    """What was trained and how, or why nothing was trained."""

    name: str | None
    settings: dict[str, float | int | None]
    sources: dict[str, str] = {}
    """Where the value of each setting comes from."""
    length: TrainedLength | None = None
    skipped: str | None
    """Why nothing was trained, as the end of a sentence."""
    trained_parameters: int | None
    all_parameters: int | None
    best_step: int | None
    """The step whose checkpoint was kept."""
    steps: int | None
    planned: PlannedFacts | None = None
    """Memory, time and cost, predicted and measured before training."""


class EvalSetSection(CardSection):
    """The frozen eval cases, and what they can show.

    The two counts for the target are None if there is no target, if its metric gives partial credit, or if no number is enough.
    """

    n: int
    sha256: str | None
    metric: str | None
    minimum_detectable_effect: float | None
    """The smallest difference between two arms that so many cases can be expected to detect, as a rate."""
    fewest_cases_for_target: int | None
    """How many cases it takes to show that the target is met."""
    fewest_right_for_target: int | None
    """How many of the n cases have to be right to show that."""


class RiskSection(CardSection):
    """What could make the verdict wrong, or the model worse than it looks."""

    items: Sentences
    behaviour: BehaviourSection | None = Field(default=None, exclude_if=lambda section: section is None)
    """What was measured of base and tuned model outside the task; None if nothing was."""
    overfitting: OverfittingSection | None = Field(default=None, exclude_if=lambda section: section is None)
    """None if it was not measured."""
    drift: DriftSection | None = Field(default=None, exclude_if=lambda section: section is None)
    """None if it was not measured."""


class CardArm(BaseModel):
    """The scores and costs of one arm on the eval cases; rates have 95 % Wilson intervals."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    arm: str
    n: int
    """Cases with an answer, over which all rates are."""
    format_valid: Rate
    correct: Rate
    metrics: dict[str, float]
    failures: dict[str, int]
    """Wrong answers by the kind of failure."""
    truncated: int
    """Answers that were cut off at the length limit."""
    tokens_per_case: float
    """Prompt and answer together, mean."""
    seconds_per_case: float
    usd_per_1000_requests: float | None
    """From the measured time and `budget.usd_per_gpu_hour`, or for an endpoint from its price per token; None without a price."""
    approach: str = Field(default="", alias="asked")
    """How the arm prompts and decodes, in a sentence; it is decided before the eval cases are answered."""
    recall: Rate | None = None
    """Of the cases that name a document, the share for which a passage of it was in the prompt."""
    left_out: int = 0
    """How often an example was not shown because it is a near-duplicate of the case."""
    unanswered: dict[str, int] = Field(default={}, exclude_if=lambda reasons: not reasons)
    """Cases without an answer from the server, by reason."""
    score: float | None = Field(default=None, exclude_if=lambda score: score is None)
    """For a free text, several labels or a script of the case, the metric that decides, where it is not the share of correct answers."""
    labels: dict[str, LabelScore] = Field(default={}, exclude_if=lambda labels: not labels)
    """Of several labels, how each one is answered."""
    rules: dict[str, Rate] = Field(default={}, exclude_if=lambda rules: not rules)
    """How often the answers keep each rule of the task."""
    tokens_untold: int = Field(default=0, exclude_if=lambda count: not count)
    """Answers whose tokens the server did not report."""

    @property
    def quality(self) -> float:
        """What arms are compared by."""
        return self.correct.rate if self.score is None else self.score


class ProvenanceSection(BaseModel):
    """The digests of everything that the card is made from, and where the run ran."""

    model_config = ConfigDict(extra="forbid")

    case_sha256: str
    eval_sha256: str | None
    base: str | None
    base_sha256: str | None
    adapter_sha256: str | None
    device: str | None
    endpoint: str | None = Field(default=None, exclude_if=lambda value: value is None)
    """The model and the server of the arm `endpoint`."""
    generation: dict[str, bool | int | list[int]] | None = Field(default=None, exclude_if=lambda settings: not settings)
    """The generation config of every answer of a model on this machine."""
    versions: dict[str, str]
    steps: dict[str, str]
    """The digest of each step of the run."""


class Card(BaseModel):
    """The evidence card: the verdict, the sections, the arms and the provenance."""

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
    redrawn_route: RedrawnRoute | None = Field(default=None, exclude_if=lambda value: value is None)
    """None if the untuned arms changed nothing about the route."""
    judge: JudgeSection | None = Field(default=None, exclude_if=lambda value: value is None)
    """None for a case without a judge."""
    served: ServedSection | None = Field(default=None, exclude_if=lambda value: value is None)
    """None if nothing was trained, or if the case wants no merged model."""
    comparison: ComparisonSection | None = Field(default=None, exclude_if=lambda value: value is None)
    """None if the case compares no other methods."""
    learning_curve: LearningCurveSection | None = Field(default=None, exclude_if=lambda value: value is None)
    """None if the case does not ask for it."""
    cost: CostSection | None = Field(default=None, exclude_if=lambda value: value is None)
    """None before an arm has been scored, and in runs of versions that did not count it."""

    def as_text(self) -> str:
        """The content of `card.json`."""
        return self.model_dump_json(indent=1) + "\n"
