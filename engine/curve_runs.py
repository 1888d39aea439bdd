"""Measuring the learning curve: the same plan on nested shares of train, each scored as the tuned arm is. Only the worker imports this."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.engine import facts
from tuneproof.engine.arm_runs import ArmRuns, OnThisMachine
from tuneproof.engine.arms import TUNED
from tuneproof.engine.case import Case
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Part
from tuneproof.engine.data.subsets import SHARES, nested_subsets, rows_digest
from tuneproof.engine.evidence import CURVE_STEP
from tuneproof.engine.generation import Decoder
from tuneproof.engine.hashing import sha256_data
from tuneproof.engine.methods.catalogue import Plan
from tuneproof.engine.model import load_weights
from tuneproof.engine.run.event import Event, Teller
from tuneproof.engine.run.events import PointScored, PointStarted, PointStepped, StepLogged, TrainingStarted, Warned
from tuneproof.engine.run.store import RunStore, part_file
from tuneproof.engine.scoring.predictions import Scores, lines, prompts_digest, score

if TYPE_CHECKING:
    from tuneproof.engine.training.sft import Trained

Fit = Callable[[Sequence[Example], Plan, Path, Teller], "Trained"]


@dataclass
class CurveRuns:
    """The points of one run's learning curve; those that are done from the same inputs are not measured again."""

    arms: ArmRuns
    case: Case
    plan: Plan
    fit: Fit

    def measure(self) -> bool:
        """Trains and scores each share that train can be cut into, and says whether all was done before."""
        missing = [f"{share} %" for share in SHARES if share not in self._subsets]
        if missing:
            self.arms.log.emit(Warned(message=f"no learning curve at {' and '.join(missing)} of train: it cannot be cut there"))
        done = [self._point(share) for share in self._subsets]
        return all(done)

    @cached_property
    def _subsets(self) -> dict[int, list[Example]]:
        data = self.case.data
        assert data is not None
        return nested_subsets([example for _, example in self._store.part(Part.TRAIN)], data.split.seed, data.split.group_by)

    @property
    def _store(self) -> RunStore:
        return self.arms.store

    def _point(self, share: int) -> bool:
        trained = self._train(share)
        scored = self._score(share)
        scores = Scores.model_validate_json(self._store.read(facts.curve_file(share, "scores.json")))
        examples = len(self._subsets[share])
        self.arms.log.emit(
            PointScored(share=share, examples=examples, n=scores.n, correct=scores.correct, reused=trained and scored), sync=True
        )
        return trained and scored

    def _train(self, share: int) -> bool:
        rows, plan = self._subsets[share], scaled(self.plan, share)
        made_from = {
            "base": self.arms.base.sha256,
            "plan": plan.digest,
            "rows": rows_digest(rows),
            part_file(Part.TRAIN): self._store.check(part_file(Part.TRAIN)),
            part_file(Part.VALIDATION): self._store.check(part_file(Part.VALIDATION)),
        }
        step, summary = f"{CURVE_STEP}{share} train", facts.curve_file(share, "summary.json")
        if self._store.is_done(step, made_from):
            return True
        done = self.fit(rows, plan, (self._store.path / summary).parent, PointLog(self.arms.log, share))
        self._store.write(summary, done.facts(len(rows)).as_text())
        adapter = [facts.curve_file(share, f"adapter/{path.name}") for path in sorted(done.adapter.iterdir())]
        self._store.record_step(step, made_from, [summary, *adapter])
        # The adapter stays, so that its answers can be decoded again; the checkpoints are larger, and nothing goes on from them.
        shutil.rmtree(done.adapter.parent / "checkpoints")
        return False

    def _score(self, share: int) -> bool:
        """The tuned arm's prompts, answered with the adapter of the share."""
        step, adapter = f"{CURVE_STEP}{share}", facts.curve_adapter(share)
        learned = facts.trained_weights(self._store.manifest.steps[f"{step} train"].files, adapter)
        made_from = {
            "base": self.arms.base.sha256,
            "task": sha256_data(self.arms.task.model_dump(mode="json")),
            **{file: self._store.check(file) for file in learned},
            part_file(Part.EVAL): self._store.check(part_file(Part.EVAL)),
            part_file(Part.TRAIN): self._store.check(part_file(Part.TRAIN)),
        }
        if self._store.is_done(step, made_from):
            return True
        setting, task = self.arms.setting, self.arms.task
        arm, base = TUNED["tuned"](setting), self.arms.base
        backend = OnThisMachine(base, lambda: Decoder(base, load_weights(base, self._store.path / adapter)), arm, self.arms.room)
        predictions, seconds = self.arms.answer(arm, backend, self._store.part(Part.EVAL), lambda *_: self.arms.stop.check())
        scores = score(facts.point_name(share), predictions, task.output.kind, setting.judge, round(seconds, 3))
        files = {
            facts.curve_file(share, "predictions.jsonl"): lines(predictions),
            facts.curve_file(share, "scores.json"): scores.model_dump_json(indent=1) + "\n",
        }
        self._store.write_step(step, made_from, files, {"prompts": prompts_digest(predictions)})
        return False


def scaled(plan: Plan, share: int) -> Plan:
    """The plan with the same number of epochs on a share of the rows, and about as many probes to choose a step from."""
    part = share / 100
    return replace(
        plan,
        max_steps=plan.max_steps and max(1, math.ceil(plan.max_steps * part)),
        probe_every=plan.probe_every and max(1, math.ceil(plan.probe_every * part)),
    )


class PointLog:
    """Tells a training of the learning curve as what it is, so that nobody takes its steps for those of the training that is evaluated."""

    def __init__(self, log: Teller, share: int) -> None:
        self._log, self._share = log, share

    def emit(self, event: Event, *, sync: bool = False) -> None:
        """Passes on that it began and each step; its probes and checkpoints only serve to choose and to resume."""
        match event:
            case TrainingStarted():
                self._log.emit(
                    PointStarted(share=self._share, examples=event.examples, steps=event.steps, resumed_at=event.resumed_at), sync=sync
                )
            case StepLogged():
                self._log.emit(PointStepped(share=self._share, step=event.step, of=event.of, loss=event.loss))
            case _:
                pass
