"""Models trained besides the tuned one: points of the learning curve, compared methods, other seeds, and the merged model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.data.subsets import SHARES
from tuneproof.engine.run.manifest import Manifest
from tuneproof.engine.run.step_id import StepId, StepKind


@dataclass(frozen=True)
class ModelVariant:
    """One such model: its name beside those of the arms, its steps in the manifest, and its files in the run folder.

    It answers the frozen cases with the prompts of the tuned arm.
    """

    name: str
    scores_step: StepId
    """Decodes and scores its answers."""
    weights_step: StepId
    """Makes what it answers with: an adapter or a whole model, in the folder `model`."""
    folder: str
    model: str

    @property
    def plan(self) -> str:
        """The file with its plan, if it has one of its own."""
        return f"{self.folder}/method.json"

    @property
    def summary(self) -> str:
        """The file that says how it was trained."""
        return f"{self.folder}/summary.json"

    @property
    def predictions(self) -> str:
        """The file with its answers."""
        return f"{self.folder}/predictions.jsonl"

    @property
    def kept(self) -> str:
        """The file that its answers are kept in until they are scored."""
        return f"{self.folder}/kept.jsonl"

    @property
    def form(self) -> str:
        """The file that says in which form a merged model was scored; absent in runs of versions that merged into bfloat16 only."""
        return f"{self.folder}/form.json"

    @property
    def scores(self) -> str:
        """The file with its scores."""
        return f"{self.folder}/scores.json"


def curve_point(share: int) -> ModelVariant:
    """The point of the learning curve that is trained on a share of train, in per cent."""
    name = str(share)
    scores, train = StepId(StepKind.CURVE_SCORES, name), StepId(StepKind.CURVE_TRAIN, name)
    return _trained_variant(name, scores, train, f"training/curve/{share}")


def compared_variant(method: str) -> ModelVariant:
    """The model that another method trains on the same rows."""
    scores, train = StepId(StepKind.COMPARED_SCORES, method), StepId(StepKind.COMPARED_TRAIN, method)
    return _trained_variant(method, scores, train, f"training/compared/{method}")


def seed_variant(number: int) -> ModelVariant:
    """The model of a further training with another seed; the tuned model is number 1."""
    name = str(number)
    scores, train = StepId(StepKind.SEED_SCORES, name), StepId(StepKind.SEED_TRAIN, name)
    return _trained_variant(f"seed_{name}", scores, train, f"training/seeds/{name}")


def _trained_variant(name: str, scores: StepId, train: StepId, folder: str) -> ModelVariant:
    return ModelVariant(f"{ArmName.TUNED}_{name}", scores, train, folder, f"{folder}/adapter")


MERGED = ModelVariant(
    f"{ArmName.TUNED}_merged",
    StepId(StepKind.MERGED_SCORES),
    StepId(StepKind.MERGE),
    "training/merged",
    "training/merged/model",
)
"""The adapter merged into its base: what will be served."""


class ServedForm(StrEnum):
    """A form in which the tuned model can be served: merged in a number type, or as an adapter on a base that computes in bfloat16."""

    MERGED_BFLOAT16 = "merged_bfloat16"
    MERGED_FLOAT16 = "merged_float16"
    MERGED_FLOAT32 = "merged_float32"
    ADAPTER_BFLOAT16 = "adapter_bfloat16"

    @property
    def dtype(self) -> str:
        """The number type, as torch calls it."""
        return self.value.partition("_")[2]

    @property
    def is_merged(self) -> bool:
        """Whether it is a model of its own."""
        return self is not ServedForm.ADAPTER_BFLOAT16

    @property
    def in_words(self) -> str:
        """What it is."""
        return f"merged in {self.dtype}" if self.is_merged else f"the adapter on a base in {self.dtype}"


def tried_form(form: ServedForm) -> ModelVariant:
    """A form that was scored and not kept: its answers, without weights of its own."""
    folder = f"training/forms/{form}"
    return ModelVariant(f"{ArmName.TUNED}_{form}", StepId(StepKind.FORM_SCORES, form), StepId(StepKind.TRAIN), folder, f"{folder}/model")


def tried_forms(manifest: Manifest) -> list[ServedForm]:
    """The forms that were scored and not kept, in the order in which they were tried."""
    done = set(manifest.names(StepKind.FORM_SCORES))
    return [form for form in ServedForm if form.value in done]


CURVE: dict[int, ModelVariant] = {share: curve_point(share) for share in SHARES}
"""The points of a learning curve by their share of train, in per cent."""


def scored_variants(manifest: Manifest) -> list[ModelVariant]:
    """The variants that have answered the frozen cases in a run, and whose weights it keeps."""
    compared = map(compared_variant, manifest.names(StepKind.COMPARED_SCORES))
    seeds = (seed_variant(int(name)) for name in manifest.names(StepKind.SEED_SCORES))
    return [variant for variant in (*CURVE.values(), *compared, *seeds, MERGED) if variant.scores_step in manifest.steps]
