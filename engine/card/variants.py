"""The sections of the card about models trained besides the tuned one: merged, of other methods, and of the learning curve."""

from __future__ import annotations

from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.card.evidence import Evidence
from tuneproof.engine.card.learning_curve import WHOLE, CurvePoint, LearningCurveSection, make_curve
from tuneproof.engine.card.merged_model import ServedSection, TriedForm, make_served, not_merged, with_forms
from tuneproof.engine.card.method_comparison import ComparisonSection, Entrant, make_comparison
from tuneproof.engine.case.schema import Case
from tuneproof.engine.case.task import OutputKind
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.data.split import Part
from tuneproof.engine.data.subsets import SHARES, missing_labels, nested_subsets
from tuneproof.engine.methods.method import Ability
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run.artifacts import weights_digest
from tuneproof.engine.run.variants import MERGED
from tuneproof.engine.scoring.label_lists import label_list, labels_in
from tuneproof.engine.scoring.measure import ScoredArm


def served(evidence: Evidence) -> ServedSection | None:
    """The merged model against the tuned arm; None before it is scored, and if the case does not want it merged."""
    method, tuned = evidence.method, evidence.tuned
    if method is None or tuned is None or not evidence.case.evaluate.merged:
        return None
    if why := METHODS[method.name].unsupported.get(Ability.MERGE):
        return not_merged(why)
    if evidence.merged is None or evidence.measure is None:
        return None
    digest = weights_digest(evidence.store.manifest.steps[MERGED.weights_step].files, MERGED.model)
    served = make_served(evidence.measure, evidence.merged, tuned, digest)
    if evidence.merged_form is None:
        return served
    return with_forms(served, evidence.measure, tuned, TriedForm(evidence.merged_form, evidence.merged), evidence.tried_forms)


def comparison(evidence: Evidence) -> ComparisonSection | None:
    """The methods that the case compares; None before each is scored or found impossible."""
    method, tuned = evidence.method, evidence.tuned
    wanted = [each.name for each in evidence.case.evaluate.compare if method is None or each.name != method.name]
    if method is None or tuned is None or not wanted or not evidence.compared.keys() >= set(wanted):
        return None
    found = [evidence.compared[name] for name in wanted]
    if any(each.scored is None and each.method.skipped is None for each in found):
        return None
    named = Entrant(method, evidence.training, tuned)
    return make_comparison(evidence.measure, named, found) if evidence.measure else None


def learning_curve(evidence: Evidence) -> LearningCurveSection | None:
    """The learning curve; None if the case does not want it, and before all its points are scored."""
    case, tuned, parts = evidence.case, evidence.tuned, evidence.parts
    if not case.evaluate.learning_curve or case.data is None or tuned is None or parts is None or evidence.measure is None:
        return None
    train = parts[Part.TRAIN]
    subsets = nested_subsets(train, case.data.split.seed, case.data.split.group_by)
    if evidence.curve.keys() != subsets.keys():
        return None
    measured = [(subsets[share], share, arm) for share, arm in evidence.curve.items()]
    return make_curve(
        evidence.measure,
        [(_point(share, rows, train, arm, case), arm) for rows, share, arm in [*measured, (train, WHOLE, tuned)]],
        not_measured=[share for share in SHARES if share not in subsets],
    )


def _point(share: int, rows: list[Example], train: list[Example], arm: ScoredArm, case: Case) -> CurvePoint:
    return CurvePoint(
        share=share,
        examples=len(rows),
        correct=arm.scores.correct,
        format_valid=arm.scores.format_valid,
        missing_labels=[quoted(label) for label in _missing_labels(case, rows, train)],
    )


def _missing_labels(case: Case, rows: list[Example], train: list[Example]) -> list[str]:
    """The labels of train that do not occur in some of its rows; none if the outputs are no labels."""
    output = case.task.output if case.task else None
    if output is None or output.kind not in (OutputKind.CHOICE, OutputKind.LABELS):
        return []
    if output.kind is OutputKind.CHOICE:
        return missing_labels(rows, train)
    _, style = label_list(output, [row.output for row in train])
    here, everywhere = (set(labels_in([answer_of(row.output) for row in part], style)) for part in (rows, train))
    return sorted(everywhere - here)
