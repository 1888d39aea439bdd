"""Making the card from the files of the run folder alone, so that anyone can make it again and compare."""

from __future__ import annotations

from tuneproof.engine.arms import arms_of
from tuneproof.engine.audit.profile import profile
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.card.cost import cost
from tuneproof.engine.card.evidence import Evidence, chosen_prompt, gather
from tuneproof.engine.card.judge_section import judge_section
from tuneproof.engine.card.measured_route import MeasuredRoute, measured_route
from tuneproof.engine.card.risk import counted_target, risk
from tuneproof.engine.card.route_agreement import agreement_with_route
from tuneproof.engine.card.schema import Card, CardArm, DataShapeSection, DecisionSection, EvalSetSection, MethodSection, ProvenanceSection
from tuneproof.engine.card.variants import comparison, learning_curve, served
from tuneproof.engine.case.arm_names import ArmName, arm_of_row
from tuneproof.engine.case.task import Metric
from tuneproof.engine.data.split import Part
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.grading_rules import GradingRules
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import CASE, RunStore, part_file
from tuneproof.engine.scoring.comparison.words import comparison_in_words
from tuneproof.engine.scoring.lower_bound import min_cases_for_target, min_correct_for_target
from tuneproof.engine.scoring.measure import ScoredArm
from tuneproof.engine.scoring.power import ASSUMPTION
from tuneproof.engine.scoring.scores import Scores
from tuneproof.engine.scoring.statistics import minimum_detectable_effect
from tuneproof.engine.scoring.verdict import decide_verdict
from tuneproof.engine.scoring.verdict_schema import Verdict
from tuneproof.engine.scoring.verdict_text import what_is_correct


def make_card(store: RunStore) -> Card:
    """The card of a run as far as it has come."""
    return card_of(gather(store))


def card_of(evidence: Evidence) -> Card:
    """The card that the evidence of a run makes."""
    route = measured_route(evidence)
    verdict = decide_verdict(evidence.measure, evidence.arms_in_case, _missing(evidence), route.steps)
    merged, judge = served(evidence), judge_section(evidence.store, evidence.case.judge, evidence.answering)
    return Card(
        name=evidence.case.name,
        decision=_decision(evidence, verdict, route),
        redrawn_route=route.redrawn,
        data_shape=_data_shape(evidence),
        method=_method(evidence),
        eval_set=_eval_set(evidence, verdict),
        judge=judge,
        served=merged,
        comparison=comparison(evidence),
        learning_curve=learning_curve(evidence),
        risk=risk(evidence, verdict, merged, route.route),
        verdict=verdict,
        arms=[_arm(arm, evidence) for arm in evidence.arms],
        provenance=_provenance(evidence),
        cost=cost(evidence, verdict, judge),
    )


def _missing(evidence: Evidence) -> list[str]:
    """What the verdict needs and the run does not have yet."""
    missing = []
    if evidence.counts is None:
        missing.append("data")
    if not evidence.untuned:
        missing.append("prompt baseline")
    if evidence.tuned is None:
        missing.append(f"{ArmName.TUNED} arm")
    return missing


def _decision(evidence: Evidence, verdict: Verdict, route: MeasuredRoute) -> DecisionSection:
    answers = evidence.case.decision.model_dump()
    answers["labeled_examples"] = evidence.route.labeled_examples
    overruled = evidence.method.overruled if evidence.method else []
    notes = f" {route.redrawn.change}" if route.redrawn else ""
    notes += f" Overruled: {'; '.join(overruled)}." if overruled else ""
    measured = agreement_with_route(route.route, evidence.measure, evidence.arms, verdict)
    notes += f" {measured}" if measured else ""
    notes += "" if evidence.tuned else f" Next: {' '.join(verdict.next_steps)}"
    return DecisionSection(
        summary=f"{route.route}. {route.reason}{notes}",
        route=evidence.route.route,
        answers=answers,
        overruled=overruled,
        measured=measured,
    )


def _data_shape(evidence: Evidence) -> DataShapeSection | None:
    report, counts, parts = evidence.report, evidence.counts, evidence.parts
    if report is None or counts is None or parts is None:
        return None
    train, validation = counts[Part.TRAIN], counts[Part.VALIDATION]
    findings = {severity.value: report.count(severity) for severity in Severity}
    shapes = ", ".join(f"{file} ({shape})" for file, shape in report.shapes.items())
    found = f"{findings['block']} blocking findings, {findings['warn']} warnings"
    found += f", {report.accepted} accepted" if report.accepted else ""
    # Those that are left, as the frozen parts have them.
    chats = {example.conversation for part in parts.values() for example in part} - {""}
    whose = f", the answers of {len(chats)} conversations," if chats else ""
    return DataShapeSection(
        summary=f"{report.counts.rows} examples{whose} from {shapes}: {train} in train, {validation} in validation, "
        f"{len(report.left_out) + evidence.cross_split_duplicates} left out; {found}.",
        files=report.shapes,
        rows=report.counts.rows,
        duplicate_rows=report.counts.duplicate_rows.norm,
        conflict_rows=report.counts.conflict_rows.norm,
        left_out=len(report.left_out) + evidence.cross_split_duplicates,
        train=train,
        validation=validation,
        findings=findings,
        profile=profile(parts[Part.TRAIN], parts[Part.VALIDATION], parts[Part.EVAL], evidence.grader, evidence.data),
    )


def _method(evidence: Evidence) -> MethodSection | None:
    chosen, training = evidence.method, evidence.training
    if chosen is None:
        return None
    if chosen.skipped is not None:
        summary = f"Nothing was trained: {chosen.skipped}."
    elif training is None:
        summary = f"{chosen.name} is planned, but not trained yet. Chosen because {chosen.why}."
    else:
        # A judge is not asked while a model is trained.
        by = " by their loss" if evidence.measure and evidence.measure.metric is Metric.PREFERENCE else ""
        share = 100 * training.trained_parameters / training.all_parameters
        size = f"{training.trained_parameters:,} of {training.all_parameters:,} parameters ({share:.1f} %)"
        if training.elsewhere is None:
            trained = (
                f"trained for {training.steps} steps on {training.examples} examples. Step {training.best_step} was kept, the "
                f"best on {training.validation_cases} validation cases{by}. Chosen because {chosen.why}."
            )
        else:
            steps = f" for {training.steps} steps" if training.steps else ""
            trained = f"trained elsewhere{steps}, and measured as it is."
        summary = f"{chosen.name}, {chosen.trains}: {size}, {trained}"
    return MethodSection(
        summary=summary,
        name=None if chosen.skipped else chosen.name,
        settings=chosen.settings,
        sources=chosen.sources,
        length=chosen.length,
        skipped=chosen.skipped,
        trained_parameters=training and training.trained_parameters,
        all_parameters=training and training.all_parameters,
        best_step=training and training.best_step,
        steps=training and training.steps,
        planned=chosen.planned,
    )


def _eval_set(evidence: Evidence, verdict: Verdict) -> EvalSetSection | None:
    if evidence.counts is None:
        return None
    n = evidence.counts[Part.EVAL]
    digest = evidence.store.digest(part_file(Part.EVAL))
    measured = verdict.minimum_detectable_effect
    effect = round(minimum_detectable_effect(n), 6) if measured is None else measured
    basis = ASSUMPTION if measured is None else "estimated from how often the arms disagree here"
    target = counted_target(evidence.case)
    needed, right = (min_cases_for_target(target), min_correct_for_target(n, target)) if target else (None, None)
    return EvalSetSection(
        summary=f"{n} cases{_grouped(evidence)}, frozen before any arm ran (sha256 {digest[:12]}…). They show a true difference of "
        f"{100 * effect:.0f} points between two arms four times in five, {basis}."
        f"{_can_show_target(target, n, needed, right)}{_what_is_correct(evidence)}",
        n=n,
        sha256=digest,
        metric=evidence.measure.metric if evidence.measure else None,
        minimum_detectable_effect=effect,
        fewest_cases_for_target=needed,
        fewest_right_for_target=right,
    )


def _grouped(evidence: Evidence) -> str:
    """How many groups the cases come in, if some belong together."""
    groups = evidence.groups
    if evidence.counts is None or not groups.of_case:
        return ""
    alone = evidence.counts[Part.EVAL] - len(groups.of_case)
    count = len(set(groups.of_case.values())) + alone
    return "" if count == evidence.counts[Part.EVAL] else f" in {count} groups that share {groups.field_name}"


def _what_is_correct(evidence: Evidence) -> str:
    """By what rules answers are compared, and when a free text counts as correct that need not be equal or has rules to keep."""
    task = evidence.case.task
    if task is None:
        return ""
    # The first rules are always the same.
    compared = "" if evidence.store.grading_rules is GradingRules.FIRST else comparison_in_words(task)
    return "".join(f" {sentence}" for sentence in (compared, what_is_correct(task)) if sentence)


def _can_show_target(target: float | None, n: int, needed: int | None, right: int | None) -> str:
    if target is None:
        return ""
    if right is not None:
        return f" {right} of {n} correct answers would show that the target of {target:g} is met (exact limit, wrong once in 40)."
    enough = f"it takes {needed:,} cases" if needed else "no number of cases is enough"
    return f" Not even {n} of {n} correct answers would show that the target of {target:g} is met: {enough}."


def _arm(arm: ScoredArm, evidence: Evidence) -> CardArm:
    scores = arm.scores
    return CardArm(
        arm=scores.arm,
        n=scores.n,
        format_valid=scores.format_valid,
        correct=scores.correct,
        metrics=_metrics(scores),
        failures={failure.value: count for failure, count in scores.failures.items()},
        truncated=scores.truncated,
        tokens_per_case=scores.tokens_per_case,
        seconds_per_case=scores.seconds_per_case,
        usd_per_1000_requests=arms_of(evidence.case)[arm_of_row(arm.name)].usd_per_1000_requests(evidence.case, scores),
        approach=_approach(arm, evidence),
        recall=scores.recall,
        left_out=scores.left_out,
        unanswered=scores.unanswered,
        score=evidence.measure.score_beside_correct(scores) if evidence.measure and evidence.measure.shows_score else None,
        rules=scores.rules,
        labels=scores.labels,
        tokens_untold=scores.tokens_untold,
    )


def _metrics(scores: Scores) -> dict[str, float]:
    """The metrics by name, with the fields that a script of the case gave."""
    fields = {f"{Metric.SCRIPT}: {name}": value for name, value in scores.fields.items()}
    return {metric.value: value for metric, value in scores.metrics.items()} | fields


def _approach(arm: ScoredArm, evidence: Evidence) -> str:
    """How an arm prompts and decodes, of several prompts of the case which one validation chose, and what a parser repaired."""
    asked = arm_of_row(arm.name)
    if asked != arm.name:
        repaired = sum(prediction.repaired is not None for prediction in arm.predictions)
        return f"the answers of {asked}, {repaired} of {len(arm.predictions)} repaired by a tolerant parser"
    summary, prompts = evidence.arm_facts[asked].summary, len(evidence.case.prompts)
    return f"{summary}, the best of your {prompts} prompts there" if asked == chosen_prompt(evidence.store) else summary


def _provenance(evidence: Evidence) -> ProvenanceSection:
    manifest, model = evidence.store.manifest, evidence.model
    external = [facts.summary for arm, facts in evidence.arm_facts.items() if arms_of(evidence.case)[arm].is_external]
    return ProvenanceSection(
        case_sha256=evidence.store.digest(CASE),
        eval_sha256=evidence.store.digest(part_file(Part.EVAL)) if evidence.counts else None,
        base=model.name if model else None,
        base_sha256=model.sha256 if model else None,
        adapter_sha256=artifacts.weights_digest(manifest.steps[StepId(StepKind.TRAIN)].files) if evidence.training else None,
        device=f"{model.device}, {model.dtype}" if model else None,
        endpoint=external[0] if external else None,
        generation=model.generation if model else None,
        versions=model.versions if model else {},
        steps={str(step): digest for step, digest in manifest.step_digests().items()},
    )
