"""Making every number and digest of a run again from its stored files, and naming the first file that differs."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tuneproof.engine.card.build import make_card
from tuneproof.engine.card.evidence import ARM_STEP
from tuneproof.engine.card.markdown import card_text
from tuneproof.engine.card.schema import CARD_JSON, CARD_MD
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.route import RouteAnswers, choose_route
from tuneproof.engine.case.task import Task
from tuneproof.engine.core.errors import CaseError, VerifyFailed
from tuneproof.engine.core.hashing import sha256_file
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Part, case_ids
from tuneproof.engine.data.subsets import nested_subsets, rows_digest
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.files import local_folder, model_digest
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.store import CASE, MANIFEST, RunStore, manifest_text, part_file
from tuneproof.engine.run.variants import CURVE, Further, compared, scored
from tuneproof.engine.scoring.judges import Judge, make_judge
from tuneproof.engine.scoring.predictions import (
    Scores,
    failure_log,
    judge_again,
    prompts_digest,
    read_predictions,
    score_predictions,
    to_jsonl,
)
from tuneproof.engine.scoring.variant_selection import VariantPrediction, best_variant, read_variant_predictions, score_variants


@dataclass(frozen=True)
class Verified:
    """What was checked: files by digest, and numbers made again."""

    files: int
    predictions: int
    base: str


def verify(store: RunStore) -> Verified:
    """Checks a run that has a card. Raises VerifyFailed with the first file that is not what it should be."""
    files = _check_files(store)
    try:
        _check_manifest(store)
        base = _check_base(store)
        _check_route(store)
        predictions = sum(_check_arm(store, arm) for arm in _arms(store))
        predictions += sum(_check_further(store, each) for each in scored(store.manifest.steps, METHODS))
        _check_shares(store)
        _check_failures(store)
        _check_training(store)
        _check_card(store)
    except (ValidationError, json.JSONDecodeError, UnicodeDecodeError, CaseError) as error:
        # Every file still has its recorded digest, so the manifest was changed together with what it records.
        raise VerifyFailed(f"a stored file is not readable as what it should be: {error}", where=MANIFEST) from None
    return Verified(files, predictions, base)


def _check_files(store: RunStore) -> int:
    """Every recorded file has its recorded digest, and every file that the card rests on is recorded."""
    steps = store.manifest.steps
    checked = 0
    for step in steps.values():
        for file, recorded in step.files.items():
            if not store.has(file):
                raise VerifyFailed("the file is gone", where=file)
            if sha256_file(store.path / file) != recorded:
                raise VerifyFailed("the file is not what the run wrote", where=file)
            checked += 1
    if "card" not in steps:
        raise VerifyFailed("the run has no card yet", where=CARD_JSON, fix="finish it: tuneproof --replay with --resume")
    return checked


def _check_base(store: RunStore) -> str:
    """The base model, where it still lies on this machine."""
    if not store.has(artifacts.MODEL):
        return "no model was needed"
    model = artifacts.ModelFacts.model_validate_json(store.read(artifacts.MODEL))
    folder = local_folder(model.name)
    if folder is None:
        return f"base {model.name} is not a folder on this machine and was not checked"
    if model_digest(folder) != model.sha256:
        raise VerifyFailed("the base model is not the one that was measured", where=str(folder))
    return f"base {model.name} is the one that was measured"


def _check_route(store: RunStore) -> None:
    stored = artifacts.RouteFacts.model_validate_json(store.read(artifacts.ROUTE))
    answers = {**store.case.decision.model_dump(), "labeled_examples": stored.labeled_examples}
    _same(
        store,
        artifacts.ROUTE,
        artifacts.RouteFacts(route=choose_route(RouteAnswers(**answers)), labeled_examples=stored.labeled_examples).as_text(),
    )


def _arms(store: RunStore) -> list[str]:
    return [name.removeprefix(ARM_STEP) for name in store.manifest.steps if name.startswith(ARM_STEP)]


def _check_arm(store: RunStore, arm: str) -> int:
    """Judges what an arm answered again, and how it came to ask as it did."""
    checked = _check_answers(store, ARM_STEP + arm, arm, artifacts.predictions_file(arm), artifacts.scores_file(arm))
    _check_choice(store, arm, _judge(store, _task(store)))
    return checked


def _check_answers(store: RunStore, step: str, arm: str, predictions: str, scores: str) -> int:
    """Judges every stored output again, and scores the arm again; how long it took was measured, and is taken as stored."""
    task = _task(store)
    judge, cases = _judge(store, task), dict(store.part(Part.EVAL))
    stored = read_predictions(store.read(predictions))
    if [p.id for p in stored] != list(cases):
        raise VerifyFailed("the cases are not the frozen ones", where=predictions)
    again = [judge_again(p, judge, cases[p.id].output) for p in stored]
    _same(store, predictions, to_jsonl(again))
    seconds = Scores.model_validate_json(store.read(scores)).seconds
    _same(store, scores, score_predictions(arm, again, task.output.kind, judge, seconds).model_dump_json(indent=1) + "\n")
    if store.manifest.steps[step].digests.get("prompts") != prompts_digest(again):
        raise VerifyFailed(f"the recorded digest of the prompts of {arm} is not theirs", where=MANIFEST)
    return len(again)


def _check_further(store: RunStore, further: Further) -> int:
    """Judges again what a model beside the arms answered: it was asked as the tuned arm was."""
    steps = store.manifest.steps
    checked = _check_answers(store, further.step, further.name, further.predictions, further.scores)
    if steps[further.step].digests["prompts"] != steps[f"{ARM_STEP}{ArmName.TUNED}"].digests["prompts"]:
        raise VerifyFailed("the prompts are not those of the tuned arm", where=further.predictions)
    if further.made_by not in steps:
        raise VerifyFailed(f"nothing says how {further.name} was made", where=MANIFEST)
    return checked


def _check_shares(store: RunStore) -> None:
    """Each point of the learning curve learned from its share of train."""
    steps, data = store.manifest.steps, store.case.data
    points = {share: point for share, point in CURVE.items() if point.step in steps}
    if not points or data is None:
        return
    subsets = nested_subsets([example for _, example in store.part(Part.TRAIN)], data.split.seed, data.split.group_by)
    for share, point in points.items():
        if steps[point.made_by].made_from.get("rows") != rows_digest(subsets.get(share, [])):
            raise VerifyFailed(f"{point.name} did not learn from {share} % of train", where=MANIFEST)


def _check_choice(store: RunStore, arm: str, judge: Judge) -> None:
    """Judges the answers to validation cases again that chose how an arm asks, and chooses again."""
    about = artifacts.ArmFacts.model_validate_json(store.read(artifacts.arm_file(arm)))
    name, tried = artifacts.tried_file(arm), []
    if store.has(name):
        cases = dict(store.part(Part.VALIDATION))
        for row in read_variant_predictions(store.read(name)):
            if row.id not in cases:
                raise VerifyFailed("an answer is not to a validation case", where=name)
            again = judge_again(row, judge, cases[row.id].output)
            tried.append(VariantPrediction(variant=row.variant, **again.model_dump()))
        _same(store, name, to_jsonl(tried))
    if about.tried != score_variants(tried) or about.variant != best_variant(about.tried):
        raise VerifyFailed("the way to ask is not the one that did best on validation", where=artifacts.arm_file(arm))


def _check_training(store: RunStore) -> None:
    """What was trained has as many parameters as is told."""
    steps = store.manifest.steps
    if "train" in steps:
        _check_parameters(store, "train", artifacts.TRAINED, artifacts.METHOD, artifacts.TRAINING)
    for further in map(compared, METHODS):
        if further.made_by in steps:
            _check_parameters(store, further.made_by, further.model, further.plan, further.summary)


def _check_parameters(store: RunStore, step: str, folder: str, plan: str, summary: str) -> None:
    """The number of trained parameters is that of what was trained, as the headers of its files have it."""
    method = METHODS[artifacts.MethodFacts.model_validate_json(store.read(plan)).name]
    files = artifacts.trained_weights(store.manifest.steps[step].files, folder)
    trained = sum(_stored_parameters(store.path / name, method.frozen) for name in files)
    if trained != artifacts.TrainingFacts.model_validate_json(store.read(summary)).trained_parameters:
        raise VerifyFailed(f"what was trained has {trained} parameters, which is not the number told", where=summary)


def _stored_parameters(path: Path, frozen: tuple[str, ...]) -> int:
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    learned = (name for name in header if name != "__metadata__" and not any(part in name for part in frozen))
    return sum(math.prod(header[name]["shape"]) for name in learned)


def _check_failures(store: RunStore) -> None:
    if arms := _arms(store):
        rows = [row for arm in arms for row in failure_log(arm, read_predictions(store.read(artifacts.predictions_file(arm))))]
        _same(store, artifacts.FAILURES, to_jsonl(rows))


def _check_card(store: RunStore) -> None:
    for part in Part:
        if "split" in store.manifest.steps:
            _check_ids(part, store.part(part))
    card = make_card(store)
    _same(store, CARD_JSON, card.as_text())
    _same(store, CARD_MD, card_text(card))


def _check_ids(part: Part, rows: list[tuple[str, Example]]) -> None:
    if [name for name, _ in rows] != case_ids(example for _, example in rows):
        raise VerifyFailed("an id is not that of its row", where=part_file(part))


def _check_manifest(store: RunStore) -> None:
    """The manifest is written as it always is, and what each step says it was made from is what is there."""
    manifest = store.manifest
    if manifest_text(manifest) != store.read(MANIFEST):
        raise VerifyFailed("the file is not what the run wrote", where=MANIFEST)
    written = {file: sha for step in manifest.steps.values() for file, sha in step.files.items()}
    for name, step in manifest.steps.items():
        known = manifest.digest_before("card") if name == "card" else written
        wrong = [key for key, sha in step.made_from.items() if key in known and known[key] != sha]
        if wrong or (name == "card" and step.made_from != known):
            raise VerifyFailed(f"the step `{name}` was made from another {wrong[0] if wrong else 'run'}", where=MANIFEST)


def _same(store: RunStore, name: str, expected: str) -> None:
    if store.read(name) != expected:
        raise VerifyFailed("the numbers do not follow from what is stored", where=name)


def _task(store: RunStore) -> Task:
    task = store.case.task
    if task is None:
        raise VerifyFailed("the case has no task, and yet arms were scored", where=CASE)
    return task


def _judge(store: RunStore, task: Task) -> Judge:
    return make_judge(task, [example.output for _, example in store.part(Part.TRAIN)])
