"""The Risk of a card: what could make its verdict wrong, or the model worse than it looks."""

from __future__ import annotations

from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import StoredFinding
from tuneproof.engine.card.evidence import Evidence
from tuneproof.engine.card.merged_model import MergeOutcome, ServedSection
from tuneproof.engine.card.schema import RiskSection
from tuneproof.engine.case.route import Route
from tuneproof.engine.case.schema import SAMPLE, Case
from tuneproof.engine.data.split import Part
from tuneproof.engine.scoring.partial_credit import PARTIAL_CREDIT_METRICS
from tuneproof.engine.scoring.predictions import Scores
from tuneproof.engine.scoring.statistics import min_correct_for_target
from tuneproof.engine.scoring.verdict import PairedDifference, Verdict, format_p_value, format_points, metric_of

SMALL_EVAL = 50
"""Below this many cases an interval is wider than most differences worth having."""


def risk(evidence: Evidence, verdict: Verdict, merged: ServedSection | None) -> RiskSection:
    """Everything that was seen and speaks against the verdict."""
    items = [*_data_risks(evidence), *_model_risks(evidence, verdict, merged)]
    return RiskSection(summary=items[0] if items else "Nothing was seen that speaks against the verdict.", items=items)


def _data_risks(evidence: Evidence) -> list[str]:
    items = []
    n = evidence.counts[Part.EVAL] if evidence.counts else 0
    stated = evidence.case.decision.labeled_examples
    if evidence.report and stated is not None and stated != evidence.report.counts.rows:
        items.append(f"The case says {stated} labelled examples; its files have {evidence.report.counts.rows}.")
    if evidence.counts and n < SMALL_EVAL:
        items.append(f"{n} eval cases are few: only a large difference can be seen.")
    target = counted_target(evidence.case)
    if n and target and target < 1 and min_correct_for_target(n, target) is None:
        items.append(f"{n} eval cases are too few to show that the target of {target:g} is met, whatever the score.")
    if evidence.cross_split_duplicates:
        items.append(f"{evidence.cross_split_duplicates} rows were left out because a later part has their input, or nearly.")
    if evidence.report:
        items += [f"Data, {f.check}: {f.message}{_done_about(f)}." for f in evidence.report.findings if f.severity is not Severity.INFO]
    items += [
        f"{arm.name}: {arm.scores.truncated} of {arm.scores.n} answers were cut off before they ended."
        for arm in evidence.arms
        if arm.scores.truncated
    ]
    return items + [risk for arm in evidence.arms for risk in _server_risks(arm.scores)]


def _server_risks(scores: Scores) -> list[str]:
    """What a server left out: answers, or how many tokens they had."""
    items = []
    if scores.unanswered:
        reasons = ", ".join(f"{count} × {reason}" for reason, count in scores.unanswered.items())
        told = f"{scores.arm}: {sum(scores.unanswered.values())} of {scores.all_cases} cases have no answer ({reasons})"
        items.append(f"{told}; they count neither as right nor as wrong.")
    if scores.tokens_untold:
        items.append(f"{scores.arm}: the server did not tell the tokens of {scores.tokens_untold} of {scores.n} answers.")
    return items


def _done_about(finding: StoredFinding) -> str:
    if finding.accepted is not None:
        return f" (accepted: {finding.accepted})"
    return " (left out)" if finding.left_out else ""


def _model_risks(evidence: Evidence, verdict: Verdict, merged: ServedSection | None) -> list[str]:
    items = []
    if evidence.model and evidence.model.name == SAMPLE:
        items.append("The base is the small sample model: this shows that the program works, not what a real model would do.")
    if evidence.model and not evidence.model.chat_template:
        items.append("The base has no chat template; a plain one was used for every arm.")
    if verdict.difference and verdict.difference.only_untuned_right:
        newly, change = verdict.difference.only_untuned_right, format_points(verdict.difference)
        items.append(f"Cases that {verdict.best_untuned_arm} answers and that are wrong after tuning: {newly} ({change} in all).")
    if verdict.difference and _is_thin(verdict.difference):
        told = format_p_value(verdict.difference.p_value_exact)
        items.append(f"The interval leaves zero out, the exact test does not ({told}): so few cases are thin evidence.")
    if merged is not None and merged.outcome is MergeOutcome.WORSE:
        items.append("The merged model is worse than what was measured: serve the adapter on the base that it was trained on.")
    if evidence.tuned:
        items.append("What tuning cost outside this task was not measured.")
    if evidence.route.route is not Route.FINE_TUNING and evidence.tuned:
        items.append(f"The answers route to `{evidence.route.route}`; training was asked for all the same.")
    return items


def _is_thin(difference: PairedDifference) -> bool:
    """Whether interval and exact test disagree, as they do where only a handful of cases tell the arms apart."""
    return not difference.low <= 0 <= difference.high and difference.p_value_exact >= 0.05


def counted_target(case: Case) -> float | None:
    """The target, where its metric is the share of cases that are right."""
    if case.target is None or case.task is None or metric_of(case.task, case.target) in PARTIAL_CREDIT_METRICS:
        return None
    return case.target.at_least
