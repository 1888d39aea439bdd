"""The answers about overfitting and style: graded again, and held against the frozen rows that they are about."""

from __future__ import annotations

from tuneproof.engine.behaviour.axis_case import AskedModel, answers_file, read_answers
from tuneproof.engine.behaviour.drift import ANSWERS, read_pairs
from tuneproof.engine.behaviour.memorising import read_completed
from tuneproof.engine.behaviour.overfitting import FACTS, AnswerSet, OverfittingFacts
from tuneproof.engine.behaviour.prompt_sets import prompt_set, prompts_sha256
from tuneproof.engine.card.verify_outside import check_outside_scores
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.case.task import Task
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Part
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.predictions import grade_again, read_predictions, to_jsonl


def check_overfitting(run: RunSnapshot, task: Task, grader: Grader, *, run_script: bool) -> int:
    """Returns the number of answers; 0 if it was not measured. Raises VerifyFailed for one that does not fit its row, or its grade."""
    record = run.manifest.steps.get(StepId(StepKind.OVERFITTING))
    if record is None:
        return 0
    facts, rows = OverfittingFacts.model_validate_json(run.read(FACTS)), {part: dict(run.part(part)) for part in Part}
    found = 0
    for kind in AnswerSet:
        if kind.file not in record.files:
            continue
        of = rows[Part.EVAL if kind is AnswerSet.COMPLETED_EVAL else Part.TRAIN]
        check = _check_completed(run, kind, of) if kind.is_completing else _check_scored(run, kind, of, task, grader, run_script=run_script)
        if check > facts.asked.get(kind, 0):
            raise VerifyFailed("it has more answers than were to be asked for", where=kind.file)
        found += check
    return found


def _check_scored(run: RunSnapshot, kind: AnswerSet, rows: dict[str, Example], task: Task, grader: Grader, *, run_script: bool) -> int:
    stored = read_predictions(run.read(kind.file))
    _check_ids(kind, [each.id for each in stored], rows)
    check_outside_scores(task, kind.file, stored, rows, grader, run_script=run_script)
    if run.read(kind.file) != to_jsonl(grade_again(each, grader, rows[each.id].output) for each in stored):
        raise VerifyFailed("the numbers do not follow from the stored files", where=kind.file)
    return len(stored)


def _check_completed(run: RunSnapshot, kind: AnswerSet, rows: dict[str, Example]) -> int:
    stored = read_completed(run.read(kind.file))
    _check_ids(kind, [each.id for each in stored], rows)
    for each in stored:
        if not each.given or each.given + each.left != rows[each.id].output:
            raise VerifyFailed(f"{each.id} is not the answer of its row", where=kind.file)
    return len(stored)


def _check_ids(kind: AnswerSet, ids: list[str], rows: dict[str, Example]) -> None:
    if len(set(ids)) < len(ids) or not set(ids) <= rows.keys():
        raise VerifyFailed("the rows are not the frozen ones, each once", where=kind.file)


def check_drift(run: RunSnapshot) -> int:
    """Returns the number of answers; 0 if style was not measured. Raises VerifyFailed for requests that are not those of tuneproof."""
    if StepId(StepKind.DRIFT) not in run.manifest.steps:
        return 0
    pairs = read_pairs(run.read(ANSWERS))
    ids = [pair.id for pair in pairs]
    record = run.manifest.steps[StepId(StepKind.DRIFT)]
    if record.inputs.settings.get("prompts") == prompts_sha256(Axis.INSTRUCTIONS):
        order = {case.id: at for at, case in enumerate(prompt_set(Axis.INSTRUCTIONS))}
        places = [order.get(each, -1) for each in ids]
        if -1 in places or places != sorted(set(places)):
            raise VerifyFailed("the requests are not those of tuneproof, in their order", where=ANSWERS)
    _check_shared(run, {pair.id: (pair.base.output, pair.tuned.output) for pair in pairs})
    return 2 * len(pairs)


def _check_shared(run: RunSnapshot, outputs: dict[str, tuple[str, str]]) -> None:
    """Where the axis `instructions` has answers to the same requests, these are the same answers."""
    axis = run.manifest.steps.get(StepId(StepKind.BEHAVIOUR, Axis.INSTRUCTIONS))
    for at, model in enumerate((AskedModel.BASE, AskedModel.TUNED)):
        name = answers_file(Axis.INSTRUCTIONS, model)
        if axis is None or name not in axis.files:
            continue
        given = {each.id: each.output for each in read_answers(run.read(name))}
        if any(given.get(case) != pair[at] for case, pair in outputs.items()):
            raise VerifyFailed(f"an answer is not the one in {name}", where=ANSWERS)
