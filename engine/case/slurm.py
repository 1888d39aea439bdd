"""Where the worker runs, and what a Slurm cluster is asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from tuneproof.engine.case.section import AS_WRITTEN


class Launcher(StrEnum):
    """Where the worker runs: on this machine, or as a job of a Slurm cluster."""

    LOCAL = "local"
    SLURM = "slurm"


OptionName = Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]
# Written into a batch script, where a second line would be a command.
OptionText = Annotated[str, Field(pattern=r"^[ -~]+$")]


class Slurm(BaseModel):
    """What the job asks Slurm for; what is left out is the cluster's default.

    `gpus`, `cpus` and `memory_gb` are of each node. `extra` has further options of sbatch, with true for one that has no value.
    """

    model_config = AS_WRITTEN

    nodes: int = Field(default=1, ge=1)
    partition: OptionText | None = None
    account: OptionText | None = None
    qos: OptionText | None = None
    gpus: int | None = Field(default=None, ge=1)
    cpus: int | None = Field(default=None, ge=1)
    memory_gb: float | None = Field(default=None, gt=0)
    hours: float | None = Field(default=None, gt=0)
    extra: dict[OptionName, OptionText | int | Literal[True]] = {}

    @model_validator(mode="after")
    def is_one_task_a_node(self) -> Self:
        fixed = {"array", "nodes", "ntasks", "ntasks-per-node", "output", "error"}
        if taken := fixed & self.extra.keys():
            instead = "write `nodes` beside it" if min(taken) == "nodes" else "there is one task on each node, its log in the run folder"
            raise ValueError(f"`extra` cannot have `{min(taken)}`: {instead}")
        return self
