"""The stored scores that no grader can compute: they fit the case, and if that is asked for, its script gives them again."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from tuneproof.engine.card.verify_judge import check_verdicts
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.data.example import Example
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.outside_score import OutsideScore
from tuneproof.engine.scoring.predictions import Prediction, can_be_scored, with_outside_score
from tuneproof.engine.scoring.script_scorer import script_scorer


class ScriptCheck(Enum):
    """Whether the script of a case was run again."""

    NO_SCRIPT = auto()
    NOT_RUN = auto()
    RUN = auto()


def check_outside_scores(
    task: Task, name: str, stored: Sequence[Prediction], cases: dict[str, Example], grader: Grader, *, run_script: bool
) -> None:
    """Every answer in the file `name` has a score that fits the case. Raises VerifyFailed for the first that has not.

    With `run_script`, the script of the case is run on every answer; it is code, so only whoever trusts it should ask for that.
    """
    for each in stored:
        wants = task.is_scored_outside and not each.unanswered
        if (each.outside is not None) != wants:
            what = "has no stored score, which its metric needs" if wants else "has a stored score, which its metric does not use"
            raise VerifyFailed(f"{each.id} {what}", where=name)
        if each.outside is not None and each.outside.passes_at != task.pass_score:
            raise VerifyFailed(f"{each.id} passes at another score than task.pass_score", where=name)
        if each.outside is not None and each.outside.fields and not can_be_scored(each, task.output.kind):
            raise VerifyFailed(f"{each.id} has a score of the script, and nothing that it could have scored", where=name)
        if each.outside is not None and (each.outside.judgement is not None) != (task.primary_metric is Metric.PREFERENCE):
            raise VerifyFailed(f"{each.id} has a score of another kind than its metric", where=name)
    check_verdicts(name, stored)
    scorer = script_scorer(task, grader)
    if scorer is None or not run_script:
        return
    blank = OutsideScore(passes_at=task.pass_score)
    asked = [each if each.unanswered else with_outside_score(each, blank, grader) for each in stored]
    again = scorer.scored(asked, [(each.id, cases[each.id]) for each in stored], lambda done, of: None)
    for before, after in zip(stored, again, strict=True):
        if before.outside != after.outside:
            then, now = (each.outside.fields if each.outside else {} for each in (before, after))
            raise VerifyFailed(
                f"the script gives {before.id} another score: {now}, not the stored {then}",
                where=name,
                fix="a script whose scores depend on chance, time or other files cannot be verified; else restore the run from a copy",
            )
