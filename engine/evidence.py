"""Making the card, only from what lies in the run folder, so that anyone can make it again and compare."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tuneproof.engine import facts
from tuneproof.engine.agreement import agreement
from tuneproof.engine.arms import TUNED, UNTUNED
from tuneproof.engine.audit.finding import Severity
from tuneproof.engine.audit.masking import quoted
from tuneproof.engine.audit.profile import profile
from tuneproof.engine.audit.report import Report, StoredFinding
from tuneproof.engine.card import Card, CardArm, DataShape, Decision, EvalSet, Method, Provenance, Risk
from tuneproof.engine.case import SAMPLE, Case, OutputKind
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.frozen import from_lines
from tuneproof.engine.data.split import Part
from tuneproof.engine.data.subsets import SHARES, missing_labels, nested_subsets
from tuneproof.engine.hashing import sha256_data
from tuneproof.engine.learning_curve import WHOLE, CurvePoint, LearningCurve, make_curve
from tuneproof.engine.route import REASONS, Route
from tuneproof.engine.run.store import CASE, STRADDLING, RunStore, part_file
from tuneproof.engine.scoring.graded import GRADED, GradedDifference, graded_difference
from tuneproof.engine.scoring.outputs import Judge, make_judge
from tuneproof.engine.scoring.predictions import Scores, read_predictions
from tuneproof.engine.scoring.statistics import fewest_cases, fewest_right, minimum_detectable_effect
from tuneproof.engine.verdict import Difference, ScoredArm, Verdict, best_of, decide, metric_of, p_value, points

SMALL_EVAL = 50
"""Below this many cases an interval is wider than most differences worth having."""

CURVE_STEP = "curve "
"""How the steps of the learning curve are called in the manifest, followed by the share of train."""

ARM_STEP = "arm "
"""How the steps of the arms are called in the manifest."""


@dataclass(frozen=True)
class Evidence:
    """What a run folder holds, read once; what is not there yet is none."""

    store: RunStore
    case: Case
    route: facts.RouteFacts
    report: Report | None
    parts: dict[Part, list[Example]] | None
    data: facts.DataFacts | None
    straddling: int
    model: facts.ModelFacts | None
    method: facts.MethodFacts | None
    training: facts.TrainingFacts | None
    untuned: list[ScoredArm]
    tuned: ScoredArm | None
    also_tuned: list[ScoredArm]
    curve: dict[int, ScoredArm]
    asked: dict[str, facts.ArmFacts]

    @property
    def counts(self) -> dict[Part, int] | None:
        """How many rows each part has."""
        return {part: len(rows) for part, rows in self.parts.items()} if self.parts else None


def gather(store: RunStore) -> Evidence:
    """Everything the card rests on."""
    steps = store.manifest.steps
    done = {name.removeprefix(ARM_STEP) for name in steps if name.startswith(ARM_STEP)}
    tuned, *also_tuned = [_scored_arm(store, name) if name in done else None for name in TUNED]
    return Evidence(
        store=store,
        case=store.case,
        route=facts.RouteFacts.model_validate_json(store.read(facts.ROUTE)),
        report=Report.model_validate_json(store.read(facts.AUDIT)) if "audit" in steps else None,
        parts={part: [example for _, example in store.part(part)] for part in Part} if "split" in steps else None,
        data=facts.DataFacts.model_validate_json(store.read(facts.DATA)) if "audit" in steps else None,
        straddling=len(from_lines(store.read(STRADDLING))) if store.has(STRADDLING) else 0,
        model=facts.ModelFacts.model_validate_json(store.read(facts.MODEL)) if "model" in steps else None,
        method=facts.MethodFacts.model_validate_json(store.read(facts.METHOD)) if "method" in steps else None,
        training=facts.TrainingFacts.model_validate_json(store.read(facts.TRAINING)) if "train" in steps else None,
        untuned=[_scored_arm(store, name) for name in UNTUNED if name in done],
        tuned=tuned,
        also_tuned=[arm for arm in also_tuned if arm is not None],
        curve={share: _scored_point(store, share) for share in SHARES if f"{CURVE_STEP}{share}" in steps},
        asked={name: facts.ArmFacts.model_validate_json(store.read(facts.arm_file(name))) for name in done},
    )


def make_card(store: RunStore) -> Card:
    """The card of a run as far as it has come."""
    evidence = gather(store)
    verdict = decide(
        evidence.untuned,
        evidence.tuned,
        evidence.case.task,
        evidence.case.target,
        _missing(evidence),
        also_tuned=evidence.also_tuned,
        graded=_graded(evidence),
    )
    return Card(
        name=evidence.case.name,
        decision=_decision(evidence, verdict),
        data_shape=_data_shape(evidence),
        method=_method(evidence),
        eval_set=_eval_set(evidence),
        learning_curve=_learning_curve(evidence),
        risk=_risk(evidence, verdict),
        verdict=verdict,
        arms=[_arm(arm, evidence) for arm in _arms(evidence)],
        provenance=_provenance(evidence),
    )


def _scored_arm(store: RunStore, arm: str) -> ScoredArm:
    kind = {**UNTUNED, **TUNED}[arm]
    return _scored(store, facts.scores_file(arm), facts.predictions_file(arm), is_elsewhere=kind.is_elsewhere)


def _scored_point(store: RunStore, share: int) -> ScoredArm:
    return _scored(store, facts.curve_file(share, "scores.json"), facts.curve_file(share, "predictions.jsonl"))


def _scored(store: RunStore, scores: str, predictions: str, *, is_elsewhere: bool = False) -> ScoredArm:
    return ScoredArm(Scores.model_validate_json(store.read(scores)), read_predictions(store.read(predictions)), is_elsewhere=is_elsewhere)


def _arms(evidence: Evidence) -> list[ScoredArm]:
    return [*evidence.untuned, *([evidence.tuned] if evidence.tuned else []), *evidence.also_tuned]


def _missing(evidence: Evidence) -> list[str]:
    """What the verdict would need and the run does not have."""
    missing = []
    if evidence.counts is None:
        missing.append("data")
    if not evidence.untuned:
        missing.append("prompt baseline")
    if evidence.tuned is None:
        missing.append("tuned arm")
    return missing


def _judge(evidence: Evidence) -> Judge | None:
    task, parts = evidence.case.task, evidence.parts
    return make_judge(task, [example.output for example in parts[Part.TRAIN]]) if task and parts else None


def _graded(evidence: Evidence) -> GradedDifference | None:
    """The difference in the target's or the task's metric, where that gives part of the credit."""
    task, judge, best = evidence.case.task, _judge(evidence), best_of(evidence.untuned)
    if task is None or judge is None or best is None or evidence.tuned is None or evidence.parts is None:
        return None
    metric = metric_of(task, evidence.case.target)
    key = evidence.case.data.split.group_by if evidence.case.data else None
    groups = [json.dumps(case.metadata.get(key), sort_keys=True) for case in evidence.parts[Part.EVAL]] if key else None
    return graded_difference(metric, evidence.tuned.predictions, best.predictions, judge, groups)


def _decision(evidence: Evidence, verdict: Verdict) -> Decision:
    answers = evidence.case.decision.model_dump()
    answers["labeled_examples"] = evidence.route.labeled_examples
    overruled = evidence.method.despite if evidence.method else []
    told = f" Overruled: {'; '.join(overruled)}." if overruled else ""
    measured = agreement(evidence.route.route, _arms(evidence), verdict)
    told += f" {measured}" if measured else ""
    return Decision(
        summary=f"{evidence.route.route}. {REASONS[evidence.route.route]}{told}",
        route=evidence.route.route,
        answers=answers,
        overruled=overruled,
        measured=measured,
    )


def _data_shape(evidence: Evidence) -> DataShape | None:
    report, counts, parts = evidence.report, evidence.counts, evidence.parts
    if report is None or counts is None or parts is None:
        return None
    train, validation = counts[Part.TRAIN], counts[Part.VALIDATION]
    findings = {severity.value: report.count(severity) for severity in Severity}
    shapes = ", ".join(f"{file} ({shape})" for file, shape in report.shapes.items())
    found = f"{findings['block']} blocking findings, {findings['warn']} warnings"
    found += f", {report.accepted} accepted" if report.accepted else ""
    return DataShape(
        summary=f"{report.counts.rows} examples from {shapes}: {train} to train on, {validation} to validate with, "
        f"{len(report.left_out) + evidence.straddling} left out; {found}.",
        files=report.shapes,
        rows=report.counts.rows,
        duplicate_rows=report.counts.duplicate_rows.norm,
        conflict_rows=report.counts.conflict_rows.norm,
        left_out=len(report.left_out) + evidence.straddling,
        train=train,
        validation=validation,
        findings=findings,
        profile=profile(parts[Part.TRAIN], parts[Part.VALIDATION], parts[Part.EVAL], _judge(evidence), evidence.data),
    )


def _method(evidence: Evidence) -> Method | None:
    chosen, training = evidence.method, evidence.training
    if chosen is None:
        return None
    if chosen.skipped is not None:
        summary = f"None: {chosen.skipped}."
    elif training is None:
        summary = f"{chosen.name} is planned and not trained yet: {chosen.why}."
    else:
        share = 100 * training.trained_parameters / training.all_parameters
        summary = (
            f"{chosen.name}, {chosen.trains}: {training.trained_parameters:,} of {training.all_parameters:,} parameters "
            f"({share:.1f} %), {training.steps} steps on {training.examples} examples; step {training.best_step} was best on "
            f"{training.validation_cases} validation cases. Chosen because {chosen.why}."
        )
    return Method(
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


def _eval_set(evidence: Evidence) -> EvalSet | None:
    if evidence.counts is None:
        return None
    n = evidence.counts[Part.EVAL]
    digest = evidence.store.digest(part_file(Part.EVAL))
    effect = round(minimum_detectable_effect(n), 6)
    target = _counted_target(evidence.case)
    needed, right = (fewest_cases(target), fewest_right(n, target)) if target else (None, None)
    return EvalSet(
        summary=f"{n} cases frozen before anything ran (sha256 {digest[:12]}…); they can show a difference of about "
        f"{100 * effect:.0f} points.{_can_show_target(target, n, needed, right)}",
        n=n,
        sha256=digest,
        metric=evidence.case.task.measured_by if evidence.case.task else None,
        minimum_detectable_effect=effect,
        fewest_cases_for_target=needed,
        fewest_right_for_target=right,
    )


def _learning_curve(evidence: Evidence) -> LearningCurve | None:
    """The curve, where it was asked for and everything it needs has been measured."""
    case, tuned, parts = evidence.case, evidence.tuned, evidence.parts
    if not case.evaluate.learning_curve or case.data is None or tuned is None or parts is None:
        return None
    train = parts[Part.TRAIN]
    subsets = nested_subsets(train, case.data.split.seed, case.data.split.group_by)
    if evidence.curve.keys() != subsets.keys():
        return None
    measured = [(subsets[share], share, arm) for share, arm in evidence.curve.items()]
    return make_curve(
        [(_point(share, rows, train, arm, case), arm) for rows, share, arm in [*measured, (train, WHOLE, tuned)]],
        not_measured=[share for share in SHARES if share not in subsets],
    )


def _point(share: int, rows: list[Example], train: list[Example], arm: ScoredArm, case: Case) -> CurvePoint:
    is_choice = case.task is not None and case.task.output.kind is OutputKind.CHOICE
    return CurvePoint(
        share=share,
        examples=len(rows),
        correct=arm.scores.correct,
        format_valid=arm.scores.format_valid,
        missing_labels=[quoted(label) for label in missing_labels(rows, train)] if is_choice else [],
    )


def _counted_target(case: Case) -> float | None:
    """The target, where its metric is the share of cases that are right."""
    if case.target is None or case.task is None or metric_of(case.task, case.target) in GRADED:
        return None
    return case.target.at_least


def _can_show_target(target: float | None, n: int, needed: int | None, right: int | None) -> str:
    if target is None:
        return ""
    if right is not None:
        return f" {right} of {n} right would show that {target:g} is met, with 95 % confidence."
    enough = f"it takes {needed:,} cases" if needed else "no number of cases can"
    return f" Not even {n} of {n} right would show that {target:g} is met, with 95 % confidence: {enough}."


def _risk(evidence: Evidence, verdict: Verdict) -> Risk:
    items = [*_data_risks(evidence), *_model_risks(evidence, verdict)]
    return Risk(summary=items[0] if items else "Nothing was seen that speaks against the verdict.", items=items)


def _data_risks(evidence: Evidence) -> list[str]:
    items = []
    n = evidence.counts[Part.EVAL] if evidence.counts else 0
    stated = evidence.case.decision.labeled_examples
    if evidence.report and stated is not None and stated != evidence.report.counts.rows:
        items.append(f"The case says {stated} labelled examples; its files have {evidence.report.counts.rows}.")
    if evidence.counts and n < SMALL_EVAL:
        items.append(f"{n} eval cases are few: only a large difference can be seen.")
    target = _counted_target(evidence.case)
    if n and target and target < 1 and fewest_right(n, target) is None:
        items.append(f"{n} eval cases are too few to show that the target of {target:g} is met, whatever the score.")
    if evidence.straddling:
        items.append(f"{evidence.straddling} rows were left out because a later part has their input, or nearly.")
    if evidence.report:
        items += [f"Data, {f.check}: {f.message}{_done_about(f)}." for f in evidence.report.findings if f.severity is not Severity.INFO]
    items += [
        f"{arm.name}: {arm.scores.truncated} of {arm.scores.n} answers were cut off before they ended."
        for arm in _arms(evidence)
        if arm.scores.truncated
    ]
    return items + [risk for arm in _arms(evidence) for risk in _server_risks(arm.scores)]


def _server_risks(scores: Scores) -> list[str]:
    """What a server left out: answers, or how many tokens they had."""
    items = []
    if scores.unanswered:
        reasons = ", ".join(f"{count} × {reason}" for reason, count in scores.unanswered.items())
        told = f"{scores.arm}: {sum(scores.unanswered.values())} of {scores.asked} cases have no answer ({reasons})"
        items.append(f"{told}; they count neither as right nor as wrong.")
    if scores.tokens_untold:
        items.append(f"{scores.arm}: the server did not tell the tokens of {scores.tokens_untold} of {scores.n} answers.")
    return items


def _done_about(finding: StoredFinding) -> str:
    if finding.accepted is not None:
        return f" (accepted: {finding.accepted})"
    return " (left out)" if finding.left_out else ""


def _model_risks(evidence: Evidence, verdict: Verdict) -> list[str]:
    items = []
    if evidence.model and evidence.model.name == SAMPLE:
        items.append("The base is the small sample model: this shows that the program works, not what a real model would do.")
    if evidence.model and not evidence.model.chat_template:
        items.append("The base has no chat template; a plain one was used for every arm.")
    if verdict.difference and verdict.difference.only_untuned_right:
        newly, change = verdict.difference.only_untuned_right, points(verdict.difference)
        items.append(f"Cases that {verdict.best_untuned_arm} answers and that are wrong after tuning: {newly} ({change} in all).")
    if verdict.difference and _is_thin(verdict.difference):
        told = p_value(verdict.difference.p_value_exact)
        items.append(f"The interval leaves zero out, the exact test does not ({told}): so few cases are thin evidence.")
    if evidence.tuned:
        items.append("What tuning cost outside this task was not measured.")
    if evidence.route.route is not Route.FINE_TUNING and evidence.tuned:
        items.append(f"The answers route to `{evidence.route.route}`; training was asked for all the same.")
    return items


def _is_thin(difference: Difference) -> bool:
    """Whether interval and exact test disagree, as they do where only a handful of cases tell the arms apart."""
    return not difference.low <= 0 <= difference.high and difference.p_value_exact >= 0.05


def _arm(arm: ScoredArm, evidence: Evidence) -> CardArm:
    scores = arm.scores
    return CardArm(
        arm=scores.arm,
        n=scores.n,
        format_valid=scores.format_valid,
        correct=scores.correct,
        metrics={metric.value: value for metric, value in scores.metrics.items()},
        failures={failure.value: count for failure, count in scores.failures.items()},
        truncated=scores.truncated,
        tokens_per_case=scores.tokens_per_case,
        seconds_per_case=scores.seconds_per_case,
        usd_per_1000_requests={**UNTUNED, **TUNED}[arm.name].usd_per_1000_requests(evidence.case, scores),
        asked=evidence.asked[arm.name].told,
        recall=scores.recall,
        left_out=scores.left_out,
        unanswered=scores.unanswered,
        tokens_untold=scores.tokens_untold,
    )


def _provenance(evidence: Evidence) -> Provenance:
    manifest, model = evidence.store.manifest, evidence.model
    trained = manifest.steps["train"].files if evidence.training else {}
    weights = [trained[name] for name in facts.trained_weights(trained)]
    elsewhere = [asked.told for arm, asked in evidence.asked.items() if {**UNTUNED, **TUNED}[arm].is_elsewhere]
    return Provenance(
        case_sha256=evidence.store.digest(CASE),
        eval_sha256=evidence.store.digest(part_file(Part.EVAL)) if evidence.counts else None,
        base=model.name if model else None,
        base_sha256=model.sha256 if model else None,
        adapter_sha256=weights[0] if len(weights) == 1 else sha256_data(weights) if weights else None,
        device=f"{model.device}, {model.dtype}" if model else None,
        endpoint=elsewhere[0] if elsewhere else None,
        versions=model.versions if model else {},
        steps=manifest.digest_before("card"),
    )
