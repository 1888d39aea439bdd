"""Training further methods on the rows that the tuned arm learned from, and scoring each. Only the worker imports this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tuneproof.engine.case.evaluate import MethodToCompare
from tuneproof.engine.case.schema import Case
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Part
from tuneproof.engine.methods.matched_settings import matched_training
from tuneproof.engine.methods.plan import Plan, check_trainable, make_plan
from tuneproof.engine.methods.refusals import unavailable_reason
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import TrainingSkipped, VariantScored
from tuneproof.engine.run.store import RunStore, part_file
from tuneproof.engine.run.variants import Further, compared
from tuneproof.engine.stages.oom_fallback import parts_so_far
from tuneproof.engine.stages.plan_training import Planner, method_facts
from tuneproof.engine.stages.train_variant import FurtherRuns


@dataclass
class ComparedRuns:
    """The further methods of one run; `planner` gives that of a choice, `rows` what the tuned arm was trained on."""

    runs: FurtherRuns
    case: Case
    named: Plan
    rows: Sequence[Example]
    planner: Callable[[MethodChoice, Training], Planner]

    def measure(self) -> bool:
        """Trains and scores each that this machine can train, and says whether all was done before."""
        done = [self._one(asked) for asked in self.case.evaluate.compare if asked.name != self.named.method]
        return all(done)

    @property
    def _store(self) -> RunStore:
        return self.runs.store

    @property
    def _log(self) -> EventLog:
        return self.runs.arms.log

    def _one(self, asked: MethodToCompare) -> bool:
        further = compared(asked.name)
        choice = MethodChoice(name=asked.name)
        training = matched_training(self.case.training, METHODS[self.named.method], METHODS[asked.name], asked)
        wanted = make_plan(choice, training)
        planned = self._plan(further, wanted, choice, training)
        found = artifacts.MethodFacts.model_validate_json(self._store.read(further.plan))
        if found.planned is None:
            self._log.emit(TrainingSkipped(model=further.name, reason=str(found.skipped)), sync=True)
            return planned
        settled = wanted.with_execution(found.planned, parts_so_far(self._store))
        trained = self.runs.train(further, self.rows, settled)
        done = self.runs.score(further) and trained
        scores = self.runs.scores(further)
        self._log.emit(VariantScored(model=further.name, n=scores.n, correct=scores.correct, reused=done), sync=True)
        return done

    def _plan(self, further: Further, asked: Plan, choice: MethodChoice, training: Training) -> bool:
        """Settles how the method is trained here, or why it cannot be; says whether that was done before."""
        made_from = {
            "settings": sha256_data([asked.requested, self.case.budget.model_dump(mode="json")]),
            "base": self.runs.arms.base.sha256,
            part_file(Part.TRAIN): self._store.check(part_file(Part.TRAIN)),
        }
        if self._store.is_done(further.planned_by, made_from):
            return True
        settled, planned, skipped = asked, None, unavailable_reason(METHODS[asked.method])
        if skipped is None:
            try:
                check_trainable(choice, training)
                settled, planned = self.planner(choice, training).settle()
            except GateClosed as error:
                skipped = error.what
        found = method_facts(settled, training, planned, skipped=skipped)
        self._store.write_step(further.planned_by, made_from, {further.plan: found.as_text()})
        return False
