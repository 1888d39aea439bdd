"""`judge`: the model that prefers one of two answers, for the metric `preference`."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from tuneproof.engine.case.endpoint import Endpoint
from tuneproof.engine.case.section import CaseSection

DEFAULT_RUBRIC = (
    "The better answer does what the request asks, states nothing false, leaves out nothing that matters, and has the tone and the length "
    "that the request calls for. Length alone makes no answer better."
)


class Judge(CaseSection):
    """The judge: a model behind an OpenAI-compatible server, or one on this machine."""

    endpoint: Endpoint | None = None
    """The server and the model there. None: the judge is `judge.model`."""
    model: str | None = Field(default=None, min_length=1)
    """The judge on this machine: `sample`, a folder, or a name on the hub. None: the judge is behind `judge.endpoint`."""
    rubric: str = Field(default=DEFAULT_RUBRIC, min_length=1)
    """What makes an answer better, in your words; the judge reads it with every pair."""
    labelled: str | None = None
    """A JSONL file of pairs that a person judged, with `request`, `a`, `b` and `better` (`a`, `b` or `tie`), to check the judge with."""

    @model_validator(mode="after")
    def is_one_model(self) -> Self:
        if (self.endpoint is None) == (self.model is None):
            raise ValueError("a judge is one model: give either `endpoint` or `model`")
        return self
