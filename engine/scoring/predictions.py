"""The answers of an arm to each case, graded. They are stored, and `verify` grades them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.case.task import OutputKind
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.scoring.grade import FailureClass, Grade, Grader
from tuneproof.engine.scoring.outside_score import OutsideScore


class Prediction(BaseModel):
    """One line of `predictions.jsonl`: a case, the exact prompt, the output, and its grade."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    id: str
    prompt: str
    output: str
    expected: str
    format_valid: bool
    correct: bool
    failure_class: FailureClass | None
    fields: list[str]
    """The fields that are wrong, or of the wrong shape."""
    truncated: bool
    """Whether the output ended at the token limit."""
    tokens: int
    """Prompt and output tokens together."""
    prompt_tokens: int
    output_tokens: int
    shown: list[str] = []
    """The examples or passages in the prompt, as file:line."""
    needed: list[str] = []
    """The documents that the case names as the source of its answer, for the retrieval arm."""
    left_out: int = 0
    """Number of examples that were left out of the prompt as near duplicates of the case."""
    usage_known: bool = Field(default=True, alias="tokens_told")
    """Whether the token counts are known; a server may not report them."""
    attempts: int = 1
    unanswered: str = ""
    """Why a server gave no answer, in a few words; empty if there is an answer. Such a case is neither correct nor wrong."""
    server_said: str = ""
    """The server's own error message."""
    repaired: str | None = None
    """The output after repair, which is graded in its place; None if it was not repaired."""
    outside: OutsideScore | None = Field(default=None, exclude_if=lambda score: score is None)
    """The score in a metric that no grader can compute; None for other metrics, and for a case without an answer."""

    @property
    def answer(self) -> str:
        """The text that is graded."""
        return self.output if self.repaired is None else self.repaired


class Failure(BaseModel):
    """One line of the failure log: a case that an arm answered incorrectly or not at all, and why."""

    model_config = ConfigDict(extra="forbid")

    arm: str
    id: str
    failure_class: FailureClass
    fields: list[str]
    output: str
    expected: str
    unanswered: str = ""
    server_said: str = ""


PREDICTION_FIELD_BYTES = 450
"""What a line of `predictions.jsonl` takes besides its three texts."""


def prediction_bytes(prompt: str, expected: str) -> int:
    """About how many bytes a line of `predictions.jsonl` takes, before it is known, if the output is as long as the expected one."""
    return len(prompt.encode()) + 2 * len(expected.encode()) + PREDICTION_FIELD_BYTES


def grade_output(
    case_id: str,
    prompt: str,
    output: str,
    expected: str,
    grader: Grader,
    *,
    truncated: bool,
    prompt_tokens: int,
    output_tokens: int,
    shown: Sequence[str] = (),
    needed: Sequence[str] = (),
    left_out: int = 0,
    usage_known: bool = True,
    attempts: int = 1,
    repaired: str | None = None,
    outside: OutsideScore | None = None,
) -> Prediction:
    """The prediction of a case that has an answer, graded against `expected`, after repair if it has a repaired text.

    What counts as correct is for the outside score to say, if there is one.
    """
    grade = grader.grade(output if repaired is None else repaired, expected, truncated=truncated)
    judged = grade if outside is None else _settled(grade, outside)
    return Prediction(
        id=case_id,
        prompt=prompt,
        output=output,
        expected=expected,
        format_valid=judged.format_valid,
        correct=judged.correct,
        failure_class=judged.failure,
        fields=list(judged.fields),
        truncated=truncated,
        tokens=prompt_tokens + output_tokens,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
        shown=list(shown),
        needed=list(needed),
        left_out=left_out,
        usage_known=usage_known,
        attempts=attempts,
        repaired=repaired,
        outside=outside,
    )


def _settled(grade: Grade, outside: OutsideScore) -> Grade:
    """The grade of an answer that is correct if its outside score passes, and if it has the format."""
    if not grade.format_valid:
        return replace(grade, correct=False)
    if outside.passes:
        return replace(grade, correct=True, failure=None, fields=())
    refused = grade.failure is FailureClass.REFUSED
    return replace(grade, correct=False, failure=FailureClass.REFUSED if refused else FailureClass.LOW_SCORE)


def can_be_scored(prediction: Prediction, kind: OutputKind) -> bool:
    """Whether there is something to score: the format of the task, or for a text any that is whole, even if it breaks a rule."""
    if kind is OutputKind.TEXT:
        return not prediction.truncated and bool(answer_of(prediction.answer).strip())
    return prediction.format_valid


def with_outside_score(prediction: Prediction, outside: OutsideScore, grader: Grader) -> Prediction:
    """The same prediction with an outside score."""
    return grade_again(prediction.model_copy(update={"outside": outside}), grader, prediction.expected)


def unanswered_prediction(case_id: str, prompt: str, expected: str, reason: str, server_said: str, attempts: int) -> Prediction:
    """The prediction of a case that a server gave no answer to."""
    return Prediction(
        id=case_id,
        prompt=prompt,
        output="",
        expected=expected,
        format_valid=False,
        correct=False,
        failure_class=FailureClass.ENDPOINT_ERROR,
        fields=[],
        truncated=False,
        tokens=0,
        prompt_tokens=0,
        output_tokens=0,
        usage_known=False,
        attempts=attempts,
        unanswered=reason,
        server_said=server_said,
    )


def answered_predictions(predictions: Iterable[Prediction]) -> list[Prediction]:
    """The predictions that have an answer."""
    return [p for p in predictions if not p.unanswered]


def grade_again(prediction: Prediction, grader: Grader, expected: str) -> Prediction:
    """The same prediction, graded again from its output and the frozen case's expected answer."""
    if prediction.unanswered:
        reason, server_said, attempts = prediction.unanswered, prediction.server_said, prediction.attempts
        return unanswered_prediction(prediction.id, prediction.prompt, expected, reason, server_said, attempts)
    return grade_output(
        prediction.id,
        prediction.prompt,
        prediction.output,
        expected,
        grader,
        truncated=prediction.truncated,
        prompt_tokens=prediction.prompt_tokens,
        output_tokens=prediction.output_tokens,
        shown=prediction.shown,
        needed=prediction.needed,
        left_out=prediction.left_out,
        usage_known=prediction.usage_known,
        attempts=prediction.attempts,
        repaired=prediction.repaired,
        outside=prediction.outside,
    )


def repair_predictions(predictions: Iterable[Prediction], repair: Callable[[str], str | None], grader: Grader) -> list[Prediction]:
    """The predictions graded again, each after repair if its output can be repaired."""
    return [
        prediction
        if prediction.unanswered or (text := repair(prediction.output)) is None
        else grade_again(prediction.model_copy(update={"repaired": text}), grader, prediction.expected)
        for prediction in predictions
    ]


def failure_log(arm: str, predictions: Iterable[Prediction]) -> list[Failure]:
    """The failure log of an arm: one entry for each incorrect or unanswered case."""
    return [
        Failure(
            arm=arm,
            id=p.id,
            failure_class=p.failure_class,
            fields=p.fields,
            output=p.output,
            expected=p.expected,
            unanswered=p.unanswered,
            server_said=p.server_said,
        )
        for p in predictions
        if p.failure_class is not None
    ]


def prompts_digest(predictions: Iterable[Prediction]) -> str:
    """One digest of all case ids and exact prompts."""
    return sha256_data([[p.id, p.prompt] for p in predictions])


def to_jsonl(rows: Iterable[BaseModel]) -> str:
    """Rows as JSON lines, without fields that have their default value."""
    return "".join(row.model_dump_json(exclude_defaults=True) + "\n" for row in rows)


def read_predictions(text: str) -> list[Prediction]:
    """The predictions in the text of a `predictions.jsonl`."""
    return [Prediction.model_validate_json(line) for line in text.split("\n") if line]
