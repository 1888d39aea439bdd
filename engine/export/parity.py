"""Comparing what an exported model answers where it is served with what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.core.errors import RunFailed
from tuneproof.engine.export.drift import first_drift
from tuneproof.engine.export.evidence import ServingCheck, TokenDrift
from tuneproof.engine.export.serving import Served, ServedAnswer
from tuneproof.engine.export.source import ExportSource
from tuneproof.engine.scoring.agreement import agreement
from tuneproof.engine.scoring.measure import ScoredArm
from tuneproof.engine.scoring.predictions import Prediction, grade_output
from tuneproof.engine.scoring.scores import score_predictions

SERVED = f"{ArmName.TUNED}_served"
"""The name of the served model beside that of the tuned arm."""


def check(source: ExportSource, served: Served) -> ServingCheck:
    """Grades the served answers, and compares them and their prompts with the measured ones.

    Where a script or a judge scores answers, neither is asked again: an answer with the measured text has its score, another one has none
    and counts as 0. Raises RunFailed if a server left a case unanswered.
    """
    unanswered = [answer.error for answer in served.answers if answer.error]
    if unanswered:
        raise RunFailed(
            f"{len(unanswered)} of {len(served.answers)} cases were not answered: {unanswered[0]}",
            where=served.by,
            fix="start the server, and run the same command again",
        )
    arm = _scored(source, served.answers)
    found = agreement(source.measure, arm, source.tuned)
    equal, drift = _compared_prompts(source, served.answers)
    lengths = None if equal is not None else _equal_lengths(source, served.answers)
    return ServingCheck(
        served_by=served.by,
        cases=found.cases,
        equal_answers=found.equal,
        correct_measured=source.tuned.scores.correct,
        correct_served=arm.scores.correct,
        difference=found.difference,
        equal_prompts=equal,
        equal_prompt_lengths=lengths,
        first_drift=drift,
        agrees=found.holds and drift is None and lengths in (None, found.cases),
    )


def _scored(source: ExportSource, answers: Sequence[ServedAnswer]) -> ScoredArm:
    task, grader = source.evidence.case.task, source.measure.grader
    assert task is not None
    measured = {prediction.id: prediction for prediction in source.tuned.predictions}
    rows: list[Prediction] = []
    for case, answer in zip(source.cases, answers, strict=True):
        before, text = measured[case.id], source.finished(answer.text, case)
        outside = before.outside if text == before.output else None
        rows.append(
            grade_output(
                case.id,
                before.prompt,
                text,
                before.expected,
                grader,
                truncated=before.truncated if text == before.output else answer.tokens >= source.arm.max_new_tokens,
                prompt_tokens=answer.prompt_tokens or 0,
                output_tokens=answer.tokens,
                outside=outside,
            )
        )
    return ScoredArm(score_predictions(SERVED, rows, task.metrics, grader, 0.0), rows)


def _compared_prompts(source: ExportSource, answers: Sequence[ServedAnswer]) -> tuple[int | None, TokenDrift | None]:
    """The number of prompts with the measured tokens, None if they are not known; and the first difference."""

    def decode(ids: Sequence[int]) -> str:
        return str(source.base.tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False))

    if any(answer.prompt_ids is None for answer in answers):
        return None, None
    pairs = zip(source.cases, answers, strict=True)
    drifts = [first_drift(case.id, case.prompt_ids, answer.prompt_ids or [], decode) for case, answer in pairs]
    found = [drift for drift in drifts if drift is not None]
    return len(drifts) - len(found), found[0] if found else None


def _equal_lengths(source: ExportSource, answers: Sequence[ServedAnswer]) -> int | None:
    if any(answer.prompt_tokens is None for answer in answers):
        return None
    return sum(answer.prompt_tokens == len(case.prompt_ids) for case, answer in zip(source.cases, answers, strict=True))
