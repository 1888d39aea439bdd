"""Decoding stored prompts again, to show that the answers of a run come from its base and its adapter. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.core.errors import GateClosed, UsageError
from tuneproof.engine.core.hardware import block_import
from tuneproof.engine.data.reasoning import THINK_CLOSE, THINK_OPEN, Thinking
from tuneproof.engine.decoding.completion import Completion
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.decoding.watch import Watch
from tuneproof.engine.models.base_model import QUANTISATION_FILE, BaseCheckpoint, best_device, load_base, load_weights, serving_dtype
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.served_form import FormFacts
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import CASE, RunStore
from tuneproof.engine.run.variants import MERGED, ServedForm, scored_variants
from tuneproof.engine.scoring.predictions import Prediction, read_predictions

if TYPE_CHECKING:
    import torch

NOT_REPRODUCIBLE: dict[str, str] = {ArmName.ENDPOINT: "its answers came from a server, which may answer differently now"}
"""The arms that were not decoded on this machine, with the reason why they cannot be decoded again."""


@dataclass(frozen=True)
class Reproduced:
    """A stored prediction, and the completion of its prompt when it was decoded again."""

    stored: Prediction
    again: Completion

    @property
    def same(self) -> bool:
        """Whether text, truncation and token counts are the stored ones."""
        stored, again = self.stored, self.again
        now = (again.text, again.truncated, again.prompt_tokens, again.completion_tokens)
        return now == (stored.output, stored.truncated, stored.prompt_tokens, stored.output_tokens)


@dataclass(frozen=True)
class AnswerFiles:
    """The files with the answers of an arm or a model variant, and with what they were decoded with; paths in the run folder."""

    predictions: str
    arm: str
    """Says how many tokens an answer may take."""
    adapter: str | None
    """The folder with an adapter or a whole model; None if the base answered."""
    grammar: str | None

    @classmethod
    def of(cls, store: RunStore, name: str) -> Self:
        """The files of an arm or variant. Raises UsageError if the run has none of that name, GateClosed if it was not decoded here."""
        manifest = store.manifest
        arms, variants = manifest.names(StepKind.ARM), {variant.name: variant for variant in scored_variants(manifest)}
        if name not in arms and name not in variants:
            listed = ", ".join([*arms, *variants]) or "none yet"
            raise UsageError(f"the run has no arm `{name}`", where=str(store.path), fix=f"it has: {listed}")
        if name in NOT_REPRODUCIBLE:
            raise GateClosed(f"{name} cannot be reproduced: {NOT_REPRODUCIBLE[name]}", where=str(store.path))
        if name in variants:
            variant = variants[name]
            return cls(variant.predictions, artifacts.arm_file(ArmName.TUNED), variant.model, None)
        record, grammar = manifest.steps[StepId.arm(name)], artifacts.grammar_file(name)
        return cls(
            predictions=artifacts.predictions_file(name),
            arm=artifacts.arm_file(name),
            adapter=artifacts.TRAINED if artifacts.trained_weights(record.inputs.files) else None,
            grammar=grammar if grammar in record.files else None,
        )


@dataclass
class LoadedModels:
    """The base of a run, and the model that decoded last: both are kept, since loading takes longer than decoding a few answers."""

    base: BaseCheckpoint | None = None
    _decoder: Decoder | None = None
    _trained: tuple[Path | None, torch.dtype | None] = (None, None)

    def decoder(self, base: BaseCheckpoint, trained: Path | None, dtype: torch.dtype | None) -> Decoder:
        """The base with what is `trained`: a folder with an adapter or a whole model, or None; `dtype` as for `load_weights`."""
        if self._decoder is None or self._trained != (trained, dtype):
            # The model before is let go of first: memory may not hold two.
            self._decoder = None
            self._decoder, self._trained = Decoder(base, load_weights(base, trained, dtype=dtype)), (trained, dtype)
        return self._decoder


@dataclass
class Reproduction:
    """One arm of a run, whose base, adapter and grammar are checked by digest.

    The predictions are not checked: whether the model gives them is what is found out. Raises UsageError if the run has no such arm, and
    GateClosed if the arm was not decoded on this machine, or if what it was decoded with has changed.
    """

    store: RunStore
    arm: str
    models: LoadedModels = field(default_factory=LoadedModels)

    def __post_init__(self) -> None:
        self.files = AnswerFiles.of(self.store, self.arm)
        if not (self.files.adapter and self.store.has(f"{self.files.adapter}/{QUANTISATION_FILE}")):
            # PEFT imports it wherever it is installed, which takes seconds and leaves notices on stderr.
            block_import("bitsandbytes")
        self.stored = read_predictions(self.store.read(self.files.predictions))
        self._check()

    def one(self, case_id: str) -> tuple[Reproduced, bool]:
        """The prediction of one case, and whether it was decoded alone; as `some`."""
        found, is_alone = self.some([case_id])
        return found[0], is_alone

    def some(
        self, case_ids: Sequence[str], on_progress: Callable[[int, int], None] = lambda done, of: None
    ) -> tuple[list[Reproduced], bool]:
        """The predictions of some cases, and whether they were decoded without the others.

        The other prompts of a batch can change the last bits of a number, and so the answer if two tokens are equally likely. If a case
        gives another answer without the others, all are therefore decoded as they were in the run. Raises UsageError for an unknown case.
        """
        places = {prediction.id: at for at, prediction in enumerate(self.stored)}
        for case_id in case_ids:
            if case_id not in places:
                raise UsageError(f"{self.arm} has answered no case `{case_id}`", where=self.files.predictions, fix="use an id of that file")
        apart = self._decoded([self.stored[places[each]] for each in case_ids], on_progress)
        if all(each.same for each in apart) or len(self.stored) == len(apart):
            return apart, True
        together = self.all(on_progress)
        return [together[places[each]] for each in case_ids], False

    def all(self, on_progress: Callable[[int, int], None] = lambda done, of: None) -> list[Reproduced]:
        """All predictions in their order, decoded in one pass as in the run."""
        return self._decoded(self.stored, on_progress)

    def differences(self) -> list[str]:
        """What differs from when the run was measured and can change an answer, each in a phrase: device, number type and versions."""
        model = self._model_facts
        device, dtype = best_device()
        now: Mapping[str, str] = {"device": device.type, "number type": str(dtype).removeprefix("torch.")}
        then = {"device": model.device, "number type": model.dtype}
        changed = [f"{name} {now[name]}, then {then[name]}" for name in now if now[name] != then[name]]
        return changed + [f"{name} {_version(name)}, then {was}" for name, was in model.versions.items() if _version(name) != was]

    def _decoded(self, predictions: list[Prediction], on_progress: Callable[[int, int], None] = lambda done, of: None) -> list[Reproduced]:
        prompts = [prediction.prompt for prediction in predictions]
        completions, _ = self._decoder.complete(
            prompts,
            self._facts.max_new_tokens,
            grammar=self._grammar,
            ends_with_document=self._facts.ends_with_document,
            watch=Watch(on_progress),
        )
        return [Reproduced(stored, again) for stored, again in zip(predictions, completions, strict=True)]

    def _check(self) -> None:
        """Raises GateClosed if base, adapter, grammar or the token limit of answers are not those of the run."""
        for file in (CASE, artifacts.MODEL, self.files.arm, *([self.files.grammar] if self.files.grammar else [])):
            self.store.check(file)
        if self.files.adapter is not None:
            for file in self.store.manifest.written():
                if file.startswith(f"{self.files.adapter}/"):
                    self._check_weights(file)
        base, recorded = self._base, self._model_facts
        if (base if recorded.files else base.with_first_digest()).sha256 != recorded.sha256:
            raise GateClosed(
                "the base model is not the one that was measured",
                where=str(base.folder),
                fix=f"restore the one with sha256 {recorded.sha256}",
            )

    def _check_weights(self, file: str) -> None:
        if not self.store.has(file):
            fix = f"copy {self.files.adapter} of the run into it"
            raise GateClosed("the weights are not in this copy of the run", where=str(self.store.path / file), fix=fix)
        self.store.check(file)

    @cached_property
    def _base(self) -> BaseCheckpoint:
        model = self.store.case.model
        assert model is not None
        reasons = self._model_facts.thinking is Thinking.ON
        if self.models.base is None:
            self.models.base = load_base(model).thinking_as_in([f"{THINK_OPEN}{THINK_CLOSE}"] if reasons else [])
        return self.models.base

    @cached_property
    def _model_facts(self) -> artifacts.ModelFacts:
        return artifacts.ModelFacts.model_validate_json(self.store.read(artifacts.MODEL))

    @cached_property
    def _facts(self) -> artifacts.ArmFacts:
        return artifacts.ArmFacts.model_validate_json(self.store.read(self.files.arm))

    @cached_property
    def _grammar(self) -> str | None:
        return self.store.read(self.files.grammar).removesuffix("\n") if self.files.grammar else None

    @property
    def _decoder(self) -> Decoder:
        adapter = self.files.adapter
        dtype = serving_dtype(self._form.dtype) if self._form else None
        return self.models.decoder(self._base, self.store.path / adapter if adapter else None, dtype)

    @cached_property
    def _form(self) -> ServedForm | None:
        """The form of the merged model; None for other models, and in runs of versions that merged into bfloat16 only."""
        if self.arm != MERGED.name or not self.store.has(MERGED.form):
            return None
        return FormFacts.model_validate_json(self.store.read(MERGED.form)).form


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
