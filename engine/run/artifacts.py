"""The files that the stages write for the card and for the wizard: where each is, and the type of what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal

from pydantic import ConfigDict, Field

from tuneproof.engine.case.arm_names import arm_of_row, is_repaired
from tuneproof.engine.case.route import Route
from tuneproof.engine.case.task import OutputFormat
from tuneproof.engine.case.training import Sharding
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.parts import Part
from tuneproof.engine.data.reasoning import Thinking
from tuneproof.engine.data.tools_in_text import ToolForm
from tuneproof.engine.run.facts import Facts
from tuneproof.engine.run.needs import Disk, Needs

ROUTE = "route.json"
MODEL = "model.json"
METHOD = "method.json"
TRAINING = "training/summary.json"
TRAINED = "training/adapter"
"""The folder with what was trained: an adapter, or a whole model."""
AUDIT = "audit.json"
DATA = "data.json"
CATALOGUE = "catalogue.json"
PLAN = "plan.md"
"""The plan for its reader. It belongs to no step: it also says what the machine had free when it was written."""
FAILURES = "failures.jsonl"


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
    request: str = Field(default="", exclude_if=lambda text: not text)
    """The beginning of the row's own part of the prompt; empty in runs of versions that did not store it."""


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
    rows_without_instruction: int | None = Field(default=None, exclude_if=lambda rows: rows is None)
    """Rows with neither an instruction nor a system text of their own; None in runs of versions that did not store it."""
    parts_by_name: dict[Part, list[str]] = Field(default={}, exclude_if=lambda parts: not parts)
    """The files with rows that are a part by the name of their file, sheet or list, in place of the part that the split would cut."""


class ModelFacts(Facts):
    """The base model as it was found, and what it ran on."""

    name: str
    sha256: str
    context: int
    chat_template: bool
    device: str
    dtype: str
    versions: dict[str, str]
    system_turn: bool = Field(default=True, exclude_if=lambda takes: takes)
    """Whether the chat template takes a system turn; if not, its text goes before that of the first user turn."""
    repeated_turns: bool = Field(default=True, exclude_if=lambda takes: takes)
    """Whether the chat template takes two turns of one role in a row; if not, they are joined."""
    thinking: Thinking = Field(default=Thinking.NONE, exclude_if=lambda thinking: thinking is Thinking.NONE)
    """What the chat template does about reasoning."""
    reasoning_tokens: int = Field(default=0, exclude_if=lambda count: not count)
    """Tokens of an answer's limit that are for reasoning."""
    tools: ToolForm | None = Field(default=None, exclude_if=lambda form: form is None)
    """How the base is shown tools; None if no row has any."""
    files: dict[str, str] = Field(default={}, exclude_if=lambda files: not files)
    """SHA-256 of each file that loading the model may read, by its path in the folder; empty in runs of versions that did not store it."""
    generation: dict[str, bool | int | list[int]] = Field(default={}, exclude_if=lambda settings: not settings)
    """The generation config of every answer; empty in runs of versions that did not store it."""
    settings_not_used: dict[str, str] = Field(default={}, exclude_if=lambda settings: not settings)
    """Settings of the base's own generation config that would change answers and were not used; values as JSON."""
    own_code: list[str] = Field(default=[], exclude_if=lambda files: not files)
    """The Python files of the model that the case allowed to run."""


class CatalogueEntry(Facts):
    """One method, with its settings for this case, and how much of this base it would train."""

    name: str
    trains: str
    good_for: str
    trained_parameters: int | None
    all_parameters: int | None
    settings: dict[str, float | int | None]
    trained_per_size: int | None = None
    """How many more parameters it trains for each rank or virtual token more; None if it has neither."""
    sources: dict[str, str] = Field(default={})
    """Where the value of each setting comes from."""
    cannot: dict[str, str] = Field(default={})
    """What the method is unable to do, each with the reason."""
    published: str | None = None
    """A result that others measured."""
    unavailable: str | None = Field(default=None, alias="refused")
    """Why it cannot be trained on this machine."""


class TrainedLength(Facts):
    """How long the train rows are, prompt and answer together, in tokens."""

    p99: int
    """The length that 99 % of the rows do not exceed."""
    longest: int
    cut: int
    """The number of rows that are longer than `p99`: a limit there would cut their answers. No row is ever cut."""
    limit: int | None
    """The longest row that the case allows."""
    left_out: int
    """The number of rows that are longer than the limit or the context, and not trained on."""
    mean: float | None = None
    """None in runs of versions that did not store it."""


class Catalogue(Facts):
    """Every method in the order of the registry, and the lengths of the rows that it would be trained on."""

    methods: list[CatalogueEntry]
    length: TrainedLength | None = None
    rows_by_length: list[tuple[int, int]] = Field(default=[])
    """Each length in tokens with the number of train rows that have it; empty in runs of versions that did not store it."""


class Optimizer(StrEnum):
    """How an optimizer keeps its state: in full, in 8 bits, or in 8 bits and paged to host memory."""

    ADAMW = "adamw"
    ADAMW_8BIT = "adamw_8bit"
    PAGED_8BIT = "paged_8bit"


class Memory(Facts):
    """A predicted peak of memory in bytes, by what takes it at that moment."""

    model_config = ConfigDict(frozen=True)

    weights: int
    adapters: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    overhead: int
    """What is not a tensor, such as the CUDA context."""

    @property
    def tensors(self) -> int:
        """All but the overhead: what torch counts as allocated, which a measured step can be compared with."""
        return self.weights + self.adapters + self.gradients + self.optimizer + self.activations + self.logits

    @property
    def total(self) -> int:
        """Tensors and overhead: what the machine must have."""
        return self.tensors + self.overhead


class MeasuredStep(Facts):
    """One training step, measured in a process of its own before the training."""

    peak: int
    """Bytes at the worst length: of all tensors on a GPU; on a CPU of the process, above what it had before the base was loaded."""
    whole_process: bool
    """Whether the peak is that of the process."""
    worst_seconds: float
    """Seconds of a step of the longest rows."""
    usual_seconds: float
    """Seconds of a step of rows of the usual length."""
    worst_length: int
    usual_length: int


class RejectedMethod(Facts):
    """A method that was considered and not chosen."""

    name: str
    reason: str


class PlannedFacts(Facts):
    """What was predicted and measured for a plan: memory in bytes and time. Memory is that of one process."""

    available_memory: int = Field(alias="room")
    available_memory_source: str = Field(alias="room_told_by")
    """What says so: the machine, or the budget of the case."""
    margin: float
    length: int
    packed: bool = False
    padding: float | None = None
    """The share of the tokens in a batch that is padding; None for packed rows."""
    steps: int
    accumulation: int
    checkpointing: bool
    processes: int = 1
    sharding: Sharding = Sharding.NONE
    optimizer: Optimizer = Optimizer.ADAMW
    memory: Memory | None
    not_predicted: str | None
    """Why memory is not predicted."""
    measured: MeasuredStep | None = Field(alias="trial")
    not_measured: str | None
    """Why no step is measured."""
    hours: float | None
    """Of the training, and of the smaller trainings of a learning curve."""
    usd: float | None
    learning_curve: bool = False
    rejected_methods: list[RejectedMethod] = Field(alias="turned_down")
    disk: Disk | None = Field(default=None, exclude_if=lambda disk: disk is None)
    """None in runs of versions that did not predict it."""
    free_disk: int | None = Field(default=None, exclude_if=lambda free: free is None)
    """Bytes that were free in the run folder, and those that the training had taken there; None if the file system does not say."""

    @property
    def needs(self) -> Needs:
        """Hours, memory and disk together."""
        memory, disk = (each.total if each is not None else None for each in (self.memory, self.disk))
        return Needs(self.hours, memory, self.available_memory, disk, self.free_disk)


class MethodFacts(Facts):
    """The plan with every default written out, or why nothing is trained."""

    name: str
    why: str
    trains: str
    settings: dict[str, float | int | None]
    skipped: str | None
    """Why nothing is trained."""
    overruled: list[str] = Field(alias="despite")
    """Reasons against the training that the case overrules."""
    planned: PlannedFacts | None = None
    """None if nothing is to be trained, and in runs of versions that did not plan."""
    sources: dict[str, str] = Field(default={})
    """Where the value of each setting comes from."""
    length: TrainedLength | None = None


class ElsewhereFacts(Facts):
    """What is known of a training that another program ran."""

    base: str | None
    """The base that the adapter names."""
    has_log: bool
    """Whether the Trainer's log of it was there."""
    evaluated: bool
    """Whether that log has evaluations."""


class TrainingFacts(Facts):
    """What a training did, and how its best step did on the validation cases."""

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
    """Of all processes that trained; up to version 0.2 of the one that ended the training, and None in runs that did not store it."""
    elsewhere: ElsewhereFacts | None = Field(default=None, exclude_if=lambda facts: facts is None)
    """Set if the model was trained elsewhere: it was trained on rows that are not known, and `examples` is 0."""


class VariantScore(Facts):
    """How a prompt variant of an arm did on the validation cases that chose between the variants."""

    variant: str
    cases: int
    correct: int
    format_valid: int
    score: float | None = Field(default=None, exclude_if=lambda score: score is None)
    """The metric that decides, where it is not the share of correct answers."""


class TriedPrompt(Facts):
    """A prompt that a search scored on all its validation cases."""

    variant: str
    instruction: str
    """What the first turn says before the input."""
    examples: str
    """How many train rows are shown, and which: `none`, `4 nearest`, or `4 fixed 17`, the first ones of the shuffle with that seed."""
    parent: str | None = None
    """The prompt that it was made from; None for one that the search began with."""


class SearchFacts(Facts):
    """How the prompt of an arm was searched, and what that took."""

    library: str
    version: str
    proposer: str
    """The model that rewrote the instruction."""
    seed: int
    allowed_metric_calls: int
    metric_calls: int
    """Answers to train and validation cases that were scored."""
    proposals: int
    """Instructions that the proposer was asked for."""
    unusable_proposals: int
    """Of these, those that were empty, cut off, unchanged, or not answered."""
    tokens: int
    """Prompts and answers together, those of the proposer among them."""
    tokens_untold: int = Field(default=0, exclude_if=lambda count: not count)
    """Replies of a server that did not report their tokens."""
    seconds: float
    """Decoding and proposing."""
    start: str
    """The best of the prompts that the search began with."""
    prompts: list[TriedPrompt]


class ArmFacts(Facts):
    """How an arm prompts, as it was chosen before the frozen cases."""

    arm: str
    summary: str = Field(alias="told")
    """The choice in a sentence; empty if there was nothing to choose."""
    max_new_tokens: int = Field(alias="answer_tokens")
    ends_with_document: bool = Field(default=False, exclude_if=lambda ends: not ends)
    """Whether decoding ended an answer where its JSON document closed."""
    variant: str | None
    """The prompt variant that did best on validation; None for an arm with one prompt."""
    tried: list[VariantScore]


def trained_weights(files: Iterable[str], folder: str = TRAINED) -> list[str]:
    """The weight files in a folder of the run, sorted: of an adapter, or of a whole model in one or several files."""
    return sorted(name for name in files if name.startswith(f"{folder}/") and name.endswith(".safetensors"))


def weights_digest(files: Mapping[str, str], folder: str = TRAINED) -> str:
    """One digest of the weight files of a step; of a single file, its own."""
    digests = [files[name] for name in trained_weights(files, folder)]
    return digests[0] if len(digests) == 1 else sha256_data(digests)


def arm_file(arm: str) -> str:
    """The file that says how an arm prompts."""
    return f"arms/{arm}/arm.json"


def prompt_file(arm: str) -> str:
    """The prompt of an arm for a person to copy: as the model gets it, with placeholders in braces for what differs by case."""
    return f"arms/{arm}/prompt.txt"


def grammar_file(arm: str) -> str:
    """The grammar that constrains the answers of an arm, as llguidance reads it."""
    return f"arms/{arm}/grammar.json"


def tried_file(arm: str) -> str:
    """The answers to the validation cases that choose between the prompt variants of an arm."""
    return f"arms/{arm}/validation.jsonl"


def search_file(arm: str) -> str:
    """How the prompt of an arm was searched."""
    return f"arms/{arm}/search.json"


def kept_file(arm: str) -> str:
    """The answers of an arm as they come, until it is scored: a resumed run does not ask for them again."""
    return f"arms/{arm}/kept.jsonl"


def predictions_file(arm: str) -> str:
    """The predictions of an arm, or of a row with its repaired answers."""
    return f"{_scores_folder(arm)}/predictions.jsonl"


def scores_file(arm: str) -> str:
    """The scores of an arm, or of a row with its repaired answers."""
    return f"{_scores_folder(arm)}/scores.json"


def _scores_folder(row: str) -> str:
    return f"arms/{arm_of_row(row)}{'/repaired' if is_repaired(row) else ''}"
