"""What the stages write down for the card and for the wizard: small typed files in the run folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.case.route import Route
from tuneproof.engine.case.task import OutputFormat
from tuneproof.engine.case.training import Sharding
from tuneproof.engine.core.hashing import sha256_data

ROUTE = "route.json"
MODEL = "model.json"
METHOD = "method.json"
TRAINING = "training/summary.json"
TRAINED = "training/adapter"
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
    drafted_output: OutputFormat
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
    """One method, with its settings for this case and their sources, and how much of this base it would train.

    `cannot` has what it is unable to do, each with the reason; `published` is a result that others measured; `refused` says why it cannot
    be trained here.
    """

    name: str
    trains: str
    good_for: str
    trained_parameters: int | None
    all_parameters: int | None
    settings: dict[str, float | int | None]
    sources: dict[str, str] = {}
    cannot: dict[str, str] = {}
    published: str | None = None
    refused: str | None = None


class TrainedLength(Facts):
    """How long the train rows are, prompt and answer together, in tokens.

    `p99` is the length that 99 % of them do not exceed, `cut` how many answers would be cut off there, and `left_out` how many rows are
    longer than the `limit` that the case sets, and so not trained on. No row is ever cut. `mean` is of all rows, none in runs from before
    it was kept.
    """

    p99: int
    longest: int
    cut: int
    limit: int | None
    left_out: int
    mean: float | None = None


class Catalogue(Facts):
    """Every method there is, in the order of the catalogue, and how long the rows are that they would be trained on.

    `rows_by_length` has each length in tokens with the number of train rows that have it, none in runs from before it was kept.
    """

    methods: list[CatalogueEntry]
    length: TrainedLength | None = None
    rows_by_length: list[tuple[int, int]] = []


class Optimizer(StrEnum):
    """How an optimizer keeps what it knows of earlier steps: as it is, in 8 bits, or so in memory of the host that is paged in."""

    ADAMW = "adamw"
    ADAMW_8BIT = "adamw_8bit"
    PAGED_8BIT = "paged_8bit"


class Memory(Facts):
    """The predicted peak in bytes, split into what it is made of at that moment; `overhead` is what is no tensor."""

    model_config = ConfigDict(frozen=True)

    weights: int
    adapters: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    overhead: int

    @property
    def tensors(self) -> int:
        """All but the overhead: what torch counts as allocated, and a trial step can be compared with."""
        return self.weights + self.adapters + self.gradients + self.optimizer + self.activations + self.logits

    @property
    def total(self) -> int:
        """All of it: what the machine must have."""
        return self.tensors + self.overhead


class TrialFacts(Facts):
    """A real step in a process of its own: its peak in bytes and its seconds at the worst length, and the seconds of a usual one.

    On a GPU the peak is that of all tensors; on a CPU that of the process, above what it was before the base was loaded.
    """

    peak: int
    whole_process: bool
    worst_seconds: float
    usual_seconds: float
    worst_length: int
    usual_length: int


class RejectedMethod(Facts):
    """A method that was considered and not taken."""

    name: str
    reason: str


class PlannedFacts(Facts):
    """What the plan was held against: memory, time and money, predicted, and measured where that tells more.

    `room` is in bytes. Without a prediction or a measurement, `not_predicted` or `not_measured` says why. `hours` are those of the
    training, and with a learning curve those of its two smaller trainings. Room, memory and trial are those of one process. `padding` is
    the share of what is read that is padding; none for packed rows.
    """

    room: int
    room_told_by: str
    margin: float
    length: int
    packed: bool = False
    padding: float | None = None
    steps: int
    accumulation: int
    checkpointing: bool
    processes: int = 1
    sharding: Sharding = Sharding.NONE
    optimizer: Optimizer = Optimizer.ADAMW
    memory: Memory | None
    not_predicted: str | None
    trial: TrialFacts | None
    not_measured: str | None
    hours: float | None
    usd: float | None
    learning_curve: bool = False
    turned_down: list[RejectedMethod]


class MethodFacts(Facts):
    """The plan with every default written out, and why training is not needed, where it is not.

    `planned` is none where no training is to come, and in runs that were made before there was a planner.
    """

    name: str
    why: str
    trains: str
    settings: dict[str, float | int | None]
    skipped: str | None
    despite: list[str]
    planned: PlannedFacts | None = None
    sources: dict[str, str] = {}
    length: TrainedLength | None = None


class BatchParts(Facts):
    """In how many parts a batch is run since it ran out of memory; the rows of a step, and their order, stay the same."""

    accumulation: int


class TrainingFacts(Facts):
    """What training did; `seconds` are those of the process that ended it, none in runs from before they were kept."""

    examples: int
    steps: int
    best_step: int
    validation_cases: int
    validation_format_valid: float
    validation_correct: float
    validation_loss: float
    trained_parameters: int
    all_parameters: int
    seconds: float | None = None


class VariantScore(Facts):
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
    tried: list[VariantScore]


def trained_weights(files: Iterable[str], folder: str = TRAINED) -> list[str]:
    """The files among those of a run that hold what was trained: an adapter, or a whole model in one piece or several."""
    return sorted(name for name in files if name.startswith(f"{folder}/") and name.endswith(".safetensors"))


def weights_digest(files: Mapping[str, str], folder: str = TRAINED) -> str:
    """One digest over the weights among the files of a step; that of the file itself where they are in one piece."""
    digests = [files[name] for name in trained_weights(files, folder)]
    return digests[0] if len(digests) == 1 else sha256_data(digests)


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
