"""What the stages write down for the card: small typed files in the run folder."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.route import Route

ROUTE = "route.json"
MODEL = "model.json"
METHOD = "method.json"
TRAINING = "training/summary.json"
ADAPTER = "training/adapter/adapter_model.safetensors"
AUDIT = "audit.json"
FAILURES = "failures.jsonl"


class Facts(BaseModel):
    """A file of facts: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    def as_text(self) -> str:
        """The one way the file is written."""
        return self.model_dump_json(indent=1) + "\n"


class RouteFacts(Facts):
    """The route, and the number of examples it was decided with."""

    route: Route
    labeled_examples: int


class ModelFacts(Facts):
    """The base model as it was found, and what it ran on."""

    name: str
    sha256: str
    context: int
    chat_template: bool
    device: str
    dtype: str
    versions: dict[str, str]


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


def predictions_file(arm: str) -> str:
    """Where an arm's predictions lie in the run folder."""
    return f"arms/{arm}/predictions.jsonl"


def scores_file(arm: str) -> str:
    """Where an arm's scores lie in the run folder."""
    return f"arms/{arm}/scores.json"
