"""Stage 4: every untuned arm of the case on the frozen cases, and the failure log.

Needs the frozen parts, the task and the base model. Writes `catalogue.json`, the files under `arms/`, and `failures.jsonl`.
"""

from __future__ import annotations

from tuneproof.engine.arms import requested_arms
from tuneproof.engine.stages.catalogue import write_catalogue
from tuneproof.engine.stages.judge_check import check_judge
from tuneproof.engine.stages.model_context import ModelContext
from tuneproof.engine.stages.run_context import RunContext


def score_baselines(run: RunContext, model: ModelContext) -> bool:
    """Scores the untuned arms, and returns whether all of them were scored before."""
    model.try_script()
    check_judge(run, model)
    write_catalogue(run, model)
    wanted = requested_arms(run.case).values()
    # Arms that ask a server come first: a server that does not answer shows at once, not after the base has worked for hours.
    reused = [model.scorer.score(arm) for arm in sorted(wanted, key=lambda arm: not arm.is_external)]
    model.scorer.write_failures()
    return bool(reused) and all(reused)
