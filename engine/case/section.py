"""What all sections of the case file have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

BY_VALUE = Field(strict=False)
"""For an enum: YAML has its value as a plain word, which strict mode would refuse."""


class CaseSection(BaseModel):
    """A section of the case file. Unknown keys are errors, and values are not converted: "yes" is no boolean, "3" no number."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
