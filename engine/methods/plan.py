"""The training plan of a case: its method with every setting filled in, and the source of each default."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

from pydantic import JsonValue

from tuneproof.engine.case.evaluate import MethodToCompare
from tuneproof.engine.case.training import MethodChoice, Sharding, Training
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.methods import defaults
from tuneproof.engine.methods.method import Default, MethodSpec
from tuneproof.engine.methods.refusals import check_method, check_method_settings, unknown_method
from tuneproof.engine.methods.registry import LORA, METHODS
from tuneproof.engine.run.artifacts import Optimizer, PlannedFacts

AUTO = "auto"
"""The method name that leaves the choice to the planner."""

LIGHTEST = "it is the lightest method that changes how the model answers"
"""Why LoRA is selected."""

THE_CASE = "the case"
"""The source of a setting that the case gives."""

EXECUTION_KEYS = ("accumulation", "processes", "nodes", "sharding")
"""The settings that change how a training runs, but not its result."""

Settings = dict[str, float | int | None]


@dataclass(frozen=True)
class Plan:
    """All settings of one training, with the defaults filled in.

    `rank`, `alpha` and `virtual_tokens` are None if the method has no such setting. The names of the fields are part of `digest`.
    """

    method: str
    why: str
    """Why this method, in a sentence that goes on from its name."""
    rank: int | None
    alpha: int | None
    epochs: float
    learning_rate: float
    batch_size: int
    """Rows per optimizer step, over all processes."""
    warmup: float
    """Share of the steps over which the learning rate rises."""
    max_steps: int | None
    probe_every: int | None
    probe_cases: int
    seed: int
    accumulation: int = 1
    """Micro-batches per step and process, whose gradients are summed: less memory for a little time."""
    checkpointing: bool = False
    """Gradient checkpointing: activations are recomputed, which saves much memory for about a third more time."""
    virtual_tokens: int | None = None
    max_length: int | None = None
    """Tokens above which a row is left out of training; None for no limit."""
    packing: bool = False
    group_by_length: bool = False
    """Whether rows of similar length share a step, which needs less padding."""
    clip: float = float(defaults.CLIP.value)
    """Maximum norm of the gradients."""
    optimizer: Optimizer = Optimizer.ADAMW
    processes: int = 1
    """Training processes on all nodes together; each takes its share of every batch."""
    nodes: int = 1
    """Machines that run the processes, the same number on each."""
    sharding: Sharding = Sharding.NONE
    """Whether the processes shard weights, gradients and optimizer state (FSDP2); `auto` until the plan is settled."""

    @property
    def digest(self) -> str:
        """Digest of all settings that the result depends on, that is all but `EXECUTION_KEYS`."""
        return sha256_data({key: value for key, value in asdict(self).items() if key not in EXECUTION_KEYS})

    @property
    def step_settings(self) -> dict[str, JsonValue]:
        """The settings that a checkpoint cannot be continued without: those that change a step, or which step is kept."""
        unchanging = {"why", "checkpointing", *EXECUTION_KEYS}
        return {key: value for key, value in asdict(self).items() if key not in unchanging}

    @property
    def requested(self) -> Settings:
        """All settings but the number of nodes: a run may resume on another number of them."""
        return {key: value for key, value in asdict(self).items() if key != "nodes"}

    def with_execution(self, planned: PlannedFacts, min_accumulation: int) -> Plan:
        """The plan, executed as `planned` settled it, with at least this many micro-batches per step."""
        return replace(
            self,
            accumulation=max(planned.accumulation, min_accumulation),
            checkpointing=planned.checkpointing,
            optimizer=planned.optimizer,
            sharding=planned.sharding,
        )

    def steps(self, rows: int) -> int:
        """Optimizer steps on so many rows."""
        return self.max_steps or math.ceil(math.ceil(rows / self.batch_size) * self.epochs)

    @property
    def sharded(self) -> bool:
        """Whether each process holds only its shard of the model."""
        return self.sharding is Sharding.FULL

    @property
    def rows_per_process(self) -> int:
        """Maximum number of rows that a process takes of each batch."""
        return math.ceil(self.batch_size / self.processes)

    @property
    def processes_per_node(self) -> int:
        """Processes on each machine."""
        return self.processes // self.nodes

    @property
    def per_process(self) -> Plan:
        """The work of one process as a plan of its own."""
        return replace(self, batch_size=self.rows_per_process, processes=1, nodes=1)

    @property
    def settings(self) -> Settings:
        """The settings that are shown and stored: those that the method has, without how a batch is executed."""
        hidden = {"method", "why", "checkpointing", "optimizer", *EXECUTION_KEYS}
        hidden |= {key for key in ("rank", "alpha", "virtual_tokens") if getattr(self, key) is None}
        return {key: value for key, value in asdict(self).items() if key not in hidden}


def make_plans(training: Training) -> list[Plan]:
    """The plan of every method with the settings of the case, in the order of the registry."""
    return [make_plan(MethodChoice(name=name), training) for name in METHODS]


def make_plan(choice: MethodChoice, training: Training) -> Plan:
    """The plan for a method and its settings. Raises CaseError for an unknown method."""
    method = _method(choice)
    rank = _value(training.rank, method.rank)
    by_rank = method.alpha_by_rank
    alpha = training.alpha or round(rank * by_rank.value) if by_rank and rank else None
    return Plan(
        method=method.name,
        why=LIGHTEST if choice.name == AUTO else "the case asks for it",
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
    """The source of each setting that has a default: the case, or where the default comes from."""
    method = _method(choice)
    with_default: dict[str, Default | None] = {
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
    found = {key: _source(getattr(training, key, None), default) for key, default in with_default.items() if default is not None}
    return found | {"max_length": defaults.LENGTH if training.max_length is None else THE_CASE}


def check_trainable(choice: MethodChoice, training: Training) -> None:
    """Checks that the case's method can be trained.

    Raises CaseError for an unknown method or a setting that it does not have, and GateClosed if the method or this machine cannot do what
    the case asks for.
    """
    check_method(choice, training, _method(choice))


def check_compared(given: MethodToCompare) -> None:
    """Raises CaseError if a method to compare is unknown or does not have one of its settings; memory is checked later."""
    if given.name not in METHODS:
        raise unknown_method(given.name, "evaluate.compare", METHODS)
    check_method_settings(given, METHODS[given.name], "evaluate.compare")


def _source(own: float | int | None, default: Default) -> str:
    return default.source if own is None else THE_CASE


def _method(choice: MethodChoice) -> MethodSpec:
    method = LORA if choice.name == AUTO else METHODS.get(choice.name)
    if method is None:
        raise unknown_method(choice.name, "method.name", [AUTO, *METHODS])
    return method


def _value(own: int | None, default: Default | None) -> int | None:
    return None if default is None else own or int(default.value)


def size_of(plan: Plan) -> int:
    """The rank of a plan, or its number of virtual tokens; 0 if its method has neither."""
    return plan.rank or plan.virtual_tokens or 0


def with_other_size(plan: Plan) -> Plan | None:
    """The plan with half its rank or virtual tokens, or with two in place of one; None if its method has neither."""
    size = size_of(plan)
    if not size:
        return None
    other = size // 2 if size > 1 else 2
    return replace(plan, rank=other) if plan.rank else replace(plan, virtual_tokens=other)
