"""The methods that can be trained, with their defaults and where those come from."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from tuneproof.engine.case import Method as MethodChoice
from tuneproof.engine.case import Training
from tuneproof.engine.errors import CaseError

AUTO = "auto"


@dataclass(frozen=True)
class Method:
    """One way to train: what it trains, what it is good for, and the learning rate it wants."""

    name: str
    trains: str
    good_for: str
    learning_rate: float
    rank: int


@dataclass(frozen=True)
class Plan:
    """Everything a training needs to be told, no default left open.

    Defaults: rank 16, alpha twice the rank, all linear layers, no dropout, cosine after 5 % of warm-up, at most 3 epochs, batches of 16
    (below the 32 from which quality falls), gradients clipped at 1.0, after "LoRA Without Regret" (Schulman and others 2025) as TRL's
    guide `lora_without_regret.md` gives it; learning rate 2e-4 for LoRA, ten times the 2e-5 that is usual for all weights.
    """

    method: str
    why: str
    rank: int
    alpha: int
    epochs: float
    learning_rate: float
    batch_size: int
    warmup: float
    max_steps: int | None
    probe_every: int | None
    probe_cases: int
    seed: int
    accumulation: int = 1
    """Parts that a batch is run in, one after the other, with their gradients summed: less memory for a little time."""
    checkpointing: bool = False
    """Whether activations are computed twice instead of kept: much less memory for about a third more time."""

    @property
    def settings(self) -> dict[str, float | int | None]:
        """The numbers of the plan, as they are shown and stored; how a batch is run to fit stands with what was planned."""
        return {key: value for key, value in asdict(self).items() if key not in ("method", "why", "accumulation", "checkpointing")}


METHODS = {
    "lora": Method(
        name="lora",
        trains="two small matrices beside every linear layer",
        good_for="a format, a style or a narrow task, from tens to thousands of examples",
        learning_rate=2e-4,
        rank=16,
    )
}


def plans(training: Training) -> list[Plan]:
    """The plan that each method would follow with the case's settings."""
    return [plan(MethodChoice(name=name), training) for name in METHODS]


def plan(choice: MethodChoice, training: Training) -> Plan:
    """The plan for a case. Raises CaseError for a method that this version cannot train."""
    name = "lora" if choice.name == AUTO else choice.name
    method = METHODS.get(name)
    if method is None:
        raise CaseError(f"`{name}` is no method this version trains", where="method.name", fix=f"use {AUTO} or {', '.join(METHODS)}")
    rank = training.rank or method.rank
    return Plan(
        method=method.name,
        why="it is the lightest method that changes a habit of the model" if choice.name == AUTO else "the case asks for it",
        rank=rank,
        alpha=training.alpha or 2 * rank,
        epochs=training.epochs or 3.0,
        learning_rate=training.learning_rate or method.learning_rate,
        batch_size=training.batch_size or 16,
        warmup=0.05 if training.warmup is None else training.warmup,
        max_steps=training.max_steps,
        probe_every=training.probe_every,
        probe_cases=training.probe_cases or 64,
        seed=training.seed,
    )
