"""The choice of the untuned arms, and what their scores say so far."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.arms import TUNED_ARMS, UNTUNED_ARMS
from tuneproof.engine.case.arm_names import OWN_PROMPT, ArmName, arm_of_row
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.run.events import ArmScored
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.scoring.metric_sums import PROPORTIONS
from tuneproof.engine.session.form_input import InputError

COMBINED = {ArmName.FEW_SHOT, ArmName.CONSTRAINED}
"""The arms that few_shot_constrained combines: where a case has both, it has that one too."""


def with_arm_toggled(chosen: Sequence[str], arm: str, *, is_scored: bool) -> list[str]:
    """The chosen arms with one more, or one less. Raises InputError if the arm stays all the same.

    It does if it is scored and so part of the evidence, if it is a prompt, and if it combines two that are chosen.
    """
    if arm in chosen and is_scored:
        raise InputError(f"{arm} already has a score, so it stays in the evidence")
    if arm.startswith(OWN_PROMPT):
        raise InputError(f"{arm} is a prompt of the case file: take it out of `prompts` there")
    if arm == ArmName.FEW_SHOT_CONSTRAINED and COMBINED.issubset(chosen):
        raise InputError(f"{arm} is scored wherever {' and '.join(sorted(COMBINED, reverse=True))} are: leave out one of them")
    return [name for name in UNTUNED_ARMS if (name in chosen) != (name == arm)]


def can_finish_without_training(run: RunState, arms_that_meet_the_target: Sequence[str]) -> bool:
    """Whether the card can be written now, because an untuned arm meets the target."""
    return run.status is not RunStatus.RUNNING and bool(arms_that_meet_the_target) and run.card is None


def best_untuned(run: RunState) -> ArmScored | None:
    """The untuned arm that is best in the metric that decides, repaired or not, None if none is scored yet."""
    scored = [arm for arm in run.arms.values() if arm_of_row(arm.arm) not in TUNED_ARMS]
    return max(scored, key=lambda arm: arm.quality, default=None)


def target_share(case: DraftCase) -> float | None:
    """The share of right cases that the target asks for; None if it asks for none, or is for something else."""
    target = case.target
    if target is None or target.at_least is None or case.task is None or case.task.rules:
        return None
    return target.at_least if (target.metric or case.task.primary_metric) in PROPORTIONS else None
