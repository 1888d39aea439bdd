"""The section Risk of the card: what could make the verdict wrong, or the model worse than it looks."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.audit.report import StoredFinding
from tuneproof.engine.behaviour.trained_form import TrainedForm
from tuneproof.engine.card.behaviour_section import behaviour_section
from tuneproof.engine.card.behaviour_text import behaviour_risks
from tuneproof.engine.card.drift_section import drift_risks, drift_section
from tuneproof.engine.card.evidence import Evidence
from tuneproof.engine.card.merged_model import MergeOutcome, ServedSection
from tuneproof.engine.card.overfitting_section import overfitting_risks, overfitting_section
from tuneproof.engine.card.schema import RiskSection
from tuneproof.engine.case.arm_names import is_repaired
from tuneproof.engine.case.instruction import instruction_gap
from tuneproof.engine.case.route import Route
from tuneproof.engine.case.schema import SAMPLE, DraftCase
from tuneproof.engine.case.task import Metric, OutputKind, Task
from tuneproof.engine.data.example import rows_without_instruction
from tuneproof.engine.data.reasoning import Thinking
from tuneproof.engine.data.split import Part
from tuneproof.engine.data.tools_in_text import ToolForm
from tuneproof.engine.run.artifacts import ModelFacts
from tuneproof.engine.scoring.lower_bound import min_correct_for_target
from tuneproof.engine.scoring.metric_sums import PROPORTIONS
from tuneproof.engine.scoring.rule import SIGNIFICANT
from tuneproof.engine.scoring.scores import Scores
from tuneproof.engine.scoring.verdict_schema import PairedDifference, Verdict
from tuneproof.engine.scoring.verdict_text import format_points, format_test, limits_of

SMALL_EVAL = 50
"""With fewer cases than this, the interval is wider than most differences that matter."""


SAMPLE_RISK = "The base is the small sample model: the results show that tuneproof works, not what a real model can do."


def risk(evidence: Evidence, verdict: Verdict, merged: ServedSection | None, route: Route) -> RiskSection:
    """The section with everything that was found to speak against the verdict."""
    behaviour = behaviour_section(evidence.store, TrainedForm.of(evidence.case.task, evidence.grader))
    outside = behaviour_risks(behaviour) if evidence.tuned else []
    worse = sum(bool(each.worse) for each in behaviour.axes) if behaviour else 0
    # What got worse is the first thing to know, but for a base that shows nothing about a real model.
    is_sample = evidence.model is not None and evidence.model.name == SAMPLE
    overfitting, drift, wanted = overfitting_section(evidence), drift_section(evidence), evidence.case.risk
    items = [SAMPLE_RISK] if is_sample else []
    items += [*outside[:worse], *_data_risks(evidence), *_model_risks(evidence, verdict, merged), *outside[worse:]]
    if evidence.tuned:
        items += overfitting_risks(overfitting, switched_off=not (wanted.overfitting and wanted.minutes))
        items += drift_risks(drift, switched_off=not (wanted.drift and wanted.minutes))
    if route is not Route.FINE_TUNING and evidence.tuned:
        items.append(f"The route is `{route}`, but the case asks for training anyway.")
    return RiskSection(
        summary=items[0] if items else "No check that was run speaks against the verdict.",
        items=items,
        behaviour=behaviour,
        overfitting=overfitting,
        drift=drift,
    )


def _data_risks(evidence: Evidence) -> list[str]:
    items = []
    n = evidence.counts[Part.EVAL] if evidence.counts else 0
    stated = evidence.case.decision.labeled_examples
    if evidence.report and stated is not None and stated != evidence.report.counts.rows:
        items.append(f"The case states {stated} labelled examples, but its files have {evidence.report.counts.rows}.")
    if evidence.counts and n < SMALL_EVAL:
        items.append(f"{n} eval cases are few: they can detect only a large difference.")
    target = counted_target(evidence.case)
    if n and target and target < 1 and min_correct_for_target(n, target) is None:
        items.append(f"{n} eval cases are too few to show that the target of {target:g} is met, whatever the score.")
    if evidence.case.task and evidence.parts:
        rows = chain.from_iterable(evidence.parts.values())
        items += [gap.message] if (gap := instruction_gap(evidence.case.task, rows_without_instruction(rows))) else []
    if evidence.cross_split_duplicates:
        items.append(
            f"{evidence.cross_split_duplicates} rows were left out because validation or eval has a duplicate or near-duplicate of them."
        )
    found = [("Data", f) for f in evidence.report.findings] if evidence.report else []
    found += [("Split", f) for f in evidence.split_findings]
    items += [f"{where}, {f.check}: {f.message}{_decision_about(f)}." for where, f in found if f.severity is not Severity.INFO]
    # A row with repaired answers has the answers of its arm.
    asked = [arm for arm in evidence.arms if not is_repaired(arm.name)]
    items += [
        f"{arm.name}: {arm.scores.truncated} of {arm.scores.n} answers were cut off{_at_limit(evidence, arm.name)}."
        for arm in asked
        if arm.scores.truncated
    ]
    return items + [risk for arm in asked for risk in _server_risks(arm.scores)]


def _at_limit(evidence: Evidence, arm: str) -> str:
    facts = evidence.arm_facts.get(arm)
    return f" at the limit of {facts.max_new_tokens} tokens (evaluate.max_new_tokens)" if facts else " at the length limit"


def _server_risks(scores: Scores) -> list[str]:
    """Cases without an answer from the server, and answers whose tokens it did not report."""
    items = []
    if scores.unanswered:
        reasons = ", ".join(f"{count} × {reason}" for reason, count in scores.unanswered.items())
        failed = f"{scores.arm}: {sum(scores.unanswered.values())} of {scores.all_cases} cases have no answer ({reasons})"
        items.append(f"{failed}; they count neither as right nor as wrong.")
    if scores.tokens_untold:
        items.append(f"{scores.arm}: the server did not report the tokens of {scores.tokens_untold} of {scores.n} answers.")
    return items


def _decision_about(finding: StoredFinding) -> str:
    """What the case decided about a finding."""
    if finding.accepted is not None:
        return f" (accepted: {finding.accepted})"
    return " (left out)" if finding.left_out else ""


def _model_risks(evidence: Evidence, verdict: Verdict, merged: ServedSection | None) -> list[str]:
    items = []
    if evidence.model and not evidence.model.chat_template:
        items.append("The base has no chat template; all arms used a plain one.")
    if evidence.model and evidence.model.settings_not_used:
        settings = ", ".join(f"{name} {value}" for name, value in evidence.model.settings_not_used.items())
        items.append(f"The base's generation config asks for {settings}; every answer was decoded greedily, without it.")
    if evidence.model and evidence.model.own_code:
        items.append(
            f"The base ran Python code of its own, which the case allows (model.trust_remote_code): {', '.join(evidence.model.own_code)}. "
            "What it did was not checked."
        )
    if evidence.model:
        items += _template_risks(evidence.model)
    if verdict.difference and verdict.difference.only_untuned_right:
        items.append(_newly_wrong(verdict.difference, verdict, evidence.case.task))
    if verdict.difference and verdict.difference.low > 0 and verdict.difference.p_value >= SIGNIFICANT:
        p_value = format_test(verdict.difference)
        items.append(f"The interval excludes zero, but the test is not significant ({p_value}): the evidence is too weak to tune.")
    if verdict.difference and verdict.difference.seeds == 1:
        items.append("One training was measured: how much another seed would change is not known (evaluate.seeds).")
    if merged is not None and merged.outcome is MergeOutcome.WORSE:
        items.append("The merged model is worse than what was measured: serve the adapter on the base that it was trained on.")
    items += _elsewhere_risks(evidence)
    return items


def _elsewhere_risks(evidence: Evidence) -> list[str]:
    """What cannot be known of a model that was trained elsewhere."""
    elsewhere = evidence.training.elsewhere if evidence.training else None
    if elsewhere is None:
        return []
    cut = evidence.case.data is not None and evidence.case.data.eval is None
    where = (
        "the eval set was cut from data.examples: if it was trained on them, its score is too high"
        if cut
        else ("if eval rows were among them, its score is too high")
    )
    items = [f"The model was trained elsewhere, and which rows it was trained on is not known: {where}."]
    if not elsewhere.has_log:
        items.append("No log of its training was found (trainer_state.json), so nothing is known of how its losses went.")
    elif not elsewhere.evaluated:
        items.append("No evaluation was logged during its training: that its last step is its best one is not shown.")
    # The folder of the sample model has another name wherever tuneproof is installed.
    if elsewhere.base and evidence.model and Path(evidence.model.name).name not in (SAMPLE, Path(elsewhere.base).name):
        items.append(f"The adapter names `{elsewhere.base}` as its base, and the case has `{evidence.model.name}`.")
    return items


def _newly_wrong(difference: PairedDifference, verdict: Verdict, task: Task | None) -> str:
    """The cases on which tuning lost: wrong ones, or those that score less in a metric with partial credit."""
    newly, untuned, change = difference.only_untuned_right, verdict.best_untuned_arm, format_points(difference, *limits_of(verdict))
    broken = "1 case" if newly == 1 else f"{newly} cases"
    if difference.judged:
        return f"On {broken} the judge prefers {untuned} to the tuned model ({change} overall)."
    # Where a case has one label, its F1 is whether that is right.
    has_one_label = difference.metric is Metric.MACRO_F1 and task is not None and task.output.kind is OutputKind.CHOICE
    if difference.metric not in PROPORTIONS and not has_one_label:
        return f"{broken} scored less in {difference.metric} after tuning than with {untuned} ({change} overall)."
    verbs = ("was", "is") if newly == 1 else ("were", "are")
    return f"{broken} that {verbs[0]} right with {untuned} {verbs[1]} wrong after tuning ({change} overall)."


def _template_risks(model: ModelFacts) -> list[str]:
    """How the base was asked, where that is not simply how the rows are written."""
    items = []
    if not model.system_turn:
        items.append("The base's chat template takes no system turn: a system text was put before the text of the first user turn.")
    if not model.repeated_turns:
        items.append("The base's chat template takes no two turns of one role in a row: such turns were joined.")
    if model.tools is ToolForm.TEXT:
        items.append("The base's chat template has no place for tools: they were offered, called and answered in the text of the turns.")
    room = f"{model.reasoning_tokens} tokens of an answer's limit were for it, and it was set aside before scoring"
    match model.thinking:
        case Thinking.OFF:
            items.append("The base can reason before it answers; its chat template was used with thinking switched off (enable_thinking).")
        case Thinking.ON:
            items.append(f"The base was asked to reason before it answers, as outputs of the data do: {room}.")
        case Thinking.ALWAYS:
            items.append(f"The base's chat template opens a block of reasoning in every prompt: {room}.")
        case Thinking.NONE:
            pass
    return items


def counted_target(case: DraftCase) -> float | None:
    """The target as a share of correct cases; None if its metric gives partial credit or rules count too, or if there is no target."""
    if case.target is None or case.task is None or case.task.rules:
        return None
    metric = case.target.metric or case.task.primary_metric
    return case.target.at_least if metric in PROPORTIONS else None
