"""The card in about ten lines: the answer, whether that is good enough, what it rests on, what to do next, and how to check it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tuneproof.engine.card.merged_model import MergeOutcome
from tuneproof.engine.card.schema import Card, CardArm
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.rule import TargetStatus, VerdictAnswer
from tuneproof.engine.scoring.verdict_text import format_p_value, format_points, limits_of

VERIFY_HERE = "tuneproof verify ."
"""The command that checks a card, for a reader who is in its folder: a card is the same wherever its folder is."""


class SummaryTitle(StrEnum):
    """What a line of the summary is about."""

    GOOD_ENOUGH = "Good enough?"
    NEXT = "What next"
    TUNED = "Tuned"
    UNTUNED = "Best untuned"
    DIFFERENCE = "Difference"
    COST = "Cost"
    RISK = "Main risk"


@dataclass(frozen=True)
class SummaryLine:
    """One line of the summary."""

    title: SummaryTitle
    text: str


def verdict_sentence(card: Card) -> str:
    """The answer as a sentence, with the few words that say how good it is."""
    answer = str(card.verdict.answer)
    headline = f": {card.verdict.headline}" if card.verdict.headline else ""
    return f"{answer[:1].upper()}{answer[1:]}{headline}."


def summary_lines(card: Card) -> list[SummaryLine]:
    """The lines below the sentence, in the order in which a reader asks; what was not measured has none."""
    lines = {
        SummaryTitle.GOOD_ENOUGH: good_enough(card),
        SummaryTitle.NEXT: what_next(card),
        SummaryTitle.TUNED: _arm(card, ArmName.TUNED),
        SummaryTitle.UNTUNED: _arm(card, card.verdict.best_untuned_arm),
        SummaryTitle.DIFFERENCE: _difference(card),
        SummaryTitle.COST: _cost(card),
        SummaryTitle.RISK: _main_risk(card),
    }
    return [SummaryLine(title, text) for title, text in lines.items() if text]


def good_enough(card: Card) -> str:
    """Whether the arm that would be used is good enough; of cards of earlier versions, without the score."""
    if card.verdict.good_enough:
        return card.verdict.good_enough
    return {
        TargetStatus.SHOWN: "Yes, and shown.",
        TargetStatus.MEASURED: "As measured, which is not shown.",
        TargetStatus.NOT_MET: "No.",
        TargetStatus.NONE: "The case does not say what is good enough (target.at_least).",
    }[card.verdict.target]


def what_next(card: Card) -> str:
    """What to do, also where the verdict leaves only one thing to do."""
    if card.verdict.next_steps:
        return " ".join(card.verdict.next_steps)
    if card.verdict.answer is not VerdictAnswer.TUNE:
        return ""
    served = card.served.outcome if card.served else MergeOutcome.NOT_MERGED
    if served in (MergeOutcome.WORSE, MergeOutcome.NOT_MERGED):
        use = "Serve the adapter on the base that it was trained on."
    else:
        use = "Serve the tuned model, merged or as an adapter."
    shown = card.verdict.target is TargetStatus.MEASURED
    return f"{use} Add eval cases in a new run to show that it is good enough." if shown else use


def rate_text(rate: Rate) -> str:
    """A rate with its interval, in per cent."""
    return f"{100 * rate.rate:.1f} % [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


def _arm(card: Card, name: str | None) -> str:
    arm = next((arm for arm in card.arms if arm.arm == name), None)
    if arm is None:
        return ""
    score = "" if arm.score is None or not card.eval_set else f"{card.eval_set.metric} {arm.score:.3f}, "
    named = "" if name == ArmName.TUNED else f"{name}, "
    return f"{named}{score}{rate_text(arm.correct)} correct"


def _difference(card: Card) -> str:
    difference = card.verdict.difference
    if difference is None:
        return ""
    points = format_points(difference, *limits_of(card.verdict))
    what = "wins and losses before the judge" if difference.judged else difference.metric
    largest = f", the largest of {difference.arms}" if difference.arms > 1 else ""
    return f"{points} in {what} on the same {difference.cases} cases, {format_p_value(difference.p_value)}{largest}"


def _cost(card: Card) -> str:
    """What the run and requests take; before it is counted, what a request to the best untuned arm takes."""
    if card.cost is not None:
        return card.cost.summary
    shown = [arm for arm in card.arms if arm.arm in (ArmName.TUNED, card.verdict.best_untuned_arm)]
    return f"A request takes {'; '.join(_cost_of(arm) for arm in reversed(shown))}." if shown else ""


def _cost_of(arm: CardArm) -> str:
    tokens = [] if arm.tokens_untold == arm.n else [f"{arm.tokens_per_case:.0f} tokens"]
    usd = [] if arm.usd_per_1000_requests is None else [f"{arm.usd_per_1000_requests:.4f} USD for 1,000 requests"]
    return f"{', '.join([*tokens, f'{arm.seconds_per_case:.3f} s', *usd])} with {arm.arm}"


def _main_risk(card: Card) -> str:
    more = len(card.risk.items) - 1
    return f"{card.risk.summary}{f' {more} more below.' if more > 0 else ''}"
