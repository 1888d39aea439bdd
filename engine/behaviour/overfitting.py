"""Overfitting and memorising: the tuned model on rows that it was trained on, against rows that it has never seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.behaviour.differences import Change, between_means, between_rates, paired_shares
from tuneproof.engine.behaviour.loss_gap import LossGap
from tuneproof.engine.behaviour.memorising import GIVEN_TOKENS, CompletedAnswer, LeftOut
from tuneproof.engine.behaviour.paired_rates import RiskOutcome, rate_of
from tuneproof.engine.case.task import Metric
from tuneproof.engine.run.event import Rate
from tuneproof.engine.run.facts import Facts
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.metric_sums import score_of
from tuneproof.engine.scoring.predictions import Prediction

FOLDER = "behaviour/overfitting"
FACTS = f"{FOLDER}/overfitting.json"

FEWEST = 50
"""Answers of a kind that it takes: with fewer, no share that matters could be told from none."""


class AnswerSet(StrEnum):
    """What is asked of which model; the value is the name of the file with its answers."""

    SCORED = "train_tuned"
    """The tuned model answers train rows."""
    COMPLETED = "completed_train_tuned"
    """The tuned model completes answers of train rows."""
    COMPLETED_EVAL = "completed_eval_tuned"
    """The tuned model completes answers of eval rows."""
    COMPLETED_BASE = "completed_train_base"
    """The base completes the same answers of train rows."""
    SCORED_BASE = "train_base"
    """The base answers the same train rows, with the prompts of zero_shot."""

    @property
    def is_completing(self) -> bool:
        """Whether answers are completed rather than given."""
        return self in COMPLETING

    @property
    def by_base(self) -> bool:
        """Whether the base is asked."""
        return self in (AnswerSet.COMPLETED_BASE, AnswerSet.SCORED_BASE)

    @property
    def in_words(self) -> str:
        """What is done, in a few words."""
        return TITLES[self]

    @property
    def file(self) -> str:
        """The answers, as many as there was time for."""
        return f"{FOLDER}/{self}.jsonl"

    @property
    def kept_file(self) -> str:
        """The answers as they come, until all are there."""
        return f"{FOLDER}/kept_{self}.jsonl"


TITLES = {
    AnswerSet.SCORED: "train rows, tuned",
    AnswerSet.COMPLETED: "beginnings of train answers, tuned",
    AnswerSet.COMPLETED_EVAL: "beginnings of eval answers, tuned",
    AnswerSet.COMPLETED_BASE: "beginnings of train answers, base",
    AnswerSet.SCORED_BASE: "train rows, base",
}

COMPLETING = (AnswerSet.COMPLETED, AnswerSet.COMPLETED_EVAL, AnswerSet.COMPLETED_BASE)


class OverfittingFacts(Facts):
    """How overfitting was measured; what came out follows from the files beside it."""

    seed: int
    """Of the shuffle that draws the rows."""
    given_tokens: int = GIVEN_TOKENS
    asked: dict[AnswerSet, int]
    """How many answers there were to be of each kind."""
    left_out: LeftOut
    """Train answers that can show no memorising, among those looked at."""
    seconds: dict[AnswerSet, float]
    """What answering took."""


class ScoreGap(BaseModel):
    """The score of the tuned model on train rows against that on the eval cases."""

    model_config = ConfigDict(extra="forbid")

    metric: Metric
    train_cases: int
    eval_cases: int
    train: float
    eval: float
    difference: Change
    """Train minus eval; the cases are others, so it is not paired."""
    base_cases: int = 0
    base_train: float | None = None
    """Of zero_shot on the same train rows: whether they are simply easier."""
    base_eval: float | None = None
    outcome: RiskOutcome


class Memorised(BaseModel):
    """The share of answers that are completed word for word."""

    model_config = ConfigDict(extra="forbid")

    given_tokens: int
    left_out: LeftOut
    train_cases: int
    eval_cases: int = 0
    base_cases: int = 0
    train: Rate | None = None
    eval: Rate | None = None
    base: Rate | None = None
    """Of the base, on the first train rows."""
    over_eval: Change | None = None
    """Train minus eval, of the tuned model."""
    over_base: Change | None = None
    """Tuned minus base, on the train rows that both completed."""
    outcome: RiskOutcome


class OverfittingResult(BaseModel):
    """What train and eval rows show, as far as it was measured."""

    model_config = ConfigDict(extra="forbid")

    losses: LossGap | None = Field(default=None, exclude_if=lambda gap: gap is None)
    scores: ScoreGap | None = Field(default=None, exclude_if=lambda gap: gap is None)
    wants_scores: bool = False
    """Whether train rows were to be scored; not where a judge scores."""
    memorised: Memorised | None = Field(default=None, exclude_if=lambda found: found is None)
    seconds: float


def score_gap(
    metric: Metric,
    grader: Grader,
    tuned: tuple[Sequence[Prediction], Sequence[Prediction]],
    base: tuple[Sequence[Prediction], Sequence[Prediction]] | None,
    margin: float,
    *,
    in_time: bool = True,
) -> ScoreGap | None:
    """The scores of two models on train and eval rows, in this order; None if the tuned model has no answer of a kind.

    `in_time` says whether all train rows were answered that were to be: if not, few of them are no property of the data.
    """

    def scores(predictions: Sequence[Prediction]) -> list[float]:
        return [score_of(metric, each, grader) for each in predictions if not each.unanswered]

    train, unseen = (scores(each) for each in tuned)
    if not train or not unseen:
        return None
    difference = Change.of(between_means(train, unseen))
    base_train, base_eval = (scores(each) for each in base) if base is not None else ([], [])
    has_base = bool(base_train and base_eval)
    few = RiskOutcome.NO_SIGNAL if in_time else RiskOutcome.NOT_MEASURED
    # A gap is never larger than the score on train.
    no_gap = RiskOutcome.NO_SIGNAL if _mean(train) < margin else _outcome(difference, margin)
    return ScoreGap(
        metric=metric,
        train_cases=len(train),
        eval_cases=len(unseen),
        train=_mean(train),
        eval=_mean(unseen),
        difference=difference,
        base_cases=len(base_train) if has_base else 0,
        base_train=_mean(base_train) if has_base else None,
        base_eval=_mean(base_eval) if has_base else None,
        outcome=few if len(train) < FEWEST else no_gap,
    )


def memorised(facts: OverfittingFacts, completed: Mapping[AnswerSet, Sequence[CompletedAnswer]], margin: float) -> Memorised:
    """How many answers are completed word for word."""
    train, unseen, base = ([each.is_exact for each in completed.get(kind, ())] for kind in COMPLETING)
    both = min(len(train), len(base))
    over_eval = Change.of(between_rates(sum(train), len(train), sum(unseen), len(unseen))) if train and unseen else None
    over_base = Change.of(paired_shares(_floats(train[:both]), _floats(base[:both]))) if both > 1 else None
    compared = over_eval if len(unseen) >= FEWEST else over_base
    few = RiskOutcome.NO_SIGNAL if len(train) == facts.asked.get(AnswerSet.COMPLETED, 0) else RiskOutcome.NOT_MEASURED
    shown = RiskOutcome.NOT_SHOWN if compared is None else _outcome(compared, margin)
    return Memorised(
        given_tokens=facts.given_tokens,
        left_out=facts.left_out,
        train_cases=len(train),
        eval_cases=len(unseen),
        base_cases=len(base),
        train=rate_of(sum(train), len(train)) if train else None,
        eval=rate_of(sum(unseen), len(unseen)) if unseen else None,
        base=rate_of(sum(base), len(base)) if base else None,
        over_eval=over_eval,
        over_base=over_base,
        outcome=few if len(train) < FEWEST else shown,
    )


def _outcome(change: Change, margin: float) -> RiskOutcome:
    """Of a gain on rows that were seen: it is a loss on all others."""
    if change.high < margin:
        return RiskOutcome.NO_WORSE
    return RiskOutcome.WORSE if change.low > 0 else RiskOutcome.NOT_SHOWN


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 6)


def _floats(values: Sequence[bool]) -> list[float]:
    return [float(each) for each in values]
