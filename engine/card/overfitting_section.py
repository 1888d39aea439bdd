"""The part of the section Risk about overfitting: both losses, the score on train rows, and answers that are known by heart."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.behaviour.differences import Change
from tuneproof.engine.behaviour.loss_gap import RULE, LossGap, loss_gap
from tuneproof.engine.behaviour.memorising import FEWEST_LEFT, read_completed
from tuneproof.engine.behaviour.overfitting import (
    COMPLETING,
    FACTS,
    FEWEST,
    AnswerSet,
    Memorised,
    OverfittingFacts,
    OverfittingResult,
    ScoreGap,
    memorised,
    score_gap,
)
from tuneproof.engine.behaviour.paired_rates import RiskOutcome
from tuneproof.engine.card.evidence import Evidence
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.run.event import Rate
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.training_history import TRAINING_HISTORY, TrainingHistory
from tuneproof.engine.scoring.predictions import Prediction, read_predictions

OUT_OF_TIME = "not measured (time: the budget of risk.minutes was spent)"

STEP = StepId(StepKind.OVERFITTING)


class OverfittingSection(BaseModel):
    """What was measured, against the margin of the case."""

    model_config = ConfigDict(extra="forbid")

    summary: Sentence
    margin: float
    result: OverfittingResult


def overfitting_section(evidence: Evidence) -> OverfittingSection | None:
    """The section, computed from the stored answers; None if it was not measured."""
    store = evidence.store
    if STEP not in store.manifest.steps or evidence.measure is None or evidence.tuned is None or evidence.training is None:
        return None
    files, margin = store.manifest.steps[STEP].files, evidence.case.risk.margin
    facts = OverfittingFacts.model_validate_json(store.read(FACTS))
    scored = {kind: read_predictions(store.read(kind.file)) for kind in AnswerSet if kind.file in files and not kind.is_completing}
    completed = {kind: read_completed(store.read(kind.file)) for kind in COMPLETING if kind.file in files}
    history = TrainingHistory.model_validate_json(store.read(TRAINING_HISTORY)) if store.has(TRAINING_HISTORY) else None
    measure = evidence.measure
    result = OverfittingResult(
        losses=loss_gap(history, evidence.training.best_step) if history is not None else None,
        scores=score_gap(
            measure.metric,
            measure.grader,
            (scored[AnswerSet.SCORED], evidence.tuned.predictions),
            (scored[AnswerSet.SCORED_BASE], _untuned(evidence)) if AnswerSet.SCORED_BASE in scored else None,
            margin,
            in_time=len(scored[AnswerSet.SCORED]) == facts.asked[AnswerSet.SCORED],
        )
        if AnswerSet.SCORED in scored
        else None,
        memorised=memorised(facts, completed, margin),
        wants_scores=AnswerSet.SCORED in facts.asked,
        seconds=round(sum(facts.seconds.values()), 3),
    )
    return OverfittingSection(summary=_summary(result), margin=margin, result=result)


def _untuned(evidence: Evidence) -> list[Prediction]:
    return next((list(arm.predictions) for arm in evidence.untuned if arm.name == ArmName.ZERO_SHOT), [])


def _summary(result: OverfittingResult) -> str:
    """The harms that were shown, in a sentence."""
    found = []
    if result.losses is not None and result.losses.opened:
        found.append(f"the losses part after step {result.losses.lowest.step}")
    if result.scores is not None and result.scores.outcome is RiskOutcome.WORSE:
        found.append(f"it scores more on rows that it was trained on ({change_text(result.scores.difference)})")
    if result.memorised is not None and result.memorised.outcome is RiskOutcome.WORSE:
        found.append("it completes answers of train rows word for word that it would not complete of others")
    return f"The tuned model overfits: {', '.join(found)}." if found else "No overfitting was shown."


def overfitting_risks(section: OverfittingSection | None, *, switched_off: bool) -> list[str]:
    """The lines for the list of risks."""
    if section is None:
        return [f"Overfitting and memorising: not measured{' (switched off)' if switched_off else ''}."]
    result, margin = section.result, section.margin
    lines = [f"Overfitting, losses: {loss_text(result.losses)}."] if result.losses is not None else []
    if result.scores is not None and result.scores.outcome is not RiskOutcome.NOT_MEASURED:
        lines.append(f"Overfitting, score: {score_text(result.scores, margin)}.")
    elif result.wants_scores:
        lines.append(f"Overfitting, score: {OUT_OF_TIME}.")
    if result.memorised is not None:
        lines.append(f"Memorising: {memorised_text(result.memorised, margin)}.")
    return lines


def loss_text(gap: LossGap) -> str:
    """Where the losses part, in nats a token."""
    lowest, last = gap.lowest, gap.last
    if not gap.opened:
        return (
            f"no gap opened; at the last probe, step {last.step}, the validation loss is {last.validation:.3g} (lowest "
            f"{lowest.validation:.3g} at step {lowest.step}) and the train loss {last.train:.3g}"
        )
    opened = (
        f"the gap opened after step {lowest.step}: from there to step {last.step} the validation loss rose from {lowest.validation:.3g} to "
        f"{last.validation:.3g}, while the train loss fell from {lowest.train:.3g} to {last.train:.3g}"
    )
    if gap.kept is None:
        return opened
    kept = "behind it" if gap.kept_after else "not behind it"
    return f"{opened}; the step that was kept, {gap.kept.step}, is {kept}"


def score_text(gap: ScoreGap, margin: float) -> str:
    """The score on train rows beside that on the eval cases."""
    what = f"{gap.metric} {gap.train:.3f} on {gap.train_cases} train rows, {gap.eval:.3f} on the {gap.eval_cases} eval cases"
    if gap.outcome is RiskOutcome.NO_SIGNAL:
        few = f"fewer than {FEWEST} train rows" if gap.train_cases < FEWEST else "the score on train is so low that no gap could be seen"
        return f"no signal: {what}; {few}"
    base = ""
    if gap.base_train is not None and gap.base_eval is not None:
        base = f"; zero_shot without tuning {gap.base_train:.3f} on {gap.base_cases} of these train rows, {gap.base_eval:.3f} on eval"
    return f"{what}, {change_text(gap.difference)}, {_verdict(gap.outcome, margin)}{base}"


def memorised_text(found: Memorised, margin: float) -> str:
    """The share of answers that are completed word for word."""
    left_out = f"{found.left_out.total} answers were left out, which cannot show it" if found.left_out.total else ""
    if found.outcome is RiskOutcome.NOT_MEASURED:
        return OUT_OF_TIME
    if found.train is None or found.train_cases < FEWEST:
        return f"no signal: {found.train_cases} train answers could show it, and it takes {FEWEST}{f'; {left_out}' if left_out else ''}"
    parts = [
        f"{_percent(found.train)} of {found.train_cases} train answers completed word for word from their first {found.given_tokens} tokens"
    ]
    if found.eval is not None and found.over_eval is not None:
        parts.append(f"{_percent(found.eval)} of {found.eval_cases} eval answers, {change_text(found.over_eval)}")
    if found.base is not None and found.over_base is not None:
        parts.append(f"base {_percent(found.base)} of {found.base_cases}, {change_text(found.over_base)}")
    return f"{'; '.join(parts)}; {_verdict(found.outcome, margin)}{f'; {left_out}' if left_out else ''}"


def overfitting_lines(section: OverfittingSection) -> list[str]:
    """The figures behind the lines, and their limits."""
    result, lines = section.result, overfitting_risks(section, switched_off=False)
    if result.losses is not None:
        lines.append(f"{RULE}; losses are means over {result.losses.cases} validation cases and over the rows of the steps")
    if result.memorised is not None:
        left_out = result.memorised.left_out
        lines.append(
            f"memorising counts answers with at least {FEWEST_LEFT} tokens left that no other train row has: {left_out.short} are "
            f"shorter, {left_out.repeated} repeat, {left_out.uncut} cannot be cut; a model that has learnt the task completes answers of "
            "unseen rows too, so train rows are compared with eval rows"
        )
    lines.append(
        "train rows are drawn by the seed of the split, and differences between train and eval are not paired; "
        f"{100 * section.margin:g} points were stated beforehand as small enough (risk.margin); answering took {result.seconds / 60:.1f} "
        "minutes"
    )
    return lines


def change_text(change: Change) -> str:
    """A difference of shares in points."""
    points = [100 * value for value in (change.estimate, change.low, change.high)]
    return f"{points[0]:+.0f} points [{points[1]:+.0f}, {points[2]:+.0f}]".replace("-", "−")


def _verdict(outcome: RiskOutcome, margin: float) -> str:
    match outcome:
        case RiskOutcome.NO_WORSE:
            return f"within the margin of {100 * margin:g} points"
        case RiskOutcome.WORSE:
            return "more on rows that were seen"
        case _:
            return f"not shown to be within the margin of {100 * margin:g} points"


def _percent(rate: Rate) -> str:
    return f"{100 * rate.rate:.1f} %"
