"""`data`: where the examples are, how they are read and split, and what is done about audit findings."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from tuneproof.engine.case.section import BY_VALUE, CaseSection


class SplitShares(CaseSection):
    """Shares of train, validation and eval; with a separate eval file, train and validation divide all examples."""

    train: float = Field(default=0.6, gt=0, le=1)
    """The share that the model is trained on."""
    validation: float = Field(default=0.15, ge=0, lt=1)
    """The share that picks the best checkpoint and the best prompt."""
    eval: float = Field(default=0.25, ge=0, lt=1)
    """The share that is only used to score; not used with a separate eval file."""
    seed: int = 0
    """Another seed puts other rows into each part."""
    group_by: str | None = None
    """A field, such as a customer, or `first_turns` or `file`: rows that have the same value stay in the same part."""

    @model_validator(mode="after")
    def shares_add_up_to_one(self) -> SplitShares:
        if abs(self.train + self.validation + self.eval - 1) > 1e-6:
            raise ValueError("train, validation and eval must add up to 1")
        return self


class Columns(CaseSection):
    """Which columns hold input, output and instruction, for data whose shape is not a known one; each may be a path into the row."""

    input: str
    """The column with the request, or the path to it in nested rows, such as `data.text` or `turns.0.content`."""
    output: str
    """The column with the answer that is wanted, or the path to it."""
    instruction: str | None = None
    """The column with an instruction for each row, if there is one."""


class LabelErrorMethod(StrEnum):
    """The method for finding label errors: by the rows with the most similar words, or by cleanlab, which takes longer and is an extra."""

    NEIGHBOURS = "neighbours"
    CLEANLAB = "cleanlab"


class Turns(StrEnum):
    """Which turns of the assistant in a conversation are examples: the last one that is learned, or all of them."""

    LAST = "last"
    ALL = "all"


class Data(CaseSection):
    """Where the examples are, and what is done with the findings of the audit."""

    examples: str | list[str]
    """A file, a list of files, a folder, or the name of a data set on the hub. What is called test in a folder is the eval set."""
    eval: str | list[str] | None = None
    """A separate eval set. None: a test file or part among the examples, else a part that is split from them."""
    documents: str | None = None
    """A folder of .txt and .md files for the retrieval arm."""
    columns: Columns | None = None
    """Which columns hold what. None: the shape of the rows is detected by their keys."""
    turns: Annotated[Turns, BY_VALUE] = Field(default=Turns.LAST, exclude_if=lambda turns: turns is Turns.LAST)
    """Which turns of the assistant in a conversation are examples: `last`, or `all`, each with the turns before it."""
    split: SplitShares = SplitShares()
    leave_out: list[str] = Field(default=[])
    """Names of audit checks, whose rows are left out and whose findings block no longer; and single rows, as `file:line`."""
    accept: dict[str, Annotated[str, Field(min_length=1)]] = Field(default={})
    """Reasons to accept findings, by the name of their check: they block no longer, and the card shows the reason."""
    allow_large: bool = Field(default=False, exclude_if=lambda allowed: not allowed)
    """Read files that memory may not hold, and compressed files that grow as none do that are meant well."""
    label_errors: Annotated[LabelErrorMethod, BY_VALUE] = LabelErrorMethod.NEIGHBOURS
    """How label errors are looked for: by the rows with the most similar words, or by cleanlab, which takes longer and is an extra."""
