"""What a run writes from its training on, and the disk that it writes to: for the plan, and for the wizard before there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.arms import TUNED_ARMS
from tuneproof.engine.case.evaluate import Evaluate, MergedDtype
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core import disk_space
from tuneproof.engine.data.subsets import SHARES
from tuneproof.engine.methods.disk import TrainingFiles, merged_bytes, predict_disk, training_files
from tuneproof.engine.methods.forecast import planned_parameters
from tuneproof.engine.methods.matched_settings import matched_training
from tuneproof.engine.methods.method import Ability, MethodName
from tuneproof.engine.methods.model_shape import ModelShape, known_shape
from tuneproof.engine.methods.plan import Plan, make_plan
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.files import tokenizer_bytes
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.needs import Disk
from tuneproof.engine.run.step_id import StepKind
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.training.probe_steps import count_probes


@dataclass(frozen=True)
class RunDisk:
    """The trainings of a run, as far as the disk space that they take depends on them."""

    run: Path
    """The run folder."""
    within: str
    """The folder in it that the trainings write to."""
    catalogue: Mapping[str, artifacts.CatalogueEntry]
    """By the name of the method."""
    rows: int
    """Rows to train on."""
    tokenizer: int
    """Bytes of the tokenizer's files."""
    shape: ModelShape | None
    evaluate: Evaluate | None
    """What else the case has trained and merged; None for a training that is nothing but itself."""
    training: Training
    scored_arms: int
    """Tuned arms."""
    predictions: int
    """Bytes of the predictions of one arm."""

    def predict(self, plan: Plan) -> Disk | None:
        """The peak of disk space with this plan; None if it is not known how many parameters the method trains."""
        tuned = self._files(plan)
        if tuned is None:
            return None
        others = [files for files in self._others(plan, tuned) if files is not None]
        merged = self._merged(plan)
        scored = self.scored_arms + len(others) + bool(merged)
        return predict_disk(tuned, others, merged, scored * self.predictions)

    @property
    def free(self) -> int | None:
        """Bytes for the trainings: those that are free, and those that they have taken already; None if the file system does not say."""
        free = disk_space.free_bytes(self.run)
        return None if free is None else free + disk_space.folder_bytes(self.run / self.within)

    def _files(self, plan: Plan) -> TrainingFiles | None:
        trained = planned_parameters(plan, self.catalogue.get(plan.method))
        if trained is None:
            return None
        steps = plan.steps(self.rows)
        return training_files(plan, trained, self.shape, self.tokenizer, steps=steps, saves=count_probes(steps, plan.probe_every))

    def _others(self, plan: Plan, tuned: TrainingFiles) -> list[TrainingFiles | None]:
        """In the order in which they are trained."""
        if self.evaluate is None:
            return []
        compared = []
        for other in self.evaluate.compare:
            if other.name != plan.method and other.name in METHODS:
                training = matched_training(self.training, METHODS[plan.method], METHODS[other.name], other)
                compared.append(self._files(make_plan(MethodChoice(name=other.name), training)))
        curve = len(SHARES) if self.evaluate.learning_curve else 0
        return [*compared, *[tuned] * (self.evaluate.seeds - 1 + curve)]

    def _merged(self, plan: Plan) -> int:
        full = self.catalogue.get(MethodName.FULL)
        is_merged = self.evaluate is not None and self.evaluate.merged and METHODS[plan.method].supports(Ability.MERGE)
        if not is_merged or full is None or full.all_parameters is None:
            return 0
        # What `auto` tries after bfloat16 takes more room only where there is some.
        dtype = self.evaluate.merged_dtype if self.evaluate is not None else MergedDtype.AUTO
        return merged_bytes(full.all_parameters, self.shape, self.tokenizer, dtype)


def run_disk(
    store: RunStore, catalogue: artifacts.Catalogue, model_folder: Path, rows: int, case: DraftCase, *, variant: str | None = None
) -> RunDisk:
    """The disk of a run; of one training of a `variant` if its folder in the run is given."""
    return RunDisk(
        run=store.path,
        within=variant or str(Path(artifacts.TRAINED).parent),
        catalogue={entry.name: entry for entry in catalogue.methods},
        rows=rows,
        tokenizer=tokenizer_bytes(model_folder),
        shape=known_shape(model_folder),
        evaluate=case.evaluate if variant is None else None,
        training=case.training,
        scored_arms=1 if variant is not None else sum(arm.is_requested(case) for arm in TUNED_ARMS.values()),
        predictions=_predictions(store),
    )


def _predictions(store: RunStore) -> int:
    """Bytes of the predictions of an arm with a short prompt, as a tuned arm has: the fewest of those that are scored already."""
    files = [store.path / artifacts.predictions_file(arm) for arm in store.manifest.names(StepKind.ARM)]
    return min((file.stat().st_size for file in files if file.is_file()), default=0)
