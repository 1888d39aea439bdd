"""What the stages write down for the card and for the wizard: small typed files in the run folder."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.case import Output
from tuneproof.engine.route import Route

ROUTE = "route.json"
MODEL = "model.json"
METHOD = "method.json"
TRAINING = "training/summary.json"
ADAPTER = "training/adapter/adapter_model.safetensors"
AUDIT = "audit.json"
DATA = "data.json"
CATALOGUE = "catalogue.json"
FAILURES = "failures.jsonl"


class Facts(BaseModel):
    """A file of facts: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    def as_text(self) -> str:
        """The one way the file is written."""
        return self.model_dump_json(indent=1, by_alias=True) + "\n"


class RouteFacts(Facts):
    """The route, and the number of examples it was decided with."""

    route: Route
    labeled_examples: int


class PreviewRow(Facts):
    """One row as it reaches the model, private data masked, and the answer it should give; the lengths in the unit of the file."""

    file: str
    line: int
    prompt: str
    answer: str
    prompt_length: int
    answer_length: int


class LengthSummary(Facts):
    """How long rows are."""

    median: int
    p99: int
    longest: int


class RowLengths(Facts):
    """How long rows are, in tokens of the base where one is chosen."""

    unit: Literal["tokens", "characters"]
    prompt: LengthSummary
    answer: LengthSummary


class DataFacts(RowLengths):
    """What the data looks like: how long its rows are, the first of them, and the output format that its outputs suggest."""

    base: str | None
    context: int | None
    rows: list[PreviewRow]
    drafted_output: Output
    drafted_why: str


class ModelFacts(Facts):
    """The base model as it was found, and what it ran on."""

    name: str
    sha256: str
    context: int
    chat_template: bool
    device: str
    dtype: str
    versions: dict[str, str]


class CatalogueEntry(Facts):
    """One method that could be trained, with its settings for this case, and how much of this base it would train."""

    name: str
    trains: str
    good_for: str
    trained_parameters: int
    all_parameters: int
    settings: dict[str, float | int | None]


class Catalogue(Facts):
    """Every method there is, in the order of the catalogue."""

    methods: list[CatalogueEntry]


class MethodFacts(Facts):
    """The plan with every default written out, and why training is not needed, where it is not."""

    name: str
    why: str
    trains: str
    settings: dict[str, float | int | None]
    skipped: str | None
    despite: list[str]


class TrainingFacts(Facts):
    """What training did."""

    examples: int
    steps: int
    best_step: int
    validation_cases: int
    validation_format_valid: float
    validation_correct: float
    validation_loss: float
    trained_parameters: int
    all_parameters: int


class Tried(Facts):
    """One way to ask, as it did on the validation cases that chose between the ways."""

    variant: str
    cases: int
    correct: int
    format_valid: int


class ArmFacts(Facts):
    """How an arm asked: what was settled before the frozen cases, in a sentence; the tokens an answer may take; what was tried."""

    arm: str
    told: str
    answer_tokens: int
    variant: str | None
    tried: list[Tried]


def arm_file(arm: str) -> str:
    """Where it is told how an arm asked."""
    return f"arms/{arm}/arm.json"


def prompt_file(arm: str) -> str:
    """Where an arm's prompt lies for a person to copy: as the model gets it, with places in braces for what differs by case."""
    return f"arms/{arm}/prompt.txt"


def grammar_file(arm: str) -> str:
    """Where the grammar lies that an arm's answers were held to, as llguidance reads it."""
    return f"arms/{arm}/grammar.json"


def tried_file(arm: str) -> str:
    """Where the answers to validation cases lie that chose between an arm's ways to ask."""
    return f"arms/{arm}/validation.jsonl"


def kept_file(arm: str) -> str:
    """Where answers lie that were paid for, until the arm is scored: a resumed run does not ask for them again."""
    return f"arms/{arm}/kept.jsonl"


def predictions_file(arm: str) -> str:
    """Where an arm's predictions lie in the run folder."""
    return f"arms/{arm}/predictions.jsonl"


def scores_file(arm: str) -> str:
    """Where an arm's scores lie in the run folder."""
    return f"arms/{arm}/scores.json"
