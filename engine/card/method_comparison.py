"""Several methods on the same rows and the same frozen cases: what each came to against the one that the case names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.run.artifacts import MethodFacts, TrainingFacts
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.statistics import holm
from tuneproof.engine.scoring.verdict import PairedDifference, ScoredArm, format_p_value, format_points, paired_difference

LIMITS = (
    "The verdict is that of the method that the case names, chosen before any was scored: the best of several looks better than it is.",
    "Each was trained once, with one seed: how much one training differs from the next is not in the intervals.",
    "Rows, epochs, batch and seed are the same for all; a learning rate that the case gives is as many times the default in each.",
)
"""What the reader has to know to read the comparison for what it is."""

SURE = 0.05
"""Below this adjusted p-value, and with an interval that leaves zero out, one method is called better than another."""


@dataclass(frozen=True)
class Entrant:
    """One method: its plan, and, where it was trained, what came of it and how it answers the frozen cases."""

    method: MethodFacts
    training: TrainingFacts | None
    scored: ScoredArm | None


class ComparedMethod(BaseModel):
    """One method of a comparison; `difference` is it minus the one that the case names, `p_holm` its mid-p adjusted for all of them.

    `seconds` are those of the training, probes among them, and `memory` the bytes predicted for it; `not_trained` says why it was not.
    """

    model_config = ConfigDict(extra="forbid")

    method: str
    settings: dict[str, float | int | None]
    not_trained: str | None = None
    trained_parameters: int | None = None
    memory: int | None = None
    seconds: float | None = None
    steps: int | None = None
    best_step: int | None = None
    correct: Rate | None = None
    format_valid: Rate | None = None
    difference: PairedDifference | None = None
    p_holm: float | None = None


class ComparisonSection(BaseModel):
    """The methods, that of the case first, and what the frozen cases say of the others."""

    model_config = ConfigDict(extra="forbid")

    summary: Sentence
    methods: list[ComparedMethod]


def make_comparison(named: Entrant, others: Sequence[Entrant]) -> ComparisonSection:
    """The comparison of a named method, which was trained and scored, with others. Raises ValueError where it was not."""
    if named.scored is None:
        raise ValueError("what the others are compared with was not scored")
    differences = {each.method.name: paired_difference(each.scored, named.scored) for each in others if each.scored is not None}
    adjusted = dict(zip(differences, holm([difference.p_value for difference in differences.values()]), strict=True))
    told = [_told(named, None, None)]
    told += [_told(each, differences.get(each.method.name), adjusted.get(each.method.name)) for each in others]
    return ComparisonSection(summary=_summary(told, named.scored.scores.n), methods=told)


def _told(entrant: Entrant, difference: PairedDifference | None, p_holm: float | None) -> ComparedMethod:
    method, training, scored = entrant.method, entrant.training, entrant.scored
    memory = method.planned.memory if method.planned else None
    return ComparedMethod(
        method=method.name,
        settings=method.settings,
        not_trained=method.skipped,
        trained_parameters=training and training.trained_parameters,
        memory=memory and memory.total,
        seconds=training and training.seconds,
        steps=training and training.steps,
        best_step=training and training.best_step,
        correct=scored and scored.scores.correct,
        format_valid=scored and scored.scores.format_valid,
        difference=difference,
        p_holm=None if p_holm is None else float(f"{p_holm:.6g}"),
    )


def _summary(told: Sequence[ComparedMethod], n: int) -> str:
    named, *others = told
    scored = [(each.method, each.difference, each.p_holm) for each in others if each.difference is not None and each.p_holm is not None]
    if not scored:
        return f"No other method than {named.method} was trained."
    sure = [found for found in scored if found[2] < SURE]
    better = max((found for found in sure if found[1].low > 0), key=lambda found: found[1].estimate, default=None)
    if better is not None:
        name, difference, p_holm = better
        return (
            f"{name} is better than {named.method}: {format_points(difference)}, {format_p_value(p_holm)} after Holm. "
            f"To ship it, name it in a new run with cases that nothing has been chosen by."
        )
    worse = [name for name, difference, _ in sure if difference.high < 0]
    equal = [name for name, _, _ in scored if name not in worse]
    if not equal:
        return f"{named.method} is better than {_listed(worse)}, beyond what luck explains on these {n} cases."
    told_worse = f"; it is better than {_listed(worse)}" if worse else ""
    return f"These {n} cases cannot tell {_listed(equal)} from {named.method}{told_worse}."


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def comparison_lines(comparison: ComparisonSection) -> list[str]:
    """What a reader is told of each method, and the limits of it all."""
    return [*map(_line, comparison.methods), *LIMITS]


def _line(each: ComparedMethod) -> str:
    if each.not_trained is not None or each.correct is None:
        return f"{each.method}: not trained: {each.not_trained}"
    rate, low, high = (100 * value for value in (each.correct.rate, each.correct.low, each.correct.high))
    told = f"{each.method}: {rate:.1f} % correct [{low:.1f}, {high:.1f}]"
    if each.difference is not None and each.p_holm is not None:
        told += f", {format_points(each.difference)}, {format_p_value(each.p_holm)} after Holm"
    parts = [f"{each.trained_parameters:,} parameters at learning rate {each.settings['learning_rate']:g}"]
    parts += [f"step {each.best_step} of {each.steps} kept"]
    parts += [f"{each.seconds:.0f} s to train"] if each.seconds is not None else []
    parts += [f"{each.memory / 1e9:.2f} GB predicted"] if each.memory is not None else []
    return f"{told}; {', '.join(parts)}"
