"""Measuring the learning curve: the same plan on nested shares of train, each scored as the tuned arm is. Only the worker imports this."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

from tuneproof.engine.case.schema import Case
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Part
from tuneproof.engine.data.subsets import SHARES, nested_subsets
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import VariantScored, Warned
from tuneproof.engine.run.variants import CURVE
from tuneproof.engine.stages.train_variant import FurtherRuns


@dataclass
class CurveRuns:
    """The points of one run's learning curve; those that are done from the same inputs are not measured again."""

    runs: FurtherRuns
    case: Case
    plan: Plan

    def measure(self) -> bool:
        """Trains and scores each share that train can be cut into, and says whether all was done before."""
        missing = [f"{share} %" for share in SHARES if share not in self._subsets]
        if missing:
            self._log.emit(Warned(message=f"no learning curve at {' and '.join(missing)} of train: it cannot be cut there"))
        done = [self._point(share) for share in self._subsets]
        return all(done)

    @cached_property
    def _subsets(self) -> dict[int, list[Example]]:
        data = self.case.data
        assert data is not None
        train = [example for _, example in self.runs.store.part(Part.TRAIN)]
        return nested_subsets(train, data.split.seed, data.split.group_by)

    @property
    def _log(self) -> EventLog:
        return self.runs.arms.log

    def _point(self, share: int) -> bool:
        point, rows = CURVE[share], self._subsets[share]
        trained = self.runs.train(point, rows, scaled(self.plan, share))
        done = self.runs.score(point) and trained
        scores = self.runs.scores(point)
        self._log.emit(VariantScored(model=point.name, n=scores.n, correct=scores.correct, reused=done), sync=True)
        return done


def scaled(plan: Plan, share: int) -> Plan:
    """The plan with the same number of epochs on a share of the rows, and about as many probes to choose a step from."""
    part = share / 100
    return replace(
        plan,
        max_steps=plan.max_steps and max(1, math.ceil(plan.max_steps * part)),
        probe_every=plan.probe_every and max(1, math.ceil(plan.probe_every * part)),
    )
