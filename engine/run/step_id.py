"""The names of the steps that a manifest records: a fixed set of kinds, some with a name such as that of an arm."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

NAME = "{name}"

LONGEST = 255
"""Characters of a step: its name is part of the names of its files."""


class StepKind(Enum):
    """What a step does. The value is how the manifest on disk writes it, `{name}` being the place of the step's name."""

    CASE = "case"
    ROUTE = "route"
    MODEL = "model"
    AUDIT = "audit"
    SPLIT = "split"
    CATALOGUE = "catalogue"
    JUDGE = "judge"
    ARM = f"arm {NAME}"
    REPAIRED_SCORES = f"repaired {NAME}"
    JUDGED = f"judged {NAME}"
    FAILURES = "failures"
    METHOD = "method"
    TRAIN = "train"
    MERGE = "merge"
    MERGED_SCORES = "merged"
    FORM_SCORES = f"form {NAME}"
    CURVE_TRAIN = f"curve {NAME} train"
    CURVE_SCORES = f"curve {NAME}"
    COMPARED_METHOD = f"compared {NAME} method"
    COMPARED_TRAIN = f"compared {NAME} train"
    COMPARED_SCORES = f"compared {NAME}"
    SEED_TRAIN = f"seed {NAME} train"
    SEED_SCORES = f"seed {NAME}"
    BEHAVIOUR = f"behaviour {NAME}"
    OVERFITTING = "overfitting"
    DRIFT = "drift"
    CARD = "card"

    @property
    def is_named(self) -> bool:
        """Whether a step of this kind has a name."""
        return NAME in self.value


@dataclass(frozen=True)
class StepId:
    """One step of a run: its kind, and its name where the kind has one (an arm, a share of train in per cent, a method, `model:arm`)."""

    kind: StepKind
    name: str = ""

    def __post_init__(self) -> None:
        if self.kind.is_named != bool(self.name):
            raise ValueError(f"a step `{self.kind.value}` {'needs a' if self.kind.is_named else 'has no'} name")

    def __str__(self) -> str:
        return self.kind.value.replace(NAME, self.name)

    @classmethod
    def arm(cls, name: str) -> Self:
        """The step that scores an arm."""
        return cls(StepKind.ARM, name)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The step that the manifest writes like this. Raises ValueError if there is no such step."""
        for kind in StepKind:
            # A name has no space in it, so no text belongs to two kinds.
            found = re.fullmatch(re.escape(kind.value).replace(re.escape(NAME), r"(\S+)"), text)
            if found is not None and len(text) <= LONGEST:
                return cls(kind, *found.groups())
        raise ValueError(f"`{text[:LONGEST]}` is not a step of a run")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text]),
            serialization=core_schema.to_string_ser_schema(),
        )
