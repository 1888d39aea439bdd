"""The case file: one planning problem as typed data, with every default written out. Each larger section has a module of its own."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.data import Data
from tuneproof.engine.case.endpoint import Endpoint
from tuneproof.engine.case.evaluate import Evaluate, Target
from tuneproof.engine.case.judge import Judge
from tuneproof.engine.case.prompts import WithPrompts
from tuneproof.engine.case.risk import Risk
from tuneproof.engine.case.section import CaseSection
from tuneproof.engine.case.task import OutputKind, Task
from tuneproof.engine.case.training import MethodChoice, Training

SAMPLE = "sample"
"""The name of the small model that comes with tuneproof."""


ADDED_ANSWER = Field(default=False, exclude_if=lambda answer: not answer)
"""An answer that the first versions did not ask for: a no is not stored, so that the digests of their runs stay the same."""


class DraftDecisionAnswers(CaseSection):
    """The answers so far to the questions that decide the route (`case/route.py`); None: not answered yet."""

    private_facts: bool | None = None
    format_drift: bool | None = None
    stable_task: bool | None = None
    labeled_examples: int | None = Field(default=None, ge=0)
    """None: counted from the data."""
    needs_actions: bool | None = None
    preference_problem: bool | None = None
    facts_change_often: bool | None = None
    style_from_examples: bool | None = None
    prompt_falls_short: bool | None = None
    cheaper_model: bool | None = None
    unsafe_requests: bool | None = None
    fits_in_prompt: bool | None = None


class DecisionAnswers(DraftDecisionAnswers):
    """The answers that decide the route."""

    private_facts: bool
    format_drift: bool
    stable_task: bool
    needs_actions: bool = False
    preference_problem: bool = False
    facts_change_often: bool = False
    style_from_examples: bool = ADDED_ANSWER
    prompt_falls_short: bool = ADDED_ANSWER
    cheaper_model: bool = ADDED_ANSWER
    unsafe_requests: bool = ADDED_ANSWER
    fits_in_prompt: bool = ADDED_ANSWER


class ModelChoice(CaseSection):
    """The base model."""

    base: str = SAMPLE
    """`sample`, a folder, or the name of a model on the hub."""
    revision: str | None = None
    """The revision on the hub. None: its default branch."""
    trust_remote_code: bool = Field(default=False, exclude_if=lambda trusts: not trusts)
    """Whether Python code that the model brings along may run."""


class Budget(CaseSection):
    """What may be spent. None: no limit, and for the price: costs are not shown."""

    gpu_memory_gb: float | None = Field(default=None, gt=0)
    """Memory of each training process, in GB of 10⁹ bytes."""
    hours: float | None = Field(default=None, gt=0)
    """Training time."""
    usd_per_gpu_hour: float | None = Field(default=None, ge=0)
    """The price of an hour of one GPU, in US dollars."""


class DraftCase(WithPrompts):
    """One planning problem whose questions may not all be answered yet. Paths are absolute once loaded."""

    version: Literal[1] = 1
    """The version of the file format."""
    name: str = Field(min_length=1, max_length=200)
    """What the case is called; its runs are named after it."""
    decision: DraftDecisionAnswers = DraftDecisionAnswers()
    task: Task | None = None
    data: Data | None = None
    model: ModelChoice | None = None
    baselines: list[str] = Field(default=[ArmName.ZERO_SHOT.value, ArmName.FEW_SHOT.value])
    """Names of the untuned arms that are measured before training. Not given: these two, and `constrained` if not any text is valid."""
    endpoint: Endpoint | None = None
    judge: Judge | None = Field(default=None, exclude_if=lambda judge: judge is None)
    method: MethodChoice = MethodChoice()
    training: Training = Training()
    evaluate: Evaluate = Evaluate()
    risk: Risk = Risk()
    target: Target | None = None
    budget: Budget = Budget()

    @model_validator(mode="after")
    def constrains_by_default(self) -> Self:
        if not self.names_baselines and self.task is not None and self.task.output.kind is not OutputKind.TEXT:
            # Not marked as given: another kind of output brings another default.
            object.__setattr__(self, "baselines", [*self.baselines, ArmName.CONSTRAINED.value])
        return self

    @property
    def names_baselines(self) -> bool:
        """Whether the arms are named rather than left to the default."""
        return "baselines" in self.model_fields_set

    @model_validator(mode="after")
    def compares_other_methods(self) -> Self:
        if any(each.name == self.method.name for each in self.evaluate.compare):
            raise ValueError(f"evaluate.compare has {self.method.name}, which is method.name already")
        return self

    @model_validator(mode="after")
    def target_fits_task(self) -> Self:
        metric = self.target.metric if self.target else None
        if metric is not None and (self.task is None or metric not in self.task.metrics):
            measured = f": it measures {', '.join(self.task.metrics)}" if self.task else ""
            raise ValueError(f"target.metric {metric} cannot be measured on this task{measured}")
        return self


class Case(DraftCase):
    """One planning problem, with every answer that the route needs."""

    decision: DecisionAnswers

    def on_this_machine(self) -> Case:
        """The same case with its worker on this machine, doing the part of one node of a Slurm job."""
        return self.model_copy(update={"training": self.training.for_one_node})
