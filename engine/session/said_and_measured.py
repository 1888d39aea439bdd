"""The answers to the questions beside what the arms measured, so that a mistaken answer is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.run.state import RunState
from tuneproof.engine.session.baseline_choice import best_untuned

DRIFTS_BELOW = 0.95
"""A format that is right less often than this drifts: one answer in twenty breaks what reads it."""

MUCH = 0.2
"""A difference in rates that needs no interval to be seen."""


@dataclass(frozen=True)
class Measured:
    """What was measured about one question."""

    text: str
    agrees: bool
    """Whether the answer that was given fits."""


def said_and_measured(key: str, content: DraftCase, state: RunState) -> Measured | None:
    """What the arms say about a question; None if none of them says anything about it, or if it is not answered."""
    said = getattr(content.decision, key)
    rule = _RULES.get(key)
    return None if rule is None or said is None else rule(said, content, state)


def _format_drift(said: bool | int, content: DraftCase, state: RunState) -> Measured | None:
    arm = state.arms.get(ArmName.ZERO_SHOT)
    if arm is None:
        return None
    drifts = arm.format_valid.rate < DRIFTS_BELOW
    return Measured(f"zero-shot is valid in {arm.format_valid.describe()} of the cases", drifts == said)


def _prompt_falls_short(said: bool | int, content: DraftCase, state: RunState) -> Measured | None:
    best, target = best_untuned(state), content.target.at_least if content.target else None
    if best is None or target is None or not _is_for_what_decides(content):
        return None
    if best.score is not None:
        return Measured(f"the best untuned arm, {best.arm}, has {best.score_text}; the target is {target:g}", (best.score < target) == said)
    short = best.correct.rate < target
    return Measured(
        f"the best untuned arm, {best.arm}, is right in {best.correct.describe()}; the target is {100 * target:g} %", short == said
    )


def _is_for_what_decides(content: DraftCase) -> bool:
    """Whether the target is in the metric that arms are compared by."""
    metric = content.target.metric if content.target else None
    return metric is None or content.task is None or metric == content.task.primary_metric


def _needs_actions(said: bool | int, content: DraftCase, state: RunState) -> Measured | None:
    arm = state.arms.get(ArmName.CONSTRAINED)
    if arm is None:
        return None
    all_that_is_wrong = arm.correct.rate >= DRIFTS_BELOW
    rest = "the format was all that was wrong" if all_that_is_wrong else "values are wrong, too"
    return Measured(f"under a grammar {arm.correct.describe()} are right: {rest}", all_that_is_wrong == said)


def _private_facts(said: bool | int, content: DraftCase, state: RunState) -> Measured | None:
    found, without = state.arms.get(ArmName.RETRIEVAL), state.arms.get(ArmName.ZERO_SHOT)
    if found is None or without is None:
        return None
    helps = found.correct.rate - without.correct.rate >= MUCH
    return Measured(f"with retrieval {found.correct.describe()} are right, without {without.correct.describe()}", helps == said)


def _labeled_examples(said: bool | int, content: DraftCase, state: RunState) -> Measured | None:
    if state.audited is None:
        return None
    return Measured(f"the data has {state.audited.rows:,} rows", said == state.audited.rows)


_RULES: dict[str, Callable[[bool | int, DraftCase, RunState], Measured | None]] = {
    "format_drift": _format_drift,
    "prompt_falls_short": _prompt_falls_short,
    "needs_actions": _needs_actions,
    "private_facts": _private_facts,
    "labeled_examples": _labeled_examples,
}
