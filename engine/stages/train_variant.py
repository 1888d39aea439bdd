"""Training and scoring the models that stand beside the tuned one. Only the worker imports this."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.engine.arms import TUNED_ARMS
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Part
from tuneproof.engine.data.subsets import rows_digest
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.models.base_model import load_weights
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.event import EventSink
from tuneproof.engine.run.store import RunStore, part_file
from tuneproof.engine.run.training_sink import TrainingSink
from tuneproof.engine.run.variants import Further
from tuneproof.engine.scoring.predictions import Scores, prompts_digest, score_predictions, to_jsonl
from tuneproof.engine.stages.score_arms import ArmRuns, OnThisMachine

if TYPE_CHECKING:
    from tuneproof.engine.training.result import Trained

Fit = Callable[[Sequence[Example], Plan, Path, EventSink], "Trained"]


@dataclass
class FurtherRuns:
    """The further models of one run; those that are done from the same inputs are not made again."""

    arms: ArmRuns
    fit: Fit

    @property
    def store(self) -> RunStore:
        """The run that they belong to."""
        return self.arms.store

    def train(self, further: Further, rows: Sequence[Example], plan: Plan) -> bool:
        """Trains the plan on the rows, and says whether that was done before."""
        store = self.store
        made_from = {
            "base": self.arms.base.sha256,
            "plan": plan.digest,
            "rows": rows_digest(rows),
            part_file(Part.TRAIN): store.check(part_file(Part.TRAIN)),
            part_file(Part.VALIDATION): store.check(part_file(Part.VALIDATION)),
        }
        if store.is_done(further.made_by, made_from):
            return True
        log = TrainingSink(self.arms.log, further.name, further.folder)
        done = self.fit(rows, plan, store.path / further.folder, log)
        store.write(further.summary, done.facts(len(rows)).as_text())
        store.record_step(further.made_by, made_from, [further.summary, *(f"{further.model}/{name}" for name in done.files)])
        # What was kept stays, so that its answers can be decoded again; the checkpoints are larger, and nothing goes on from them.
        shutil.rmtree(done.adapter.parent / "checkpoints")
        return False

    def score(self, further: Further) -> bool:
        """The tuned arm's prompts, answered by the further model; says whether that was done before."""
        store, task, setting, base = self.store, self.arms.task, self.arms.setting, self.arms.base
        learned = artifacts.trained_weights(store.manifest.steps[further.made_by].files, further.model)
        made_from = {
            "base": base.sha256,
            "task": sha256_data(task.model_dump(mode="json")),
            **{file: store.check(file) for file in learned},
            part_file(Part.EVAL): store.check(part_file(Part.EVAL)),
            part_file(Part.TRAIN): store.check(part_file(Part.TRAIN)),
        }
        if store.is_done(further.step, made_from):
            return True
        arm = TUNED_ARMS[ArmName.TUNED](setting)
        backend = OnThisMachine(base, lambda: Decoder(base, load_weights(base, store.path / further.model)), arm, self.arms.max_new_tokens)
        predictions, seconds = self.arms.answer(arm, backend, store.part(Part.EVAL), lambda *_: self.arms.stop.check())
        scores = score_predictions(further.name, predictions, task.output.kind, setting.judge, round(seconds, 3))
        files = {further.predictions: to_jsonl(predictions), further.scores: scores.model_dump_json(indent=1) + "\n"}
        store.write_step(further.step, made_from, files, {"prompts": prompts_digest(predictions)})
        return False

    def scores(self, further: Further) -> Scores:
        """What a further model that was scored came to."""
        return Scores.model_validate_json(self.store.read(further.scores))
