"""What an answer was given by something other than a grader: a script of the case, or a judge. It is stored with the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.scoring.judgement import Judgement

Share = Annotated[float, Field(ge=0, le=1)]


class OutsideScore(BaseModel):
    """The score of one answer. One that is empty, cut off or without the format of the task is not shown to a script, and scores 0."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    passes_at: float
    """`task.pass_score`: the score from which the answer counts as correct."""
    fields: dict[str, Share] = {}
    """What the script gave, by name; a plain number under the name of the function. None for an answer that was not shown."""
    judgement: Judgement | None = None
    """The judge's verdict on the answer against the reference."""

    @property
    def value(self) -> float:
        """The score, between 0 and 1: the mean of the fields, or what the verdict is worth."""
        if self.judgement is not None:
            return self.judgement.score
        return sum(self.fields.values()) / len(self.fields) if self.fields else 0.0

    @property
    def passes(self) -> bool:
        """Whether the answer counts as correct, if it has the format."""
        return self.value >= self.passes_at


def field_means(scores: Sequence[OutsideScore]) -> Mapping[str, float]:
    """The mean of each field over the answers that have it, one that was not shown counted as 0; none where there is one field."""
    names = list(dict.fromkeys(name for score in scores for name in score.fields))
    if len(names) < 2:
        return {}
    found = {}
    for name in names:
        having = [score.fields.get(name, 0.0) for score in scores if name in score.fields or not score.fields]
        found[name] = round(sum(having) / len(having), 6)
    return found
