"""The plan of a case as data: what to do and why, what it would take, what it can show, and what is not known yet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.case.approaches import Advice
from tuneproof.engine.case.metric import Metric
from tuneproof.engine.case.route import Route
from tuneproof.engine.data.parts import Part
from tuneproof.engine.methods.memory import HeldBytes
from tuneproof.engine.run.artifacts import Memory, PlannedFacts, TrainedLength
from tuneproof.engine.run.needs import Needs
from tuneproof.engine.scoring.power import NeededCases
from tuneproof.engine.scoring.statistics import ASSUMED_DISCORDANCE


@dataclass(frozen=True)
class Missing:
    """Something that the plan cannot say, and how to find it out."""

    what: str
    how: str


@dataclass(frozen=True)
class Change:
    """Another answer, and the route that it would lead to."""

    question: str
    answer: str
    route: Route


@dataclass(frozen=True)
class RoutePart:
    """The route, and every approach with its place for the case."""

    route: Route | None
    """None as long as a question that decides it has no answer."""
    reason: str
    steps: list[str]
    """What to do next."""
    advice: list[Advice]
    unanswered: list[str]
    """The questions that still need an answer."""
    redrawn: str | None
    """How the measurement changed the route; None if it did not."""
    changes: list[Change]
    """The single answers that would change the route."""


class FileRole(StrEnum):
    """What a file of the case is for."""

    EXAMPLES = "examples"
    EVAL = "eval"
    DOCUMENTS = "documents"


@dataclass(frozen=True)
class DataFile:
    """One file or folder that the case names."""

    path: str
    role: FileRole
    shape: str | None
    """How its rows are written; None if it was not read, or has no rows."""
    sha256: str | None
    """Of a folder of documents, of all of them together; None if it was not read."""


@dataclass(frozen=True)
class PartFile:
    """One part of the rows, and the file in the run folder that it is frozen in."""

    part: Part
    file: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class FoundInData:
    """One finding of the audit."""

    check: str
    severity: Severity
    message: str
    action: str
    rows: int
    first: str
    """The first row, as file:line; empty if the finding is of no row."""
    left_out: bool
    accepted: str | None
    """The reason why it is accepted."""

    @property
    def blocks(self) -> bool:
        """Whether nothing is trained until it is settled."""
        return self.severity is Severity.BLOCK and self.accepted is None


@dataclass(frozen=True)
class DataPart:
    """The rows: where they come from, how they would be divided, and what the audit found."""

    files: list[DataFile]
    rows: int | None
    """None if nothing was read."""
    left_out: int
    """By the audit."""
    left_out_by_split: int
    """Rows of train and validation that repeat a row of a later part, or nearly do."""
    parts: list[PartFile]
    """Empty as long as there is no split."""
    findings: list[FoundInData]
    """The most harmful first."""
    to_settle: str
    """What a person does about the findings that block; empty if none does."""
    to_see: str
    """The command that lists every row of every finding."""

    @property
    def blocking(self) -> list[FoundInData]:
        """The findings that close the gate."""
        return [each for each in self.findings if each.blocks]


@dataclass(frozen=True)
class EvalPart:
    """How answers are scored, what has to be reached, and what the eval cases can show."""

    metric: Metric | None
    """None as long as there is no task."""
    arms: list[str]
    """The untuned arms, in the order of the case."""
    at_least: float | None
    min_gain: float
    not_worse_than: str | None
    margin: float
    cases: int | None
    is_estimate: bool
    """Whether the number of cases is the share of the rows that the split would take."""
    detectable: float | None
    """The smallest difference between two arms that so many cases show four times in five."""
    needed: list[NeededCases]
    cases_for_gain: int | None
    """How many cases would show the smallest gain that counts; None if every gain counts."""
    is_cut: bool
    """Whether the eval cases are cut from the examples, so that another share of them gives more."""
    cases_for_target: int | None
    """The fewest cases that can show that the target is met; None if it has none that is counted, or no number is enough."""
    right_for_target: int | None
    """How many of the cases have to be right for that; None if not even all are enough."""

    @property
    def shows_nothing(self) -> bool:
        """Whether the smallest difference that shows is larger than the share of cases on which two arms are assumed to disagree.

        No difference can be: one that would show is impossible under that assumption.
        """
        return self.detectable is not None and self.detectable > ASSUMED_DISCORDANCE


@dataclass(frozen=True)
class HeldByMethod:
    """What one method holds on a GPU whatever the rows are, in bytes."""

    method: str
    trained: int
    held: HeldBytes


@dataclass(frozen=True)
class OnGpu:
    """What one method would need on a GPU for the rows of the case, in bytes."""

    method: str
    fastest: int
    """As it is run first."""
    least: int
    """With everything that saves memory."""


@dataclass(frozen=True)
class MethodLine:
    """One method, and what it is for this case."""

    name: str
    trains: str
    trained: int | None
    memory: int | None
    """Bytes on this machine; None if it is not predicted."""
    why_not: str
    """Empty for the method of the plan."""


@dataclass(frozen=True)
class TrainingPart:
    """What would be trained, and what that takes."""

    base: str | None
    base_facts: str | None
    """What its files say, in a line; None if it is not on this machine."""
    device: str | None
    """What this machine would train on; None if the base was not looked at."""
    parameters: int | None
    """Of the base."""
    is_expected: bool
    """Whether it follows if no prompt is enough; otherwise the route is another, and it is only what would come if it ever came to that."""
    method: str
    why: str
    trains: str
    good_for: str
    trained: int | None
    share: float | None
    settings: dict[str, float | int | None]
    sources: dict[str, str]
    length: TrainedLength | None
    skipped: str | None
    """Why nothing is trained, where a run has decided that."""
    held: list[HeldByMethod]
    """Full fine-tuning first; empty if the architecture is not known."""
    on_gpu: list[OnGpu]
    methods: list[MethodLine]


@dataclass(frozen=True)
class CostPart:
    """Hours, memory, disk and money of the training, before anything is spent."""

    planned: PlannedFacts | None
    """The plan as a run makes it; None if nothing was planned."""
    needs: Needs | None
    memory: Memory | None
    usd: float | None
    usd_per_gpu_hour: float | None


@dataclass(frozen=True)
class MeasuredArm:
    """One arm that was scored."""

    arm: str
    correct: str
    """With its interval."""
    score: str
    """The metric that decides."""
    target: str
    """Whether the target is met."""


@dataclass(frozen=True)
class MeasuredPart:
    """What was measured so far."""

    arms: list[MeasuredArm]
    is_finished: bool
    """Whether the card is written, and what was to be trained is scored."""
    headline: str
    """The verdict of the card in a few words; empty if there is no card."""
    reason: str


@dataclass(frozen=True)
class RunPart:
    """The one command that carries the plan out."""

    command: str
    is_whole: bool
    """Whether the case has all that the command needs to reach a verdict."""
    does: list[str]
    """What it does, in the order of the steps."""
    until_costs: str | None
    """The command that stops once hours and money are known; None if they are."""


@dataclass(frozen=True)
class PlanPage:
    """The plan of one case."""

    name: str
    run: str | None
    """The run folder; None before there is one."""
    decision: RoutePart
    data: DataPart | None
    """None if the case names no data."""
    eval: EvalPart
    training: TrainingPart
    cost: CostPart
    measured: MeasuredPart | None
    """None if nothing was measured."""
    to_run: RunPart
    missing: list[Missing]
