"""`method` and `training`: how the model is trained."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from tuneproof.engine.case.section import BY_VALUE, CaseSection
from tuneproof.engine.case.slurm import Launcher, Slurm

LARGEST_SEED = 2**32 - 21
"""NumPy takes seeds below 2³², and `evaluate.seeds` counts up to twenty of them from this one."""


class MethodChoice(CaseSection):
    """The method to train with, and whether to train although the results so far speak against it; the card records that."""

    name: str = "auto"
    """The name of a method; auto takes the first one that fits."""
    even_if_met: bool = False
    """Train although a baseline already meets the target."""
    enough_as_measured: bool = False
    """Do not train if a baseline meets the target as measured, although that is not shown beyond luck."""
    even_if_routed_elsewhere: bool = False
    """Train although the route is not fine-tuning."""
    trained: str | None = None
    """A folder with an adapter or a model that was trained elsewhere: it is measured in place of a training here."""


class Sharding(StrEnum):
    """Whether processes divide the model among them: if it does not fit otherwise, never, or always."""

    AUTO = "auto"
    NONE = "none"
    FULL = "full"


class Training(CaseSection):
    """How to train. None stands for the method's default; `methods/defaults.py` has each default with its source."""

    epochs: float | None = Field(default=None, gt=0)
    """How often each row is seen."""
    learning_rate: float | None = Field(default=None, gt=0)
    """The peak, after the warmup."""
    batch_size: int | None = Field(default=None, ge=1)
    """Rows in one optimizer step, over all processes."""
    rank: int | None = Field(default=None, ge=1)
    """The rank of the adapter's matrices."""
    alpha: int | None = Field(default=None, ge=1)
    """The adapter's output is scaled by alpha / rank."""
    virtual_tokens: int | None = Field(default=None, ge=1)
    """The length of a trained prompt or prefix, in tokens."""
    warmup: float | None = Field(default=None, ge=0, lt=1)
    """Share of the steps over which the learning rate rises to its peak."""
    max_steps: int | None = Field(default=None, ge=1)
    """Stop after this many optimizer steps. None: only `epochs` decides."""
    probe_every: int | None = Field(default=None, ge=1)
    """Optimizer steps between two validation probes. None: six probes, evenly spaced."""
    probe_cases: int | None = Field(default=None, ge=1)
    """Validation cases that a probe answers."""
    max_length: int | None = Field(default=None, ge=1)
    """Rows with more tokens are left out of training. None: every row is kept, and no row is ever cut."""
    packing: bool = False
    """Put several rows into one sequence, which leaves hardly any padding."""
    group_by_length: bool = False
    """Put rows of similar length into the same step, which leaves less padding."""
    processes: int = Field(default=1, ge=1)
    """Training processes on all nodes together; each one has a GPU, or its share of the CPU cores."""
    sharding: Annotated[Sharding, BY_VALUE] = Sharding.AUTO
    """Whether processes divide the model among them: if it does not fit otherwise, never, or always."""
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)
    """Of the order of the rows and of the new weights."""
    launcher: Annotated[Launcher, BY_VALUE] = Launcher.LOCAL
    """Where the worker runs; this and `slurm` do not change what is trained."""
    slurm: Slurm | None = None

    @model_validator(mode="after")
    def slurm_needs_its_launcher(self) -> Self:
        if self.slurm is not None and self.launcher is not Launcher.SLURM:
            raise ValueError("`slurm` belongs to launcher slurm, not to launcher local: add `launcher: slurm`, or remove `slurm`")
        return self

    @model_validator(mode="after")
    def nodes_have_equally_many_processes(self) -> Self:
        nodes, processes = self.nodes, self.processes
        if processes % nodes:
            below = nodes * max(1, processes // nodes)
            possible = f"{below}" if processes < nodes else f"{below} or {below + nodes}"
            raise ValueError(
                f"`processes` counts the processes of all nodes together, and {processes} cannot be divided among the {nodes} of "
                f"`slurm.nodes`: set it to {possible}"
            )
        return self

    @property
    def job(self) -> Slurm | None:
        """What the Slurm job requests; None if the worker runs on this machine."""
        return (self.slurm or Slurm()) if self.launcher is Launcher.SLURM else None

    @property
    def nodes(self) -> int:
        """Machines that the processes are divided among, evenly."""
        return self.job.nodes if self.job else 1

    @property
    def for_one_node(self) -> Training:
        """The part of one node, as a training on this machine; if that is a single process, nothing is sharded."""
        processes = self.processes // self.nodes
        sharding = Sharding.AUTO if processes == 1 < self.processes else self.sharding
        return self.model_copy(update={"launcher": Launcher.LOCAL, "slurm": None, "processes": processes, "sharding": sharding})

    def with_launcher_of(self, other: Training) -> Training:
        """The same training with the launcher of the other one."""
        return self.model_copy(update={"launcher": other.launcher, "slurm": other.slurm})
