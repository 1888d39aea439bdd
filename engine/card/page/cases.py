"""What tuning changed, case by case: fixed, still wrong, newly wrong, with a few of each in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuneproof.engine.audit.pii.masking import masked
from tuneproof.engine.card.evidence import Evidence
from tuneproof.engine.card.page.content import Answer, CaseGroup, PageSection, ShownCase
from tuneproof.engine.card.schema import Card
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Part
from tuneproof.engine.scoring.case_changes import CaseChange, ComparedCase, compare_cases
from tuneproof.engine.scoring.measure import ScoredArm
from tuneproof.engine.scoring.predictions import Prediction

SHOWN = 3
"""Cases of each kind that are shown in full."""

LISTED = 40
"""Ids of further cases that are listed."""

LONGEST = 20_000
"""Characters of one text that the page takes; the files of the run have all of it."""

MEANING = {
    CaseChange.NEWLY_WRONG: "right before, wrong after tuning",
    CaseChange.STILL_WRONG: "wrong before and after tuning",
    CaseChange.FIXED: "wrong before, right after tuning",
}


def changed_cases(card: Card, evidence: Evidence) -> PageSection | None:
    """The cases that the best untuned arm or the tuned one got wrong; before there is a tuned one, those of the untuned arm alone."""
    before = next((arm for arm in evidence.untuned if arm.name == card.verdict.best_untuned_arm), None)
    if before is None:
        return None
    asked = dict(evidence.store.part(Part.EVAL))
    if evidence.tuned is None:
        return _without_tuning(before, asked)
    cases = compare_cases(before.predictions, evidence.tuned.predictions)
    groups = [_group(change, [case for case in cases if case.change is change], before, evidence.tuned, asked) for change in CaseChange]
    counted = ", ".join(f"{group.count} {group.kind}" for group in reversed(groups))
    summary = f"{evidence.tuned.name} against {before.name}, on the cases that both answered: {counted}."
    return PageSection("What Tuning Changed", paragraphs=[summary], groups=groups)


def _without_tuning(arm: ScoredArm, asked: Mapping[str, Example]) -> PageSection:
    wrong = [prediction for prediction in arm.predictions if not prediction.correct and not prediction.unanswered]
    shown = [_case(each.id, asked, each.expected, [_answer(arm, each)]) for each in wrong[:SHOWN]]
    group = CaseGroup("wrong", len(wrong), shown, [each.id for each in wrong[SHOWN : SHOWN + LISTED]])
    summary = f"{len(wrong)} of {len(arm.predictions)} cases are wrong with {arm.name}, the best untuned arm."
    return PageSection("What Is Wrong", paragraphs=[summary], groups=[group])


def _group(
    change: CaseChange, cases: Sequence[ComparedCase], before: ScoredArm, after: ScoredArm, asked: Mapping[str, Example]
) -> CaseGroup:
    shown = [
        _case(case.before.id, asked, case.before.expected, [_answer(before, case.before), _answer(after, case.after)])
        for case in cases[:SHOWN]
    ]
    return CaseGroup(change, len(cases), shown, [case.before.id for case in cases[SHOWN : SHOWN + LISTED]])


def _case(case: str, asked: Mapping[str, Example], wanted: str, answers: Sequence[Answer]) -> ShownCase:
    return ShownCase(case, _text(asked[case].input), _text(wanted), answers)


def _answer(arm: ScoredArm, prediction: Prediction) -> Answer:
    fields = f": {', '.join(prediction.fields)}" if prediction.fields else ""
    verdict = "correct" if prediction.correct else f"{prediction.failure_class}{fields}"
    return Answer(arm.name, _text(prediction.answer), prediction.correct, verdict)


def _text(text: str) -> str:
    """A text of the data as the page may show it: a page is passed on, so private data and secrets are masked."""
    return masked(text)[:LONGEST] or "(nothing)"
