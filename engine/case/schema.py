"""The case file: one planning problem as typed data, with every default written out."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from tuneproof.engine.case.section import AS_WRITTEN
from tuneproof.engine.case.slurm import Launcher, Slurm


class CaseSection(BaseModel):
    """A part of the case file."""

    model_config = AS_WRITTEN


class Metric(StrEnum):
    """What is counted over the eval cases, each between 0 and 1."""

    EXACT_MATCH = "exact_match"
    FIELD_ACCURACY = "field_accuracy"
    CHOICE_ACCURACY = "choice_accuracy"
    MACRO_F1 = "macro_f1"
    PATTERN_MATCH = "pattern_match"


class OutputKind(StrEnum):
    """What an answer has to look like."""

    JSON = "json"
    CHOICE = "choice"
    PATTERN = "pattern"
    TEXT = "text"


METRICS: dict[OutputKind, list[Metric]] = {
    OutputKind.JSON: [Metric.EXACT_MATCH, Metric.FIELD_ACCURACY],
    OutputKind.CHOICE: [Metric.CHOICE_ACCURACY, Metric.MACRO_F1, Metric.EXACT_MATCH],
    OutputKind.PATTERN: [Metric.PATTERN_MATCH, Metric.EXACT_MATCH],
    OutputKind.TEXT: [Metric.EXACT_MATCH],
}
"""The metrics that mean something for each output kind; the first is the default."""

SAMPLE = "sample"
"""The name of the small model that ships."""

# Enums are written as plain words in YAML, which strict mode would refuse.
BY_VALUE = Field(strict=False)


class DraftDecisionAnswers(CaseSection):
    """The answers given so far, of the seven that the route rests on."""

    private_facts: bool | None = None
    format_drift: bool | None = None
    stable_task: bool | None = None
    labeled_examples: int | None = Field(default=None, ge=0)
    needs_actions: bool | None = None
    preference_problem: bool | None = None
    facts_change_often: bool | None = None


class DecisionAnswers(DraftDecisionAnswers):
    """The answers that the route rests on; `labeled_examples` left out is counted from the data."""

    private_facts: bool
    format_drift: bool
    stable_task: bool
    needs_actions: bool = False
    preference_problem: bool = False
    facts_change_often: bool = False


class Output(CaseSection):
    """The output format; `json_schema` is the case file's `schema`, inline or a file, and is inline once loaded."""

    model_config = ConfigDict(populate_by_name=True)

    kind: Annotated[OutputKind, BY_VALUE]
    json_schema: dict[str, Any] | str | None = Field(default=None, alias="schema")
    choices: list[str] | None = Field(default=None, min_length=1)
    pattern: str | None = None

    @model_validator(mode="after")
    def belongs_to_kind(self) -> Output:
        for key, value, kind in (
            ("schema", self.json_schema, OutputKind.JSON),
            ("choices", self.choices, OutputKind.CHOICE),
            ("pattern", self.pattern, OutputKind.PATTERN),
        ):
            if value is not None and self.kind is not kind:
                raise ValueError(f"`{key}` belongs to kind {kind.value}, not to kind {self.kind.value}")
        if self.kind is OutputKind.PATTERN and self.pattern is None:
            raise ValueError("kind pattern needs `pattern`")
        return self

    @field_validator("pattern")
    @classmethod
    def compiles(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if groups < 1:
            raise ValueError("the pattern needs a group: group 1 is the answer")
        return pattern


class Task(CaseSection):
    """What is asked, and how an answer is judged."""

    instruction: str | None = None
    output: Output = Output(kind=OutputKind.TEXT)
    metric: Annotated[Metric, BY_VALUE] | None = None

    @model_validator(mode="after")
    def metric_fits(self) -> Task:
        if self.metric is not None and self.metric not in METRICS[self.output.kind]:
            fitting = ", ".join(METRICS[self.output.kind])
            raise ValueError(f"metric {self.metric} does not fit output kind {self.output.kind}: use one of {fitting}")
        return self

    @property
    def measured_by(self) -> Metric:
        """The metric of the task, the default of its output kind where none is given."""
        return self.metric or METRICS[self.output.kind][0]


class Split(CaseSection):
    """Shares of the three parts; with a separate eval file the first two share what there is."""

    train: float = Field(default=0.6, gt=0, le=1)
    validation: float = Field(default=0.15, ge=0, lt=1)
    eval: float = Field(default=0.25, ge=0, lt=1)
    seed: int = 0
    group_by: str | None = None

    @model_validator(mode="after")
    def shares_are_whole(self) -> Split:
        if abs(self.train + self.validation + self.eval - 1) > 1e-6:
            raise ValueError("train, validation and eval must add up to 1")
        return self


class Columns(CaseSection):
    """Which columns of the file are which, where that cannot be told from the file."""

    input: str
    output: str
    instruction: str | None = None


class LabelErrors(StrEnum):
    """By what labels are doubted: by the rows with the most similar words, or by cleanlab, which is an extra and takes longer."""

    NEIGHBOURS = "neighbours"
    CLEANLAB = "cleanlab"


class Data(CaseSection):
    """Where the examples lie; `leave_out` names the checks whose rows are left out instead of closing the gate.

    `accept` has, by the name of a check, the reason why its findings are lived with; the card shows it.
    """

    examples: str | list[str]
    eval: str | list[str] | None = None
    documents: str | None = None
    columns: Columns | None = None
    split: Split = Split()
    leave_out: list[str] = []
    accept: dict[str, Annotated[str, Field(min_length=1)]] = {}
    label_errors: Annotated[LabelErrors, BY_VALUE] = LabelErrors.NEIGHBOURS


class Model(CaseSection):
    """The model to start from: `sample`, a folder, or a hub name."""

    base: str = SAMPLE
    revision: str | None = None


class Endpoint(CaseSection):
    """An OpenAI-compatible server. Its key stays in the environment: here stands only the name of the variable.

    `url` left out is that of the variable OPENAI_BASE_URL. `body` has further keys of the request, or other values for those that are sent;
    null leaves one out.
    """

    url: str | None = None
    model: str = Field(min_length=1)
    key_env: str = "OPENAI_API_KEY"
    timeout_seconds: float = Field(default=60, gt=0)
    retries: int = Field(default=4, ge=0)
    concurrency: int = Field(default=4, ge=1, le=256)
    requests_per_minute: float | None = Field(default=None, gt=0)
    usd_per_million_input_tokens: float | None = Field(default=None, ge=0)
    usd_per_million_output_tokens: float | None = Field(default=None, ge=0)
    body: dict[str, JsonValue] = {}

    @model_validator(mode="after")
    def holds_no_secret(self) -> Self:
        # Of the whole section: an error of one key shows its value, which here may be the key itself.
        if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", self.key_env):
            raise ValueError("`key_env` is the name, in capitals, of the environment variable that holds the key, never the key itself")
        if self.url is not None:
            server_url(self.url)
        if kept := {"messages", "stream"} & self.body.keys():
            raise ValueError(f"`body` cannot have `{min(kept)}`: that is what is measured, and how it is read")
        return self


def server_url(text: str) -> str:
    """The base URL of a server as requests are put behind it. Raises ValueError for what is none, and for one with a secret in it."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("`url` is not that of a server: write http://localhost:8000/v1")
    if parts.username is not None or parts.password is not None:
        raise ValueError("`url` has a user or password in it: put the key into the environment variable that `key_env` names")
    if parts.query or parts.fragment:
        raise ValueError("`url` has something behind a `?` or `#`: write only the part that `/chat/completions` is put behind")
    return text.rstrip("/").removesuffix("/chat/completions")


class MethodChoice(CaseSection):
    """How to train; the two `even_if` keys train although the facts so far speak against it, and the card records that."""

    name: str = "auto"
    even_if_met: bool = False
    even_if_routed_elsewhere: bool = False


class Sharding(StrEnum):
    """Whether processes divide the model among them: where it does not fit otherwise, never, or in any case."""

    AUTO = "auto"
    NONE = "none"
    FULL = "full"


class Training(CaseSection):
    """What is left out takes the documented default of the method; `launcher` and `slurm` change nothing of what is learned."""

    epochs: float | None = Field(default=None, gt=0)
    learning_rate: float | None = Field(default=None, gt=0)
    batch_size: int | None = Field(default=None, ge=1)
    rank: int | None = Field(default=None, ge=1)
    alpha: int | None = Field(default=None, ge=1)
    virtual_tokens: int | None = Field(default=None, ge=1)
    warmup: float | None = Field(default=None, ge=0, lt=1)
    max_steps: int | None = Field(default=None, ge=1)
    probe_every: int | None = Field(default=None, ge=1)
    probe_cases: int | None = Field(default=None, ge=1)
    max_length: int | None = Field(default=None, ge=1)
    packing: bool = False
    group_by_length: bool = False
    processes: int = Field(default=1, ge=1)
    sharding: Annotated[Sharding, BY_VALUE] = Sharding.AUTO
    seed: int = 0
    launcher: Annotated[Launcher, BY_VALUE] = Launcher.LOCAL
    slurm: Slurm | None = None

    @model_validator(mode="after")
    def slurm_is_the_launcher(self) -> Self:
        if self.slurm is not None and self.launcher is not Launcher.SLURM:
            raise ValueError("`slurm` belongs to launcher slurm, not to launcher local: add `launcher: slurm`, or leave it out")
        return self

    @model_validator(mode="after")
    def divides_among_nodes(self) -> Self:
        nodes, processes = self.nodes, self.processes
        if processes % nodes:
            least = nodes * max(1, processes // nodes)
            near = f"{least}" if processes < nodes else f"{least} or {least + nodes}"
            raise ValueError(
                f"`slurm.nodes` is {nodes}, and `processes`, which is {processes}, is that of all nodes together: set it to {near}"
            )
        return self

    @property
    def job(self) -> Slurm | None:
        """What a cluster is asked for; none where the worker runs on this machine."""
        return (self.slurm or Slurm()) if self.launcher is Launcher.SLURM else None

    @property
    def nodes(self) -> int:
        """Machines that the processes are divided among, evenly."""
        return self.job.nodes if self.job else 1

    @property
    def of_a_node(self) -> Training:
        """What one of the nodes does, launched on this machine; one process alone divides nothing."""
        processes = self.processes // self.nodes
        sharding = Sharding.AUTO if processes == 1 < self.processes else self.sharding
        return self.model_copy(update={"launcher": Launcher.LOCAL, "slurm": None, "processes": processes, "sharding": sharding})

    def launched_as(self, other: Training) -> Training:
        """The same training, launched the way of the other."""
        return self.model_copy(update={"launcher": other.launcher, "slurm": other.slurm})


class MethodToCompare(CaseSection):
    """A further method to train on the same rows; a setting that is left out follows that of the method that is named."""

    name: str
    learning_rate: float | None = Field(default=None, gt=0)
    rank: int | None = Field(default=None, ge=1)
    alpha: int | None = Field(default=None, ge=1)
    virtual_tokens: int | None = Field(default=None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def may_be_a_name(cls, given: object) -> object:
        return {"name": given} if isinstance(given, str) else given


class Evaluate(CaseSection):
    """What is measured of the tuned model beyond its score.

    `merged` merges the adapter into its base and scores what will be served; `compare` trains further methods and scores them too;
    `learning_curve` trains twice more, on a quarter and on half of train, and asks whether more labels would help.
    """

    merged: bool = True
    compare: list[MethodToCompare] = []
    learning_curve: bool = False

    @field_validator("compare")
    @classmethod
    def each_once(cls, compare: list[MethodToCompare]) -> list[MethodToCompare]:
        names = [each.name for each in compare]
        if len(set(names)) < len(names):
            raise ValueError("a method stands there twice")
        return compare


class Target(CaseSection):
    """What would be good enough."""

    metric: Annotated[Metric, BY_VALUE] | None = None
    at_least: float = Field(gt=0, le=1)


class Budget(CaseSection):
    """What may be spent."""

    gpu_memory_gb: float | None = Field(default=None, gt=0)
    hours: float | None = Field(default=None, gt=0)
    usd_per_gpu_hour: float | None = Field(default=None, ge=0)


class DraftCase(CaseSection):
    """One planning problem whose answers may not all be given yet. Paths are absolute once loaded."""

    version: Literal[1] = 1
    name: str = Field(min_length=1, max_length=200)
    decision: DraftDecisionAnswers = DraftDecisionAnswers()
    task: Task | None = None
    data: Data | None = None
    model: Model | None = None
    baselines: list[str] = ["zero_shot", "few_shot"]
    endpoint: Endpoint | None = None
    method: MethodChoice = MethodChoice()
    training: Training = Training()
    evaluate: Evaluate = Evaluate()
    target: Target | None = None
    budget: Budget = Budget()

    @model_validator(mode="after")
    def compares_others(self) -> Self:
        if any(each.name == self.method.name for each in self.evaluate.compare):
            raise ValueError(f"evaluate.compare has {self.method.name}, which method.name has already")
        return self

    @model_validator(mode="after")
    def target_fits_task(self) -> Self:
        metric = self.target.metric if self.target else None
        if metric is not None and (self.task is None or metric not in METRICS[self.task.output.kind]):
            raise ValueError(f"target.metric {metric} cannot be measured on this task")
        return self


class Case(DraftCase):
    """One planning problem, with every answer that the route needs."""

    decision: DecisionAnswers

    def launched_here(self) -> Case:
        """The same case, with its worker on this machine, which does what a node of its job would."""
        return self.model_copy(update={"training": self.training.of_a_node})
