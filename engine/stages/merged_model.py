"""Merging the adapter into its base, and scoring what will be served. Only the worker imports this.

With `evaluate.merged_dtype: auto`, forms are tried from small to large until the answers of one agree with those of the tuned arm; what did
not agree keeps its answers and loses its weights. Where the first form does not agree, the adapter answers on a base that computes in
bfloat16 too: that is what the number type changes without any merging.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from tuneproof.engine.arms import TUNED_ARMS
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.evaluate import MergedDtype
from tuneproof.engine.core.disk_space import free_bytes, megabytes, require_room
from tuneproof.engine.core.hashing import sha256_file
from tuneproof.engine.data.split import Part
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.methods.disk import merged_bytes
from tuneproof.engine.methods.model_shape import known_shape
from tuneproof.engine.models.base_model import QUANTISATION_FILE, best_device, load_weights, serving_dtype
from tuneproof.engine.models.files import tokenizer_bytes
from tuneproof.engine.models.weight_files import base_parameters, weight_files
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.served_form import FormFacts
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import part_file
from tuneproof.engine.run.variants import MERGED, ModelVariant, ServedForm, tried_form
from tuneproof.engine.run.work import Unit, Work
from tuneproof.engine.scoring.agreement import Agreement, agreement
from tuneproof.engine.scoring.measure import ScoredArm
from tuneproof.engine.scoring.predictions import Prediction, prompts_digest, read_predictions, to_jsonl
from tuneproof.engine.scoring.scores import Scores, score_predictions
from tuneproof.engine.stages.local_backend import LocalBackend
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext
from tuneproof.engine.stages.train_variant import log_scored

FIRST = ServedForm.MERGED_BFLOAT16
"""The form of a merged model whose step names none, as in earlier versions."""

FORMS: Mapping[MergedDtype, Sequence[ServedForm]] = {
    MergedDtype.AUTO: (FIRST, ServedForm.MERGED_FLOAT16, ServedForm.MERGED_FLOAT32),
    MergedDtype.BFLOAT16: (FIRST,),
    MergedDtype.FLOAT16: (ServedForm.MERGED_FLOAT16,),
    MergedDtype.FLOAT32: (ServedForm.MERGED_FLOAT32,),
}
"""What is tried, from small to large. Two forms of one size: bfloat16 is what servers compute in, float16 rounds to 8 times finer steps."""


def measure_merged_model(run: RunContext, model: ModelContext) -> bool:
    """Merges and scores, and returns whether both were done before."""
    merging = _Merging(run, model)
    before = run.store.manifest.steps.get(MERGED.weights_step)
    if before is None:
        merging.choose()
        reused = False
    else:
        reused = merging.check(ServedForm(before.inputs.settings.get("form", FIRST)))
    log_scored(run, model, MERGED, reused=reused)
    return reused


@dataclass(frozen=True)
class _Answered:
    """The answers of a form to the frozen cases."""

    form: ServedForm
    predictions: list[Prediction]
    scores: Scores
    facts: FormFacts

    def renamed(self, name: str) -> _Answered:
        """The same under the name of another variant."""
        return replace(self, scores=self.scores.model_copy(update={"arm": name}))


@dataclass(frozen=True)
class _Merging:
    """One merging of the adapter of a run."""

    run: RunContext
    model: ModelContext

    def choose(self) -> None:
        """Tries the forms of the case in their order, and keeps the first that agrees, or else the last."""
        wanted = self.run.case.evaluate.merged_dtype
        left, last = list(FORMS[wanted]), None
        # Where the adapter was trained over a quantised base, another base is merged into: no number type brings that one back.
        if (self.run.store.path / artifacts.TRAINED / QUANTISATION_FILE).is_file():
            del left[1:]
        not_tried: dict[ServedForm, str] = {}
        while left:
            form = left.pop(0)
            if last is not None and (why := self._no_room(form)):
                not_tried[form] = why
                continue
            answered = self._stored(form)
            if answered is None:
                answered, why = self._merge_and_answer(form, wanted)
                if answered is None:
                    not_tried[form] = why
                    continue
                if not left or self._agreement(answered).holds:
                    return self._keep(answered, not_tried)
                self._put_aside(answered)
            if last is None:
                self._answer_in_bfloat16()
            last = answered
        if last is not None:
            # Its weights made room for those of a form that could not be tried.
            self._merge(last.form)
            self._keep(last, not_tried)

    def check(self, form: ServedForm) -> bool:
        """Whether what is merged has been scored; scores it if not. Raises GateClosed if either was made from other inputs."""
        store = self.run.store
        store.is_done(MERGED.weights_step, self._inputs(form))
        weights = artifacts.trained_weights(store.manifest.steps[MERGED.weights_step].files, MERGED.model)
        if store.is_done(MERGED.scores_step, self._inputs_of_answers(weights)):
            return True
        self._write(MERGED, self._answer(form, MERGED), self._inputs_of_answers(weights))
        return False

    def _inputs(self, form: ServedForm) -> Inputs:
        """What the merged weights are made from."""
        settings = {"base": self.model.base.sha256} | ({} if form is FIRST else {"form": form.value})
        return self.run.store.inputs(self._adapter_files, settings)

    @property
    def _adapter_files(self) -> list[str]:
        return artifacts.trained_weights(self.run.store.manifest.steps[StepId(StepKind.TRAIN)].files)

    def _needed(self, form: ServedForm) -> int:
        folder = self.model.base.folder
        return merged_bytes(base_parameters(folder), known_shape(folder), tokenizer_bytes(folder), form.dtype)

    def _no_room(self, form: ServedForm) -> str:
        free, needed = free_bytes(self.run.store.path), self._needed(form)
        return f"the disk has no room for {megabytes(needed, up=True)}" if free is not None and needed > free else ""

    def _merge(self, form: ServedForm) -> list[str]:
        # Imports PEFT, which takes seconds, and a resumed run may have nothing to merge.
        from tuneproof.engine.training.merge import merge

        store = self.run.store
        store.check_there()
        require_room(store.path, self._needed(form), "the merged model")
        with working(self.run.log, Work.MERGING):
            return merge(self.model.base, store.path / artifacts.TRAINED, store.path / MERGED.model, getattr(torch, form.dtype))

    def _merge_and_answer(self, form: ServedForm, wanted: MergedDtype) -> tuple[_Answered | None, str]:
        """The answers of a merged form, or why there is none. Raises DoesNotFit if the case wants this form and no other."""
        from tuneproof.engine.training.merge import DoesNotFit

        try:
            self._merge(form)
        except DoesNotFit as error:
            if wanted is not MergedDtype.AUTO:
                raise
            return None, error.what
        return self._answer(form, MERGED), ""

    def _answer(self, form: ServedForm, variant: ModelVariant) -> _Answered:
        """Decodes the frozen cases with the weights that are there now."""
        run, model, store = self.run, self.model, self.run.store
        arm, cases, scorer = TUNED_ARMS[ArmName.TUNED](model.setting), store.part(Part.EVAL), model.scorer
        folder = variant.model if form.is_merged else artifacts.TRAINED
        files = [f"{folder}/{name}" for name in weight_files(store.path / folder)] if form.is_merged else self._adapter_files
        digests = {name: sha256_file(store.path / name) for name in files}
        dtype = serving_dtype(form.dtype) if form.is_merged else getattr(torch, form.dtype)

        def decoder() -> Decoder:
            with working(run.log, Work.WEIGHTS):
                return Decoder(model.base, load_weights(model.base, store.path / folder, dtype=dtype))

        made_by = digests if form.is_merged else {**digests, "computed in": form.dtype}
        backend = LocalBackend(model.base, decoder, arm, model.room.tuned, run.stop, store.path / variant.kept, made_by)
        with working(run.log, Work.ANSWERING, variant.name, of=len(cases), unit=Unit.ANSWERS) as report:
            predictions, seconds = scorer.answer(arm, backend, cases, scorer.progress(report))
        scores = score_predictions(variant.name, predictions, model.task.metrics, model.setting.grader, round(seconds, 3))
        size = sum((store.path / name).stat().st_size for name in files) + (0 if form.is_merged else _bytes_of(model.base.folder))
        facts = FormFacts(form=form, weights_bytes=size, sha256=artifacts.weights_digest(digests, folder))
        return _Answered(form, predictions, scores, facts)

    def _answer_in_bfloat16(self) -> None:
        """Scores the adapter on a base that computes in bfloat16, unless it was measured that way."""
        form = ServedForm.ADAPTER_BFLOAT16
        if best_device()[1] is torch.bfloat16 or self._stored(form) is not None:
            return
        (self.run.store.path / tried_form(form).folder).mkdir(parents=True, exist_ok=True)
        self._put_aside(self._answer(form, tried_form(form)))

    def _agreement(self, answered: _Answered) -> Agreement:
        store = self.run.store
        scores = Scores.model_validate_json(store.read(artifacts.scores_file(ArmName.TUNED)))
        tuned = ScoredArm(scores, read_predictions(store.read(artifacts.predictions_file(ArmName.TUNED))))
        return agreement(self.model.measure, ScoredArm(answered.scores, answered.predictions), tuned)

    def _inputs_of_answers(self, weights: Sequence[str], form: ServedForm | None = None) -> Inputs:
        store, model = self.run.store, self.model
        measured_by = {"task": model.task.sha256, **store.grading_settings, **model.scorer.outside_inputs}
        settings = {"base": model.base.sha256, **measured_by, **model.room.settings, **({"form": form.value} if form else {})}
        return store.inputs([*weights, part_file(Part.EVAL), part_file(Part.TRAIN)], settings)

    def _stored(self, form: ServedForm) -> _Answered | None:
        """The answers of a form that was put aside before; None if it was not tried."""
        store, variant = self.run.store, tried_form(form)
        if not store.is_done(variant.scores_step, self._inputs_of_answers(self._adapter_files, form)):
            return None
        return _Answered(
            form,
            read_predictions(store.read(variant.predictions)),
            Scores.model_validate_json(store.read(variant.scores)),
            FormFacts.model_validate_json(store.read(variant.form)),
        )

    def _put_aside(self, answered: _Answered) -> None:
        """Stores the answers of a form that does not agree, and removes its weights."""
        variant = tried_form(answered.form)
        inputs = self._inputs_of_answers(self._adapter_files, answered.form)
        self._write(variant, answered.renamed(variant.name), inputs)
        log_scored(self.run, self.model, variant, reused=False)
        if answered.form.is_merged:
            shutil.rmtree(self.run.store.path / MERGED.model)
            (self.run.store.path / MERGED.kept).unlink(missing_ok=True)

    def _keep(self, answered: _Answered, not_tried: Mapping[ServedForm, str]) -> None:
        """Records the merged model, and its answers."""
        store, folder = self.run.store, self.run.store.path / MERGED.model
        files = sorted(f"{MERGED.model}/{path.name}" for path in folder.iterdir())
        store.record_step(MERGED.weights_step, self._inputs(answered.form), files)
        facts = answered.facts.model_copy(update={"not_tried": dict(not_tried)})
        weights = artifacts.trained_weights(files, MERGED.model)
        kept = replace(answered.renamed(MERGED.name), facts=facts)
        self._write(MERGED, kept, self._inputs_of_answers(weights))

    def _write(self, variant: ModelVariant, answered: _Answered, inputs: Inputs) -> None:
        files = {
            variant.predictions: to_jsonl(answered.predictions),
            variant.scores: answered.scores.model_dump_json(indent=1) + "\n",
            variant.form: answered.facts.as_text(),
        }
        self.run.store.write_step(variant.scores_step, inputs, files, {"prompts": prompts_digest(answered.predictions)})
        (self.run.store.path / variant.kept).unlink(missing_ok=True)


def _bytes_of(folder: Path) -> int:
    return sum((folder / name).stat().st_size for name in weight_files(folder))
