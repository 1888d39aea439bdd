"""`evaluate` and `target`: what is measured besides the tuned arm's score, and which score is good enough."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.section import BY_VALUE, CaseSection
from tuneproof.engine.case.task import Metric


class MergedDtype(StrEnum):
    """The number type of the merged model."""

    AUTO = "auto"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"


class MethodToCompare(CaseSection):
    """Another method to train on the same rows. A setting that is None follows the training section, at the method's own scale."""

    name: str
    learning_rate: float | None = Field(default=None, gt=0)
    rank: int | None = Field(default=None, ge=1)
    alpha: int | None = Field(default=None, ge=1)
    virtual_tokens: int | None = Field(default=None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def may_be_a_name(cls, given: object) -> object:
        return {"name": given} if isinstance(given, str) else given


class PromptSearch(CaseSection):
    """The limits of the search for a better prompt, of the arm `optimised_prompt`."""

    metric_calls: int = Field(default=300, ge=10, le=100_000)
    """The most answers to train and validation cases that are scored to compare prompts."""
    seed: int = Field(default=0, ge=0)
    """Of the rows that a proposal is shown, and of the examples that are tried."""


class Evaluate(CaseSection):
    """What is measured besides the score of the tuned arm."""

    merged: bool = True
    """Merge the adapter into its base, and score the merged model, which is what a server would load."""
    merged_dtype: Annotated[MergedDtype, BY_VALUE] = Field(default=MergedDtype.AUTO, exclude_if=lambda dtype: dtype is MergedDtype.AUTO)
    """The number type of the merged model. auto: the first of bfloat16, float16 and float32 whose answers agree with the measured ones."""
    compare: list[MethodToCompare] = Field(default=[])
    """Other methods to train and score."""
    learning_curve: bool = False
    """Also train on a quarter and on half of train, to see whether more labels would help."""
    seeds: int = Field(default=1, ge=1, le=20)
    """Trainings with different seeds (data order and initial adapter), all scored, so that the interval covers the luck of training."""

    max_new_tokens: int | None = Field(default=None, ge=1)
    """Tokens that an answer of any arm may take. None: enough for the longest answer of train, and four times that for untuned arms."""

    prompt_search: PromptSearch = PromptSearch()
    """The limits of the search for a better prompt."""

    @field_validator("compare")
    @classmethod
    def compares_each_method_once(cls, compare: list[MethodToCompare]) -> list[MethodToCompare]:
        names = [each.name for each in compare]
        if len(set(names)) < len(names):
            raise ValueError("a method is listed twice")
        return compare


class Target(CaseSection):
    """What a model has to reach: a score, a gain over the best prompt, or the score of what runs today."""

    metric: Annotated[Metric, BY_VALUE] | None = None
    """The metric that decides the verdict. None: the metric of the task."""
    at_least: float | None = Field(default=None, gt=0, le=1)
    """The score that is good enough. None: no score is asked for."""
    min_gain: float = Field(default=0.02, ge=0, lt=1)
    """The smallest gain over the best untuned arm that is worth a model of your own; 0.02 is two points."""
    not_worse_than: Annotated[ArmName, BY_VALUE] | None = None
    """The arm that runs today, the incumbent: the question is then whether the tuned model may replace it."""
    margin: float = Field(default=0.03, gt=0, lt=1)
    """How much worse than the incumbent the tuned model may be; 0.03 is three points."""

    @model_validator(mode="after")
    def incumbent_is_an_endpoint(self) -> Self:
        if self.not_worse_than not in (None, ArmName.ENDPOINT):
            raise ValueError("`not_worse_than` names the arm that runs today: only `endpoint` can be one")
        return self
