"""Merging what was trained into its base, and scoring what will be served. Only the worker imports this."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.run import artifacts
from tuneproof.engine.run.events import VariantScored
from tuneproof.engine.run.variants import MERGED
from tuneproof.engine.stages.train_variant import FurtherRuns


@dataclass
class MergedRun:
    """The merged model of one run; what is done from the same inputs is not done again."""

    runs: FurtherRuns

    def measure(self) -> bool:
        """Merges and scores, and says whether both were done before."""
        merged = self._merge()
        done = self.runs.score(MERGED) and merged
        scores = self.runs.scores(MERGED)
        self.runs.arms.log.emit(VariantScored(model=MERGED.name, n=scores.n, correct=scores.correct, reused=done), sync=True)
        return done

    def _merge(self) -> bool:
        store, base = self.runs.store, self.runs.arms.base
        learned = artifacts.trained_weights(store.manifest.steps["train"].files)
        made_from = {"base": base.sha256, **{file: store.check(file) for file in learned}}
        if store.is_done(MERGED.made_by, made_from):
            return True
        # PEFT takes seconds to import, and a run that goes on may have nothing to merge.
        from tuneproof.engine.training.merge import merge

        files = merge(base, store.path / artifacts.TRAINED, store.path / MERGED.model)
        store.record_step(MERGED.made_by, made_from, [f"{MERGED.model}/{name}" for name in files])
        return False
