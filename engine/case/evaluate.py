"""`evaluate` and `target`: what is measured besides the tuned arm's score, and which score is good enough."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from tuneproof.engine.case.section import BY_VALUE, CaseSection
from tuneproof.engine.case.task import Metric


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


class Evaluate(CaseSection):
    """What is measured besides the score of the tuned arm."""

    merged: bool = True
    """Merge the adapter into its base, and score the merged model, which is what a server would load."""
    compare: list[MethodToCompare] = Field(default=[])
    """Other methods to train and score."""
    learning_curve: bool = False
    """Also train on a quarter and on half of train, to see whether more labels would help."""

    @field_validator("compare")
    @classmethod
    def compares_each_method_once(cls, compare: list[MethodToCompare]) -> list[MethodToCompare]:
        names = [each.name for each in compare]
        if len(set(names)) < len(names):
            raise ValueError("a method is listed twice")
        return compare


class Target(CaseSection):
    """The score that is good enough."""

    metric: Annotated[Metric, BY_VALUE] | None = None
    """None: the metric of the task."""
    at_least: float = Field(gt=0, le=1)
