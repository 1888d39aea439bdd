"""A gate for a pipeline: what a card must say before something goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneproof.engine.card.schema import Card
from tuneproof.engine.scoring.rule import TargetStatus, VerdictAnswer
from tuneproof.engine.scoring.verdict_schema import PairedDifference


@dataclass(frozen=True)
class GateConditions:
    """What is asked for; what is None or empty is not."""

    answers: Sequence[VerdictAnswer] = ()
    """The verdict must be one of these."""
    min_gain: float | None = None
    """Tuned minus best untuned arm must be at least this, as measured."""
    min_gain_shown: float | None = None
    """The lower end of its 95 % interval must be at least this."""
    target: TargetStatus | None = None
    """`MEASURED`: the arm that would be used meets the target of the case; `SHOWN`: beyond luck."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return not self.answers and (self.min_gain, self.min_gain_shown, self.target) == (None, None, None)


@dataclass(frozen=True)
class GateCheck:
    """One condition, and what the card says to it."""

    name: str
    """What is asked for, in a few words."""
    passed: bool
    found: str
    """What the card has."""


def check_gate(card: Card, asked: GateConditions) -> list[GateCheck]:
    """Every condition in turn."""
    verdict, checks = card.verdict, []
    if asked.answers:
        wanted = " or ".join(asked.answers)
        checks.append(GateCheck(f"the verdict is {wanted}", verdict.answer in asked.answers, f"it is {verdict.answer}"))
    gain = verdict.difference
    if asked.min_gain is not None:
        checks.append(_gain(f"the measured gain is at least {asked.min_gain:g}", gain, asked.min_gain, gain.estimate if gain else None))
    if asked.min_gain_shown is not None:
        name = f"the 95 % interval of the gain begins at {asked.min_gain_shown:g} or above"
        checks.append(_gain(name, gain, asked.min_gain_shown, gain.low if gain else None))
    if asked.target is not None:
        checks.append(_target(verdict.target, asked.target))
    return checks


def _gain(name: str, gain: PairedDifference | None, least: float, value: float | None) -> GateCheck:
    if gain is None or value is None:
        return GateCheck(name, passed=False, found="no gain was measured: nothing was trained, or nothing is there to compare with")
    return GateCheck(
        name, value >= least, f"it is {gain.estimate:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] in {gain.metric} on {gain.cases} cases"
    )


def _target(found: TargetStatus, wanted: TargetStatus) -> GateCheck:
    words = {
        TargetStatus.SHOWN: "it is met beyond luck",
        TargetStatus.MEASURED: "it is met as measured, and not beyond luck",
        TargetStatus.NOT_MET: "it is not met",
        TargetStatus.NONE: "the case has no target",
    }
    enough = {TargetStatus.SHOWN} if wanted is TargetStatus.SHOWN else {TargetStatus.SHOWN, TargetStatus.MEASURED}
    name = "the target is met beyond luck" if wanted is TargetStatus.SHOWN else "the target is met as measured"
    return GateCheck(name, found in enough, words[found])
