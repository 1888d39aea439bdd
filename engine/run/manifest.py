"""The manifest of a run: SHA-256 of everything that each step read and wrote."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from tuneproof.engine.core.hashing import sha256_text
from tuneproof.engine.run.step_id import StepId, StepKind

LONGEST_NAME = 255
"""Characters of a name that any file system has room for."""


def _inside(name: str) -> str:
    """Raises ValueError for a path that is not in the run folder."""
    parts = name.split("/")
    if "\0" in name or any(part in ("", ".", "..") or len(part) > LONGEST_NAME for part in parts):
        raise ValueError(f"{name[:LONGEST_NAME]!r} is not a file of a run folder")
    return name


RunFile = Annotated[str, AfterValidator(_inside)]
"""A path in the run folder."""


class Inputs(BaseModel):
    """What a step was made from. Two runs of a step with equal inputs do the same work."""

    model_config = ConfigDict(extra="forbid")

    files: dict[RunFile, str] = {}
    """SHA-256 by path in the run folder: files that earlier steps wrote."""
    settings: dict[str, str] = {}
    """Digests, or short values as text, of everything else: sections of the case, data files, the base model."""
    steps: dict[StepId, str] = Field(default={}, exclude_if=lambda steps: not steps)
    """The digest of each step that the card rests on; only the card has these."""

    def changed_from(self, earlier: Inputs) -> list[str]:
        """The names of inputs that are not as they were, sorted."""
        now, before = self._all(), earlier._all()
        return sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))

    def _all(self) -> dict[str, str]:
        return self.files | self.settings | {str(step): digest for step, digest in self.steps.items()}


class StepRecord(BaseModel):
    """One step of a run: what it was made from, and the files it wrote."""

    model_config = ConfigDict(extra="forbid")

    inputs: Inputs
    files: dict[RunFile, str]
    """SHA-256 by path in the run folder."""
    digests: dict[str, str] = {}
    """Digests of things that are part of a file, such as the prompts of an arm."""


class StepRecordV1(BaseModel):
    """A step as manifests of version 1 have it, with all inputs in one dictionary. Kept as written, because the card has its digest."""

    model_config = ConfigDict(extra="forbid")

    made_from: dict[str, str]
    files: dict[RunFile, str]
    digests: dict[str, str] = {}

    @model_validator(mode="after")
    def has_readable_inputs(self) -> StepRecordV1:
        """Raises ValueError for a card that rests on a step that does not exist."""
        _ = self.inputs
        return self

    @property
    def inputs(self) -> Inputs:
        """The inputs, sorted into files, settings, and, for a card, steps."""
        if str(StepId(StepKind.CASE)) in self.made_from:
            return Inputs(steps={StepId.parse(name): digest for name, digest in self.made_from.items()})
        files = {name: digest for name, digest in self.made_from.items() if _is_run_file(name)}
        return Inputs(files=files, settings={name: value for name, value in self.made_from.items() if name not in files})


def _is_run_file(name: str) -> bool:
    """Whether an input of version 1 is a file of the run folder; a file of the case's data begins with "data "."""
    return not name.startswith("data ") and ("/" in name or name.endswith(".json"))


def _version_of(step: object) -> str:
    """The manifest version in whose form a step is written."""
    is_first = "made_from" in step if isinstance(step, dict) else isinstance(step, StepRecordV1)
    return "1" if is_first else "2"


AnyStepRecord = Annotated[Annotated[StepRecordV1, Tag("1")] | Annotated[StepRecord, Tag("2")], Discriminator(_version_of)]


class Manifest(BaseModel):
    """The steps of a run in the order in which they were done. A step that is done again keeps its place."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1, 2] = 2
    """Version 1 has `made_from` in place of `inputs`. A run of version 1 that is resumed keeps its old steps as they are written."""
    steps: dict[StepId, AnyStepRecord] = {}

    def names(self, kind: StepKind) -> list[str]:
        """The names of the steps of a kind, such as the arms that are scored."""
        return [step.name for step in self.steps if step.kind is kind]

    def written(self) -> dict[str, str]:
        """SHA-256 of every file that a step wrote, by path in the run folder."""
        return {file: digest for record in self.steps.values() for file, digest in record.files.items()}

    def step_digests(self) -> dict[StepId, str]:
        """The digest of each step except the card, which rests on all of them."""
        return {step: sha256_text(record.model_dump_json()) for step, record in self.steps.items() if step.kind is not StepKind.CARD}

    def as_text(self) -> str:
        """The one way a manifest is written."""
        return self.model_dump_json(indent=1) + "\n"
