"""The section Methods Compared of the card: several methods on the same rows and eval cases, against the one that the case names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.run.artifacts import MethodFacts, TrainingFacts
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.statistics import holm
from tuneproof.engine.scoring.verdict_schema import PairedDifference
from tuneproof.engine.scoring.verdict_text import format_p_value, format_points

LIMITS = (
    "The verdict is about the method that the case names, because the best of several methods looks better than it is.",
    "Each method was trained once, with one seed: the intervals do not include how much two trainings differ.",
    "All methods have the same rows, epochs, batch size and seed. A learning rate from the case is scaled to each method's default.",
)
"""What a reader of the comparison has to know, as sentences for the card."""

SIGNIFICANCE = 0.05
"""One method is called better than another if the adjusted p-value is below this and the interval excludes zero."""


@dataclass(frozen=True)
class Entrant:
    """One method of the comparison: its plan, and its training and scores, or None if it was not trained or not scored."""

    method: MethodFacts
    training: TrainingFacts | None
    scored: ScoredArm | None


class ComparedMethod(BaseModel):
    """One method of the comparison, as the card has it; what was not measured is None."""

    model_config = ConfigDict(extra="forbid")

    method: str
    settings: dict[str, float | int | None]
    not_trained: str | None = None
    """The reason, as the end of a sentence."""
    trained_parameters: int | None = None
    memory: int | None = None
    """Bytes predicted for the training."""
    seconds: float | None = None
    """Time of the training with its probes."""
    steps: int | None = None
    best_step: int | None = None
    correct: Rate | None = None
    format_valid: Rate | None = None
    difference: PairedDifference | None = None
    """This method minus the one that the case names."""
    p_holm: float | None = None
    """The mid-p value of the difference, adjusted for the number of methods (Holm 1979)."""


class ComparisonSection(BaseModel):
    """The methods, that of the case first, and whether another one is better."""

    model_config = ConfigDict(extra="forbid")

    summary: Sentence
    methods: list[ComparedMethod]


def make_comparison(measure: Measure, named: Entrant, others: Sequence[Entrant]) -> ComparisonSection:
    """The comparison of the method that the case names with others. Raises ValueError if that one was not scored."""
    if named.scored is None:
        raise ValueError("the method that the case names was not scored")
    differences = {each.method.name: measure.difference(each.scored, named.scored) for each in others if each.scored is not None}
    adjusted = dict(zip(differences, holm([difference.p_value for difference in differences.values()]), strict=True))
    methods = [_compared_method(named, None, None)]
    methods += [_compared_method(each, differences.get(each.method.name), adjusted.get(each.method.name)) for each in others]
    return ComparisonSection(summary=_summary(methods, named.scored.scores.n), methods=methods)


def _compared_method(entrant: Entrant, difference: PairedDifference | None, p_holm: float | None) -> ComparedMethod:
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


def _summary(methods: Sequence[ComparedMethod], n: int) -> str:
    named, *others = methods
    scored = [(each.method, each.difference, each.p_holm) for each in others if each.difference is not None and each.p_holm is not None]
    if not scored:
        return f"Only {named.method} was trained."
    significant = [found for found in scored if found[2] < SIGNIFICANCE]
    better = max((found for found in significant if found[1].low > 0), key=lambda found: found[1].estimate, default=None)
    if better is not None:
        name, difference, p_holm = better
        return (
            f"{name} is better than {named.method}: {format_points(difference)}, Holm-adjusted {format_p_value(p_holm)}. "
            "To use it, name it in a new run with eval cases that no choice was made on."
        )
    worse = [name for name, difference, _ in significant if difference.high < 0]
    undecided = [name for name, _, _ in scored if name not in worse]
    if not undecided:
        return f"{named.method} is better than {_listed(worse)}, by more than chance explains on these {n} cases."
    better_than = f" {named.method} is better than {_listed(worse)}." if worse else ""
    return f"These {n} cases cannot tell {_listed(undecided)} from {named.method}.{better_than}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def comparison_lines(comparison: ComparisonSection) -> list[str]:
    """The comparison as text: a line for each method, and LIMITS."""
    return [*map(_line, comparison.methods), *LIMITS]


def _line(each: ComparedMethod) -> str:
    if each.not_trained is not None or each.correct is None:
        return f"{each.method}: not trained: {each.not_trained}"
    rate, low, high = (100 * value for value in (each.correct.rate, each.correct.low, each.correct.high))
    line = f"{each.method}: {rate:.1f} % correct [{low:.1f}, {high:.1f}]"
    if each.difference is not None and each.p_holm is not None:
        line += f", {format_points(each.difference)}, Holm-adjusted {format_p_value(each.p_holm)}"
    parts = [f"{each.trained_parameters:,} parameters trained at learning rate {each.settings['learning_rate']:g}"]
    parts += [f"kept step {each.best_step} of {each.steps}"]
    parts += [f"{each.seconds:.0f} s of training"] if each.seconds is not None else []
    parts += [f"{each.memory / 1e9:.2f} GB of memory predicted"] if each.memory is not None else []
    return f"{line}; {', '.join(parts)}"
