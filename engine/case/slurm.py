"""`training.launcher` and `training.slurm`: where the worker runs, and what its job requests from a Slurm cluster."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tuneproof.engine.case.section import CaseSection


class Launcher(StrEnum):
    """Where the worker runs: on this machine, or as a job of a Slurm cluster."""

    LOCAL = "local"
    SLURM = "slurm"


OptionName = Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]
# Options are written into a batch script, where a line break would start a new command.
OptionText = Annotated[str, Field(pattern=r"^[ -~]+$")]

SET_BY_TUNEPROOF = {"array", "nodes", "ntasks", "ntasks-per-node", "output", "error"}
"""Options of sbatch that `extra` cannot have: tuneproof sets them itself."""


class Slurm(CaseSection):
    """What the job requests; an option that is left out has the cluster's default."""

    nodes: int = Field(default=1, ge=1)
    """Machines that the job gets."""
    partition: OptionText | None = None
    """The partition that the job is queued in."""
    account: OptionText | None = None
    """The account that the job is charged to."""
    qos: OptionText | None = None
    """The quality of service of the job."""
    gpus: int | None = Field(default=None, ge=1)
    """GPUs on each node."""
    cpus: int | None = Field(default=None, ge=1)
    """CPUs on each node."""
    memory_gb: float | None = Field(default=None, gt=0)
    """Memory on each node, in GiB."""
    hours: float | None = Field(default=None, gt=0)
    """Time limit of the job."""
    extra: dict[OptionName, OptionText | int | Literal[True]] = Field(default={})
    """Other options of sbatch by their long name; true for an option that takes no value."""

    @model_validator(mode="after")
    def extra_has_no_option_set_by_tuneproof(self) -> Self:
        if taken := SET_BY_TUNEPROOF & self.extra.keys():
            instead = "set `slurm.nodes`" if min(taken) == "nodes" else "each node runs one task, and its log is in the run folder"
            raise ValueError(f"`extra` cannot have `{min(taken)}`: {instead}")
        return self
