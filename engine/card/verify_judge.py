"""The verdicts of a judge, counted again without asking it: the pairs of its check, and the answers that it saw side by side."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.task import OutputKind
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.data.split import Part
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.judge_files import KNOWN, LABELLED, judgements_file, tuned_folder
from tuneproof.engine.run.manifest import Manifest
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.variants import seed_variant
from tuneproof.engine.scoring.judge_check import CheckedLabel, CheckedPair, KnownPair, checked_rows, known_pairs
from tuneproof.engine.scoring.judgement import JudgedCase, Judgement, without_asking
from tuneproof.engine.scoring.predictions import Prediction, can_be_scored, read_predictions


def check_judge(run: RunSnapshot) -> None:
    """Raises VerifyFailed for pairs that do not follow from the rows, and for verdicts that do not fit the answers they are about."""
    if StepId(StepKind.JUDGE) in run.manifest.steps:
        pairs = [CheckedPair.model_validate_json(line) for line in run.read(KNOWN).split("\n") if line]
        cases = checked_rows(run.part(Part.VALIDATION), run.part(Part.TRAIN))
        expected = known_pairs(list(cases.items()))
        if [KnownPair(**pair.model_dump(exclude={"judgement"})) for pair in pairs] != expected:
            raise VerifyFailed("the pairs are not those of the validation rows", where=KNOWN)
        for pair in pairs:
            _check_fits(pair.judgement, without_asking(pair.reference, pair.spoilt), pair.id, KNOWN)
        if LABELLED in run.manifest.steps[StepId(StepKind.JUDGE)].files:
            labelled = [CheckedLabel.model_validate_json(line) for line in run.read(LABELLED).split("\n") if line]
            for number, label in enumerate(labelled, 1):
                _check_fits(label.judgement, without_asking(label.a, label.b), f"pair {number}", LABELLED)
    for tuned, other in judged_pairs_of(run.manifest):
        _check_side_by_side(run, tuned, other)


def judged_pairs_of(manifest: Manifest) -> list[tuple[str, str]]:
    """The pairs of a tuned model and an untuned arm that the judge saw side by side. Raises VerifyFailed for a name that is no pair."""
    found = []
    for name in manifest.names(StepKind.JUDGED):
        tuned, _, other = name.partition(":")
        if not other:
            raise VerifyFailed(f"`judged {name}` is not a step of a run")
        found.append((tuned, other))
    return found


def answers_of(tuned: str) -> tuple[str, str]:
    """The predictions of the tuned arm or of a further training, and the folder of their verdicts."""
    if tuned == ArmName.TUNED:
        return artifacts.predictions_file(tuned), tuned_folder(tuned)
    variant = seed_variant(int(tuned.rpartition("_")[2]))
    return variant.predictions, variant.folder


def check_verdicts(name: str, stored: Sequence[Prediction]) -> None:
    """Every verdict in a file of predictions fits the answer and the reference that it is about."""
    for each in stored:
        if each.outside is not None and each.outside.judgement is not None:
            how = without_asking(each.answer, each.expected, first_whole=can_be_scored(each, OutputKind.TEXT))
            _check_fits(each.outside.judgement, how, each.id, name)


def _check_side_by_side(run: RunSnapshot, tuned: str, other: str) -> None:
    predictions, folder = answers_of(tuned)
    name = judgements_file(folder, other)
    ours = {each.id: each for each in read_predictions(run.read(predictions))}
    theirs = {each.id: each for each in read_predictions(run.read(artifacts.predictions_file(other)))}
    rows = [JudgedCase.model_validate_json(line) for line in run.read(name).split("\n") if line]
    if [row.id for row in rows] != [case for case in ours if not ours[case].unanswered and not theirs[case].unanswered]:
        raise VerifyFailed("the cases are not those that both answered", where=name)
    for row in rows:
        first, second = ours[row.id], theirs[row.id]
        whole = {"first_whole": can_be_scored(first, OutputKind.TEXT), "second_whole": can_be_scored(second, OutputKind.TEXT)}
        how = without_asking(first.answer, second.answer, **whole)
        _check_fits(row.judgement, how, row.id, name)


def _check_fits(judgement: Judgement, how: object, case: str, name: str) -> None:
    if judgement.not_asked != how:
        raise VerifyFailed(f"the verdict on {case} does not fit its answers", where=name)
