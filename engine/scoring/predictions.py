"""The answers of an arm to each case, and the scores computed from them. Both are stored, and `verify` computes them again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.case.task import Metric, OutputKind
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.graders import FailureClass, Grade, Grader
from tuneproof.engine.scoring.statistics import wilson


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
    """The output after repair, which is judged in its place; None if it was not repaired."""

    @property
    def answer(self) -> str:
        """The text that is judged."""
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


class Scores(BaseModel):
    """The scores of an arm on the frozen cases, computed over the `n` cases that have an answer.

    `seconds` is measured; everything else follows from the predictions. The last four fields are stored only if they are not empty.
    """

    model_config = ConfigDict(extra="forbid")

    arm: str
    n: int
    format_valid: Rate
    correct: Rate
    metrics: dict[Metric, float]
    failures: dict[FailureClass, int]
    wrong_fields: dict[str, int]
    truncated: int
    tokens_per_case: float
    prompt_tokens_per_case: float
    seconds: float
    seconds_per_case: float
    recall: Rate | None = None
    """The share of the cases that name documents whose prompts have a passage of each of them; None if no case names one."""
    left_out: int = 0
    unanswered: dict[str, int] = Field(default={}, exclude_if=lambda reasons: not reasons)
    """Number of cases without an answer, by the reason."""
    metrics_at_worst: dict[Metric, float] = Field(default={}, exclude_if=lambda metrics: not metrics)
    """The metrics with unanswered cases counted as wrong."""
    tokens_untold: int = Field(default=0, exclude_if=lambda count: not count)
    """Number of answers without token counts; tokens per case are the mean of the others."""
    attempts: int = Field(default=0, exclude_if=lambda count: not count)
    """Number of requests, if some were repeated."""

    @property
    def all_cases(self) -> int:
        """Number of frozen cases, unanswered ones included."""
        return self.n + sum(self.unanswered.values())


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
) -> Prediction:
    """The prediction of a case that has an answer, judged against `expected`, after repair if it has a repaired text."""
    judged = grader.grade(output if repaired is None else repaired, expected, truncated=truncated)
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
    )


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
    """The same prediction, judged again from its output and the frozen case's expected answer."""
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
    )


def repair_predictions(predictions: Iterable[Prediction], repair: Callable[[str], str | None], grader: Grader) -> list[Prediction]:
    """The predictions judged again, each after repair if its output can be repaired."""
    return [
        prediction
        if prediction.unanswered or (text := repair(prediction.output)) is None
        else grade_again(prediction.model_copy(update={"repaired": text}), grader, prediction.expected)
        for prediction in predictions
    ]


def score_predictions(arm: str, all_predictions: Sequence[Prediction], kind: OutputKind, grader: Grader, seconds: float) -> Scores:
    """The scores of an arm over the cases that have an answer; `seconds` is the time they took. Raises ValueError if no case has one."""
    predictions = answered_predictions(all_predictions)
    n = len(predictions)
    counted = [p for p in predictions if p.usage_known]
    attempts = sum(p.attempts for p in all_predictions)
    return Scores(
        arm=arm,
        n=n,
        format_valid=wilson_rate(sum(p.format_valid for p in predictions), n),
        correct=wilson_rate(sum(p.correct for p in predictions), n),
        metrics=compute_metrics(kind, predictions, grader),
        failures=dict(Counter(p.failure_class for p in predictions if p.failure_class).most_common()),
        wrong_fields=dict(Counter(f for p in predictions for f in p.fields).most_common()),
        truncated=sum(p.truncated for p in predictions),
        tokens_per_case=round(sum(p.tokens for p in counted) / max(1, len(counted)), 3),
        prompt_tokens_per_case=round(sum(p.prompt_tokens for p in counted) / max(1, len(counted)), 3),
        seconds=seconds,
        seconds_per_case=round(seconds / n, 6),
        recall=_recall(predictions),
        left_out=sum(p.left_out for p in predictions),
        unanswered=dict(Counter(p.unanswered for p in all_predictions if p.unanswered).most_common()),
        metrics_at_worst=compute_metrics(kind, all_predictions, grader) if n < len(all_predictions) else {},
        tokens_untold=n - len(counted),
        attempts=attempts if attempts > len(all_predictions) else 0,
    )


def _recall(predictions: Sequence[Prediction]) -> Rate | None:
    naming = [p for p in predictions if p.needed]
    if not naming:
        return None
    found = sum({place.rpartition(":")[0] for place in p.shown}.issuperset(p.needed) for p in naming)
    return wilson_rate(found, len(naming))


def wilson_rate(successes: int, n: int) -> Rate:
    """A proportion with its Wilson interval, rounded as it is stored."""
    interval = wilson(successes, n)
    return Rate(rate=round(interval.estimate, 6), low=round(interval.low, 6), high=round(interval.high, 6))


def compute_metrics(kind: OutputKind, predictions: Sequence[Prediction], grader: Grader) -> dict[Metric, float]:
    """Every metric of the output kind, each between 0 and 1; unanswered cases count as wrong."""
    grades = [_grade(p, grader) for p in predictions]
    n = len(predictions)
    correct = round(sum(p.correct for p in predictions) / n, 6)
    match kind:
        case OutputKind.JSON:
            fields = round(sum(j.field_score for j in grades) / n, 6)
            return {Metric.EXACT_MATCH: correct, Metric.FIELD_ACCURACY: fields}
        case OutputKind.CHOICE:
            pairs = [(answer_of(p.expected).strip(), j.answer) for p, j in zip(predictions, grades, strict=True)]
            return {
                Metric.CHOICE_ACCURACY: correct,
                Metric.MACRO_F1: round(macro_f1(pairs), 6),
                Metric.EXACT_MATCH: correct,
            }
        case OutputKind.PATTERN:
            same = sum(answer_of(p.answer).strip() == answer_of(p.expected).strip() for p in answered_predictions(predictions))
            return {Metric.PATTERN_MATCH: correct, Metric.EXACT_MATCH: round(same / n, 6)}
        case OutputKind.TEXT:
            return {Metric.EXACT_MATCH: correct}


def _grade(prediction: Prediction, grader: Grader) -> Grade:
    if prediction.unanswered:
        return Grade(False, False, FailureClass.ENDPOINT_ERROR)
    return grader.grade(prediction.answer, prediction.expected, truncated=prediction.truncated)


def macro_f1(pairs: Iterable[tuple[str, str]]) -> float:
    """Macro-averaged F1 of (expected, answered) pairs, over the labels that occur; an empty answer is not a label.

    Equal to `sklearn.metrics.f1_score(average="macro")` over these labels.
    """
    expected: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for wanted, got in pairs:
        expected[wanted] += 1
        if got:
            answered[got] += 1
        right[wanted] += wanted == got
    labels = expected.keys() | answered.keys()
    return sum(2 * right[label] / (expected[label] + answered[label]) for label in labels) / len(labels)


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
