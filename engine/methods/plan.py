"""From a case to a plan: the method that is meant, with every setting given or its default, and where each default comes from."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

from tuneproof.engine.case.evaluate import MethodToCompare
from tuneproof.engine.case.training import MethodChoice, Sharding, Training
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.methods import defaults
from tuneproof.engine.methods.method import Default, MethodSpec
from tuneproof.engine.methods.refusals import check_method, check_method_settings, unknown_method
from tuneproof.engine.methods.registry import LORA, METHODS
from tuneproof.engine.run.artifacts import Optimizer, PlannedFacts

AUTO = "auto"

EXECUTION_KEYS = ("accumulation", "processes", "nodes", "sharding")
"""What changes nothing of what is learned."""

Settings = dict[str, float | int | None]


@dataclass(frozen=True)
class Plan:
    """Everything a training needs to be told, no default left open; `rank`, `alpha` and `virtual_tokens` where the method has them."""

    method: str
    why: str
    rank: int | None
    alpha: int | None
    epochs: float
    learning_rate: float
    batch_size: int
    warmup: float
    max_steps: int | None
    probe_every: int | None
    probe_cases: int
    seed: int
    accumulation: int = 1
    """Parts that a process runs its rows of a batch in, one after the other, with their gradients summed: less memory for a little time."""
    checkpointing: bool = False
    """Whether activations are computed twice instead of kept: much less memory for about a third more time."""
    virtual_tokens: int | None = None
    max_length: int | None = None
    packing: bool = False
    group_by_length: bool = False
    """Whether rows of like length come into one step, with less padding."""
    clip: float = float(defaults.CLIP.value)
    optimizer: Optimizer = Optimizer.ADAMW
    processes: int = 1
    """Processes that each batch is shared out to, on all nodes together."""
    nodes: int = 1
    """Machines that the processes are divided among, evenly."""
    sharding: Sharding = Sharding.NONE
    """Whether they divide weights, gradients and optimizer among them; `auto` until it is settled."""

    @property
    def digest(self) -> str:
        """Of all that decides what is learned; in how many processes and parts a batch is run does not, nor who holds which weights."""
        return sha256_data({key: value for key, value in asdict(self).items() if key not in EXECUTION_KEYS})

    @property
    def requested(self) -> Settings:
        """All that is asked for; on how many nodes is not part of it, for a run may go on elsewhere."""
        return {key: value for key, value in asdict(self).items() if key != "nodes"}

    def with_execution(self, planned: PlannedFacts, parts: int) -> Plan:
        """The plan run as it was settled, its batches in at least so many parts."""
        return replace(
            self,
            accumulation=max(planned.accumulation, parts),
            checkpointing=planned.checkpointing,
            optimizer=planned.optimizer,
            sharding=planned.sharding,
        )

    @property
    def sharded(self) -> bool:
        """Whether each process holds its share of the model alone."""
        return self.sharding is Sharding.FULL

    @property
    def rows_per_process(self) -> int:
        """Rows of a batch that a process takes at most."""
        return math.ceil(self.batch_size / self.processes)

    @property
    def processes_per_node(self) -> int:
        """Processes that share a machine."""
        return self.processes // self.nodes

    @property
    def per_process(self) -> Plan:
        """What one of the processes does, as a plan of its own."""
        return replace(self, batch_size=self.rows_per_process, processes=1, nodes=1)

    @property
    def settings(self) -> Settings:
        """The numbers of the plan, as they are shown and stored; without those that mean nothing to its method.

        How a batch is run to fit stands with what was planned.
        """
        unsaid = {"method", "why", "checkpointing", "optimizer", *EXECUTION_KEYS}
        unsaid |= {key for key in ("rank", "alpha", "virtual_tokens") if getattr(self, key) is None}
        return {key: value for key, value in asdict(self).items() if key not in unsaid}


def make_plans(training: Training) -> list[Plan]:
    """The plan that each method would follow with the case's settings."""
    return [make_plan(MethodChoice(name=name), training) for name in METHODS]


def make_plan(choice: MethodChoice, training: Training) -> Plan:
    """The plan for a case. Raises CaseError for a method that this version cannot train."""
    method = _method(choice)
    rank = _value(training.rank, method.rank)
    by_rank = method.alpha_by_rank
    alpha = training.alpha or round(rank * by_rank.value) if by_rank and rank else None
    return Plan(
        method=method.name,
        why="it is the lightest method that changes a habit of the model" if choice.name == AUTO else "the case asks for it",
        rank=rank,
        alpha=alpha,
        epochs=training.epochs or float(defaults.EPOCHS.value),
        learning_rate=training.learning_rate or method.learning_rate.value,
        batch_size=training.batch_size or int(defaults.BATCH_SIZE.value),
        warmup=float(defaults.WARMUP.value) if training.warmup is None else training.warmup,
        max_steps=training.max_steps,
        probe_every=training.probe_every,
        probe_cases=training.probe_cases or int(defaults.PROBE_CASES.value),
        seed=training.seed,
        virtual_tokens=_value(training.virtual_tokens, method.virtual_tokens),
        max_length=training.max_length,
        packing=training.packing,
        group_by_length=training.group_by_length,
        processes=training.processes,
        nodes=training.nodes,
        sharding=training.sharding,
    )


def setting_sources(choice: MethodChoice, training: Training) -> dict[str, str]:
    """Where the value of each setting comes from that has a default: the case, or who else does it so."""
    method = _method(choice)
    known: dict[str, Default | None] = {
        "learning_rate": method.learning_rate,
        "rank": method.rank,
        "alpha": method.alpha_by_rank,
        "virtual_tokens": method.virtual_tokens,
        "epochs": defaults.EPOCHS,
        "batch_size": defaults.BATCH_SIZE,
        "warmup": defaults.WARMUP,
        "clip": defaults.CLIP,
        "probe_cases": defaults.PROBE_CASES,
    }
    told = {key: _source(getattr(training, key, None), default) for key, default in known.items() if default is not None}
    return told | {"max_length": defaults.LENGTH if training.max_length is None else THE_CASE}


def check_trainable(choice: MethodChoice, training: Training) -> None:
    """Raises a TuneproofError where the method, one of its settings or this machine makes the training impossible."""
    check_method(choice, training, _method(choice))


def check_compared(asked: MethodToCompare) -> None:
    """Raises CaseError for a method to compare that there is not, or a setting that it has not; whether it fits here is seen later."""
    if asked.name not in METHODS:
        raise unknown_method(asked.name, "evaluate.compare", METHODS)
    check_method_settings(asked, METHODS[asked.name], "evaluate.compare")


THE_CASE = "the case"


def _source(own: float | int | None, default: Default) -> str:
    return default.source if own is None else THE_CASE


def _method(choice: MethodChoice) -> MethodSpec:
    method = LORA if choice.name == AUTO else METHODS.get(choice.name)
    if method is None:
        raise unknown_method(choice.name, "method.name", [AUTO, *METHODS])
    return method


def _value(own: int | None, default: Default | None) -> int | None:
    return None if default is None else own or int(default.value)
