"""The judge is checked before any arm answers, and asked about the tuned arm's answers beside those of the untuned arms after them.

Only the worker imports this. Writes `judge.json`, `judge/known.jsonl`, `judge/labelled.jsonl`, and a `judgements_….jsonl` for each pair.
"""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.card.evidence import gather
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.task import Metric, OutputKind
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.core.hashing import sha256_text
from tuneproof.engine.core.text_file import TextFileError, read_text_file
from tuneproof.engine.data.split import Part
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.events import Warned
from tuneproof.engine.run.judge_files import JUDGE, KEPT, KNOWN, LABELLED, judgements_file, tuned_folder, variant_folder
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import part_file
from tuneproof.engine.run.variants import seed_variant
from tuneproof.engine.run.work import Unit, Work
from tuneproof.engine.scoring.judge_check import (
    CheckedLabel,
    CheckedPair,
    LabelledPair,
    checked_rows,
    judge_check,
    known_pairs,
    read_labelled,
)
from tuneproof.engine.scoring.judge_prompt import Pair, request_text
from tuneproof.engine.scoring.judgement import JudgedCase
from tuneproof.engine.scoring.predictions import can_be_scored, read_predictions, to_jsonl
from tuneproof.engine.stages.judge import JudgeScorer
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext

MOST_LABELLED_BYTES = 8 << 20
"""Bytes of a file of labelled pairs."""


def check_judge(run: RunContext, model: ModelContext) -> None:
    """Asks the judge about pairs whose better answer is known, and says so if it may not decide.

    Raises CaseError for a file of labelled pairs that is none.
    """
    judge = model.judge
    if judge is None:
        return
    store, labelled = run.store, _labelled(run)
    settings = {**judge.inputs, "task": model.task.sha256}
    if labelled is not None:
        settings["labelled"] = sha256_text(to_jsonl(labelled))
    inputs, step = store.inputs([part_file(Part.VALIDATION), part_file(Part.TRAIN)], settings), StepId(StepKind.JUDGE)
    if store.is_done(step, inputs):
        return
    cases = checked_rows(store.part(Part.VALIDATION), store.part(Part.TRAIN))
    known, by_id = known_pairs(list(cases.items())), cases
    instruction = model.task.instruction or ""
    pairs = [Pair(request_text(by_id[each.id], instruction), each.reference, each.spoilt) for each in known]
    pairs += [Pair(each.request, each.a, each.b, each.reference) for each in labelled or []]
    with working(run.log, Work.SCORING, "the judge's check", of=len(pairs), unit=Unit.ANSWERS) as report:
        verdicts = judge.judge(pairs, model.scorer.progress(report))
    checked = [CheckedPair(**each.model_dump(), judgement=verdict) for each, verdict in zip(known, verdicts, strict=False)]
    files = {JUDGE: judge.facts.as_text(), KNOWN: to_jsonl(checked)}
    labels = None
    if labelled is not None:
        labels = [
            CheckedLabel(**each.model_dump(), judgement=verdict) for each, verdict in zip(labelled, verdicts[len(known) :], strict=True)
        ]
        files[LABELLED] = to_jsonl(labels)
    store.write_step(step, inputs, files)
    problem = judge_check(checked, labels).problem
    if problem is not None:
        run.log.emit(Warned(message=f"{problem}: it may not decide, and the verdict will be inconclusive"), sync=True)


def _labelled(run: RunContext) -> list[LabelledPair] | None:
    judge = run.case.judge
    if judge is None or judge.labelled is None:
        return None
    where, fix = f"judge.labelled: {judge.labelled}", "write one JSON object a line, with request, a, b and better (a, b or tie)"
    try:
        return read_labelled(read_text_file(Path(judge.labelled), MOST_LABELLED_BYTES))
    except FileNotFoundError:
        raise CaseError("there is no such file", where=where, fix=fix) from None
    except TextFileError as error:
        raise CaseError(f"it cannot be read: {error}", where=where, fix=error.fix or fix) from None
    except ValueError as error:
        raise CaseError(str(error), where=where, fix=fix) from None


def judge_tuned_arm(run: RunContext, model: ModelContext) -> bool:
    """Asks the judge about the tuned arm's answers, of every seed, beside those of each untuned arm that ranks.

    Returns whether all of it was done before.
    """
    judge = model.judge
    if judge is None:
        return True
    # Where another metric of the task decides, answers are only judged against the reference.
    done = model.measure.metric is not Metric.PREFERENCE or _judge_side_by_side(run, model, judge)
    (run.store.path / KEPT).unlink(missing_ok=True)
    return done


def _judge_side_by_side(run: RunContext, model: ModelContext, judge: JudgeScorer) -> bool:
    evidence = gather(RunSnapshot(run.store), untuned_only=True)
    assert evidence.measure is not None
    ranking = [arm.name for arm in evidence.measure.arms(evidence.untuned) if arm.ranks]
    steps = run.store.manifest.steps
    tuned = {ArmName.TUNED.value: (artifacts.predictions_file(ArmName.TUNED), tuned_folder(ArmName.TUNED))}
    for number in range(2, run.case.evaluate.seeds + 1):
        variant = seed_variant(number)
        if variant.scores_step in steps:
            tuned[variant.name] = (variant.predictions, variant_folder(variant))
    reused = [_judge_pair(run, model, judge, name, *place, other) for name, place in tuned.items() for other in ranking]
    return all(reused)


def _judge_pair(run: RunContext, model: ModelContext, judge: JudgeScorer, tuned: str, predictions: str, folder: str, other: str) -> bool:
    store, step = run.store, StepId(StepKind.JUDGED, f"{tuned}:{other}")
    others = artifacts.predictions_file(other)
    inputs = store.inputs([predictions, others, part_file(Part.EVAL)], {**judge.inputs, "task": model.task.sha256})
    if store.is_done(step, inputs):
        return True
    cases = dict(store.part(Part.EVAL))
    against = {each.id: each for each in read_predictions(store.read(others))}
    both = [each for each in read_predictions(store.read(predictions)) if not each.unanswered and not against[each.id].unanswered]
    pairs = [
        Pair(
            request_text(cases[each.id], model.task.instruction or ""),
            each.answer,
            against[each.id].answer,
            cases[each.id].output,
            can_be_scored(each, OutputKind.TEXT),
            can_be_scored(against[each.id], OutputKind.TEXT),
        )
        for each in both
    ]
    with working(run.log, Work.SCORING, f"{tuned} against {other}", of=len(pairs), unit=Unit.ANSWERS) as report:
        verdicts = judge.judge(pairs, model.scorer.progress(report))
    rows = [JudgedCase(id=each.id, judgement=verdict) for each, verdict in zip(both, verdicts, strict=True)]
    store.write_step(step, inputs, {judgements_file(folder, other): to_jsonl(rows)})
    return False
