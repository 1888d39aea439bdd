"""Recomputing every number and digest of a run from its stored files, and naming the first file that differs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from tuneproof.engine.arms import arms_of, untuned_arms
from tuneproof.engine.card.schema import CARD_JSON
from tuneproof.engine.card.verify_base import BaseCheck, check_base
from tuneproof.engine.card.verify_behaviour import check_behaviour
from tuneproof.engine.card.verify_card import check_card
from tuneproof.engine.card.verify_files import check_files, other_files
from tuneproof.engine.card.verify_judge import check_judge
from tuneproof.engine.card.verify_libraries import other_libraries
from tuneproof.engine.card.verify_outside import ScriptCheck, check_outside_scores
from tuneproof.engine.card.verify_overfitting import check_drift, check_overfitting
from tuneproof.engine.card.verify_training import check_training
from tuneproof.engine.case.arm_names import ArmName, with_repair
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.case.route import RouteAnswers, choose_route
from tuneproof.engine.case.schema import Case
from tuneproof.engine.case.script_metric import ScriptMetric
from tuneproof.engine.case.task import Task
from tuneproof.engine.core.errors import CaseError, DataRefused, GateClosed, VerifyFailed
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Part, case_ids
from tuneproof.engine.data.subsets import nested_subsets, rows_digest
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.manifest import Manifest
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import CASE, EVENTS, MANIFEST, RunStore, part_file
from tuneproof.engine.run.variants import CURVE, ModelVariant, ServedForm, scored_variants, tried_form, tried_forms
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.measure import Measure
from tuneproof.engine.scoring.predictions import (
    failure_log,
    grade_again,
    prompts_digest,
    read_predictions,
    repair_predictions,
    to_jsonl,
    with_outside_score,
)
from tuneproof.engine.scoring.repair import LIBRARY, make_repair
from tuneproof.engine.scoring.scores import Scores, score_predictions
from tuneproof.engine.scoring.variant_selection import VariantPrediction, best_variant, read_variant_predictions, score_variants

UNEXPECTED_CONTENT = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RecursionError)
"""What recomputing raises from files that no run wrote: they parse, and contradict each other."""


@dataclass(frozen=True)
class Verified:
    """What was checked: files by their digests, the number of predictions graded again, and a phrase about the base model.

    That numbers follow from stored answers does not show that a model gave these answers; `reproduce` decodes them again.
    """

    rests_on: list[str]
    """The files that the numbers of the card were computed from again, by their paths in the run folder; each has its recorded digest."""
    only_digest: list[str]
    """The files that have their recorded digest, and that nothing on the card is computed from, such as weights."""
    not_read: list[str]
    """The other files in the folder."""
    left_out: list[str]
    """The files of models that are not in this copy of the run: they were not checked."""
    predictions: int
    base: BaseCheck
    other_version: str | None
    """The version that wrote the card, if it is not this one: then its sentences and `card.md` are not compared."""
    verdict_checked: bool = True
    """Whether the verdict was computed again; not if it was found by the rules of an earlier version."""
    script: ScriptCheck = ScriptCheck.NO_SCRIPT
    """Whether the script of the case was run again; if not, everything was computed from the scores that it gave in the run."""

    @property
    def files(self) -> int:
        """The number of files that have their recorded digest."""
        return len(self.rests_on) + len(self.only_digest)


def open_stored(path: Path) -> RunStore:
    """A folder that has at least a part of a run: what is missing is for `verify` to say. Raises UsageError if it has nothing of one."""
    parts = (MANIFEST, CASE, EVENTS, CARD_JSON)
    return RunStore(path) if any((path / part).is_file() for part in parts) else RunStore.open(path)


def verify(store: RunStore, *, run_script: bool = False) -> Verified:
    """Checks a run that has a card. Raises VerifyFailed with the first file that is not what it should be.

    The script of a case is only run with `run_script`: a run folder may come from somebody else, and a script is code.
    """
    run = RunSnapshot(store)
    try:
        return _verify(run, run_script)
    except (GateClosed, CaseError, DataRefused) as error:
        raise VerifyFailed(error.what, where=_in_folder(run, error.where)) from None
    except OSError as error:
        raise VerifyFailed(f"cannot be read: {error.strerror}", where=_in_folder(run, str(error.filename or run.last_read))) from None
    except UNEXPECTED_CONTENT as error:
        # The file has its recorded digest, so the manifest was changed together with it, unless what reads it has a defect: nothing tells.
        fix = "restore the run from a copy; if nobody has changed the folder, tuneproof is wrong and not the run: report it"
        raise VerifyFailed(f"the file has unexpected content ({_in_words(error)})", where=run.last_read, fix=fix) from error


def _verify(run: RunSnapshot, run_script: bool) -> Verified:
    left_out = check_files(run)
    _check_manifest(run)
    base = check_base(run)
    _check_route(run)
    predictions = sum(_check_arm(run, arm, run_script) for arm in _arms(run))
    variants = [*scored_variants(run.manifest), *map(tried_form, tried_forms(run.manifest))]
    predictions += sum(_check_variant(run, each, run_script) for each in variants)
    predictions += sum(_check_repaired(run, arm, run_script) for arm in run.manifest.names(StepKind.REPAIRED_SCORES))
    check_judge(run)
    predictions += check_behaviour(run) + check_drift(run)
    if run.case.task is not None:
        predictions += check_overfitting(run, run.case.task, _grader(run, run.case.task), run_script=run_script)
    _check_shares(run)
    _check_failures(run)
    check_training(run, left_out)
    for part in Part:
        if StepId(StepKind.SPLIT) in run.manifest.steps:
            _check_ids(part, run.part(part))
    other_version, verdict_checked = check_card(run)
    recorded = {MANIFEST, *run.manifest.written()} - left_out
    rests_on = recorded & {CASE, *run.files_read}
    has_script = run.case.task is not None and isinstance(run.case.task.metric, ScriptMetric)
    script = ScriptCheck.NO_SCRIPT if not has_script else ScriptCheck.RUN if run_script else ScriptCheck.NOT_RUN
    return Verified(
        rests_on=sorted(rests_on),
        only_digest=sorted(recorded - rests_on),
        not_read=sorted(other_files(run)),
        left_out=sorted(left_out),
        predictions=predictions,
        base=base,
        other_version=other_version,
        verdict_checked=verdict_checked,
        script=script,
    )


def _in_folder(run: RunSnapshot, where: str) -> str:
    """The path of a file as the manifest names it, if it is in the run folder."""
    return where.removeprefix(f"{run.path}/")


def _in_words(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first["loc"] else first["msg"]
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def _check_manifest(run: RunSnapshot) -> None:
    """The manifest is written as it always is, its steps are known, and the inputs of each step are what is there."""
    manifest = run.manifest
    if manifest.as_text() != run.read(MANIFEST):
        raise VerifyFailed("the file is not what the run wrote", where=MANIFEST)
    for step in manifest.steps:
        if not _is_known(step, run.case):
            raise VerifyFailed(f"`{step}` is not a step of a run", where=MANIFEST)
    written = manifest.written()
    for step, record in manifest.steps.items():
        wrong = [file for file, digest in record.inputs.files.items() if written.get(file) != digest]
        if wrong:
            raise VerifyFailed(f"the step `{step}` was made from another {wrong[0]}", where=MANIFEST)
    _check_steps_of_card(manifest)


def _is_known(step: StepId, case: Case) -> bool:
    """Whether the name of a step is that of an arm, a method, or a share of this version."""
    match step.kind:
        case StepKind.ARM:
            return step.name in arms_of(case)
        case StepKind.REPAIRED_SCORES:
            return step.name in untuned_arms(case)
        case StepKind.COMPARED_METHOD | StepKind.COMPARED_TRAIN | StepKind.COMPARED_SCORES:
            return step.name in METHODS
        case StepKind.CURVE_TRAIN | StepKind.CURVE_SCORES:
            return step.name in map(str, CURVE)
        case StepKind.JUDGED:
            tuned, _, other = step.name.partition(":")
            return other in untuned_arms(case) and re.fullmatch(rf"{ArmName.TUNED}(_seed_[0-9]+)?", tuned) is not None
        case StepKind.BEHAVIOUR:
            return step.name in list(Axis)
        case StepKind.SEED_TRAIN | StepKind.SEED_SCORES:
            return step.name.isdecimal()
        case StepKind.FORM_SCORES:
            return step.name in list(ServedForm)
        case _:
            return True


def _check_steps_of_card(manifest: Manifest) -> None:
    """The card rests on every other step as it is recorded."""
    recorded, now = manifest.steps[StepId(StepKind.CARD)].inputs.steps, manifest.step_digests()
    wrong = [step for step in recorded.keys() | now.keys() if recorded.get(step) != now.get(step)]
    if wrong:
        raise VerifyFailed(f"the step `card` was made from another {min(map(str, wrong))}", where=MANIFEST)


def _check_route(run: RunSnapshot) -> None:
    stored = artifacts.RouteFacts.model_validate_json(run.read(artifacts.ROUTE))
    answers = {**run.case.decision.model_dump(), "labeled_examples": stored.labeled_examples}
    _same(
        run,
        artifacts.ROUTE,
        artifacts.RouteFacts(route=choose_route(RouteAnswers(**answers)), labeled_examples=stored.labeled_examples).as_text(),
    )


def _arms(run: RunSnapshot) -> list[str]:
    return run.manifest.names(StepKind.ARM)


def _check_arm(run: RunSnapshot, arm: str, run_script: bool) -> int:
    """Grades the answers of an arm again, and those that chose its prompt variant. Returns the number of predictions."""
    checked = _check_answers(run, StepId.arm(arm), arm, artifacts.predictions_file(arm), artifacts.scores_file(arm), run_script)
    _check_choice(run, arm, Measure(_task(run), run.case.target, _grader(run, _task(run))), run_script)
    return checked


def _check_answers(run: RunSnapshot, step: StepId, arm: str, predictions: str, scores: str, run_script: bool) -> int:
    """Grades every stored output again, and scores the arm again; seconds were measured, and are taken as stored."""
    task = _task(run)
    grader, cases = _grader(run, task), dict(run.part(Part.EVAL))
    stored = read_predictions(run.read(predictions))
    if [p.id for p in stored] != list(cases):
        raise VerifyFailed("the cases are not the frozen ones", where=predictions)
    check_outside_scores(task, predictions, stored, cases, grader, run_script=run_script)
    again = [grade_again(p, grader, cases[p.id].output) for p in stored]
    _same(run, predictions, to_jsonl(again), other_libraries)
    seconds = Scores.model_validate_json(run.read(scores)).seconds
    _same(run, scores, score_predictions(arm, again, task.metrics, grader, seconds).model_dump_json(indent=1) + "\n", other_libraries)
    if run.manifest.steps[step].digests.get("prompts") != prompts_digest(again):
        raise VerifyFailed(f"the prompts of {arm} do not have the recorded digest", where=MANIFEST)
    return len(again)


def _check_repaired(run: RunSnapshot, arm: str, run_script: bool) -> int:
    """Repairs the answers of an arm again, and scores them again; with another version of the library, from the stored repaired texts."""
    row, outputs, task = with_repair(arm), [example.output for _, example in run.part(Part.TRAIN)], _task(run)
    grader, repair = _grader(run, task), make_repair(task, outputs, _grader(run, task), run.grading_rules)
    recorded = artifacts.ModelFacts.model_validate_json(run.read(artifacts.MODEL)).versions.get(LIBRARY)
    stored = {each.id: each for each in read_predictions(run.read(artifacts.predictions_file(row)))}
    if recorded != version(LIBRARY):
        repair = {each.output: each.repaired for each in stored.values()}.get
    again = repair_predictions(read_predictions(run.read(artifacts.predictions_file(arm))), repair, grader)
    again = [
        with_outside_score(each, outside, grader) if each.repaired is not None and (outside := stored[each.id].outside) else each
        for each in again
    ]
    check_outside_scores(task, artifacts.predictions_file(row), again, dict(run.part(Part.EVAL)), grader, run_script=run_script)
    _same(run, artifacts.predictions_file(row), to_jsonl(again))
    seconds = Scores.model_validate_json(run.read(artifacts.scores_file(arm))).seconds
    scores = score_predictions(row, again, task.metrics, grader, seconds)
    _same(run, artifacts.scores_file(row), scores.model_dump_json(indent=1) + "\n")
    return len(again)


def _check_variant(run: RunSnapshot, variant: ModelVariant, run_script: bool) -> int:
    """Grades the answers of a model variant again; its prompts are those of the tuned arm."""
    steps = run.manifest.steps
    checked = _check_answers(run, variant.scores_step, variant.name, variant.predictions, variant.scores, run_script)
    tuned = steps.get(StepId.arm(ArmName.TUNED))
    if tuned is None or steps[variant.scores_step].digests["prompts"] != tuned.digests["prompts"]:
        raise VerifyFailed("the prompts are not those of the tuned arm", where=variant.predictions)
    if variant.weights_step not in steps:
        raise VerifyFailed(f"no step says how {variant.name} was trained", where=MANIFEST)
    return checked


def _check_shares(run: RunSnapshot) -> None:
    """Each point of the learning curve was trained on its share of train."""
    steps, data = run.manifest.steps, run.case.data
    points = {share: point for share, point in CURVE.items() if point.scores_step in steps}
    if not points or data is None:
        return
    subsets = nested_subsets([example for _, example in run.part(Part.TRAIN)], data.split.seed, data.split.group_by)
    for share, point in points.items():
        if steps[point.weights_step].inputs.settings.get("rows") != rows_digest(subsets.get(share, [])):
            raise VerifyFailed(f"{point.name} was not trained on {share} % of train", where=MANIFEST)


def _check_choice(run: RunSnapshot, arm: str, measure: Measure, run_script: bool) -> None:
    """Grades the answers to validation cases again, and the prompt variant they choose is the one that the arm used."""
    about = artifacts.ArmFacts.model_validate_json(run.read(artifacts.arm_file(arm)))
    name, tried = artifacts.tried_file(arm), []
    if run.has(name):
        cases = dict(run.part(Part.VALIDATION))
        for row in read_variant_predictions(run.read(name)):
            if row.id not in cases:
                raise VerifyFailed("an answer belongs to no validation case", where=name)
            again = grade_again(row, measure.grader, cases[row.id].output)
            tried.append(VariantPrediction(variant=row.variant, **again.model_dump()))
        _same(run, name, to_jsonl(tried))
        check_outside_scores(measure.task, name, tried, cases, measure.grader, run_script=run_script)
    # Runs of earlier versions chose by the share of correct answers, whatever the metric.
    is_measured = any(each.score is not None for each in about.tried)
    if about.tried != score_variants(tried, measure if is_measured else None) or about.variant != best_variant(about.tried):
        raise VerifyFailed("the prompt variant is not the one that did best on validation", where=artifacts.arm_file(arm))
    if run.has(artifacts.search_file(arm)):
        _check_search(run, arm, about)


def _check_search(run: RunSnapshot, arm: str, about: artifacts.ArmFacts) -> None:
    """The prompts that a search stored are those that were scored, and it kept to its limits."""
    name = artifacts.search_file(arm)
    search = artifacts.SearchFacts.model_validate_json(run.read(name))
    limits = run.case.evaluate.prompt_search
    if [each.variant for each in search.prompts] != [each.variant for each in about.tried]:
        raise VerifyFailed("the prompts are not those that were scored on validation", where=name)
    if (search.seed, search.allowed_metric_calls) != (limits.seed, limits.metric_calls) or search.metric_calls > limits.metric_calls:
        raise VerifyFailed("the search did not keep to the limits of the case", where=name)


def _check_failures(run: RunSnapshot) -> None:
    if arms := _arms(run):
        rows = [row for arm in arms for row in failure_log(arm, read_predictions(run.read(artifacts.predictions_file(arm))))]
        _same(run, artifacts.FAILURES, to_jsonl(rows))


def _check_ids(part: Part, rows: list[tuple[str, Example]]) -> None:
    if [name for name, _ in rows] != case_ids(example for _, example in rows):
        raise VerifyFailed("an id does not match its row", where=part_file(part))


def _same(run: RunSnapshot, name: str, expected: str, reason: Callable[[RunSnapshot], str] = lambda run: "") -> None:
    if run.read(name) != expected:
        raise VerifyFailed(f"the numbers do not follow from the stored files{reason(run)}", where=name)


def _task(run: RunSnapshot) -> Task:
    task = run.case.task
    if task is None:
        raise VerifyFailed("the case has no task, but arms were scored", where=CASE)
    return task


def _grader(run: RunSnapshot, task: Task) -> Grader:
    return make_grader(task, [example.output for _, example in run.part(Part.TRAIN)], run.grading_rules)
