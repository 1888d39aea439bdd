"""What an arm answered, case by case, and the scores that follow from it: stored, and computed again by `verify`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.case.task import Metric, OutputKind
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.judges import FailureClass, Judge, Judgement
from tuneproof.engine.scoring.statistics import wilson


class Prediction(BaseModel):
    """One line of `predictions.jsonl`: a case, the exact prompt, what came back, and what it is worth."""

    model_config = ConfigDict(extra="forbid")

    id: str
    prompt: str
    output: str
    expected: str
    format_valid: bool
    correct: bool
    failure_class: FailureClass | None
    fields: list[str]
    truncated: bool
    tokens: int
    prompt_tokens: int
    output_tokens: int
    shown: list[str] = []
    """Where what was shown beside the case stands, file and line; of solved examples and passages alike."""
    needed: list[str] = []
    """The documents that the case names as those its answer stands in, where the arm looks things up."""
    left_out: int = 0
    """Solved examples that were not shown because they are nearly the case itself."""
    tokens_told: bool = True
    """Whether the tokens are known: a server may not tell them."""
    attempts: int = 1
    unanswered: str = ""
    """Why a server gave no answer, in a few words that can be counted; such a case is neither right nor wrong."""
    server_said: str = ""


class Failure(BaseModel):
    """One line of the failure log: a case that an arm got wrong, or that its server did not answer, and why."""

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
    """An arm on the frozen cases; `seconds` was measured, everything else follows from the predictions.

    Everything is over the `n` cases that were answered; the last four are written only where some were not, or not told of.
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
    """Of the cases that name a document, those that were shown a passage of it."""
    left_out: int = 0
    unanswered: dict[str, int] = Field(default={}, exclude_if=lambda reasons: not reasons)
    """The cases that a server gave no answer to, by the reason."""
    metrics_at_worst: dict[Metric, float] = Field(default={}, exclude_if=lambda metrics: not metrics)
    """The metrics with the cases that have no answer counted as wrong."""
    tokens_untold: int = Field(default=0, exclude_if=lambda count: not count)
    """The answers whose tokens the server did not tell; those a case are over the others."""
    attempts: int = Field(default=0, exclude_if=lambda count: not count)
    """The requests that it took, where some had to be sent again."""

    @property
    def asked(self) -> int:
        """All frozen cases, with those that have no answer."""
        return self.n + sum(self.unanswered.values())


def judge_output(
    case_id: str,
    prompt: str,
    output: str,
    expected: str,
    judge: Judge,
    *,
    truncated: bool,
    prompt_tokens: int,
    output_tokens: int,
    shown: Sequence[str] = (),
    needed: Sequence[str] = (),
    left_out: int = 0,
    tokens_told: bool = True,
    attempts: int = 1,
) -> Prediction:
    """The line for one answered case."""
    judged = judge.judge(output, expected, truncated=truncated)
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
        tokens_told=tokens_told,
        attempts=attempts,
    )


def unanswered_prediction(case_id: str, prompt: str, expected: str, reason: str, server_said: str, attempts: int) -> Prediction:
    """The line for a case that a server gave no answer to."""
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
        tokens_told=False,
        attempts=attempts,
        unanswered=reason,
        server_said=server_said,
    )


def answered_predictions(predictions: Iterable[Prediction]) -> list[Prediction]:
    """Those that have an answer, which alone can be right or wrong."""
    return [p for p in predictions if not p.unanswered]


def judge_again(prediction: Prediction, judge: Judge, expected: str) -> Prediction:
    """The same prediction with its verdicts computed anew from the output and the frozen case."""
    if prediction.unanswered:
        told = prediction.unanswered, prediction.server_said, prediction.attempts
        return unanswered_prediction(prediction.id, prediction.prompt, expected, *told)
    return judge_output(
        prediction.id,
        prediction.prompt,
        prediction.output,
        expected,
        judge,
        truncated=prediction.truncated,
        prompt_tokens=prediction.prompt_tokens,
        output_tokens=prediction.output_tokens,
        shown=prediction.shown,
        needed=prediction.needed,
        left_out=prediction.left_out,
        tokens_told=prediction.tokens_told,
        attempts=prediction.attempts,
    )


def score_predictions(arm: str, everything: Sequence[Prediction], kind: OutputKind, judge: Judge, seconds: float) -> Scores:
    """The scores of an arm, over the cases that were answered. Raises ValueError where none was."""
    predictions = answered_predictions(everything)
    n = len(predictions)
    told = [p for p in predictions if p.tokens_told]
    attempts = sum(p.attempts for p in everything)
    return Scores(
        arm=arm,
        n=n,
        format_valid=wilson_rate(sum(p.format_valid for p in predictions), n),
        correct=wilson_rate(sum(p.correct for p in predictions), n),
        metrics=compute_metrics(kind, predictions, judge),
        failures=dict(Counter(p.failure_class for p in predictions if p.failure_class).most_common()),
        wrong_fields=dict(Counter(f for p in predictions for f in p.fields).most_common()),
        truncated=sum(p.truncated for p in predictions),
        tokens_per_case=round(sum(p.tokens for p in told) / max(1, len(told)), 3),
        prompt_tokens_per_case=round(sum(p.prompt_tokens for p in told) / max(1, len(told)), 3),
        seconds=seconds,
        seconds_per_case=round(seconds / n, 6),
        recall=_recall(predictions),
        left_out=sum(p.left_out for p in predictions),
        unanswered=dict(Counter(p.unanswered for p in everything if p.unanswered).most_common()),
        metrics_at_worst=compute_metrics(kind, everything, judge) if n < len(everything) else {},
        tokens_untold=n - len(told),
        attempts=attempts if attempts > len(everything) else 0,
    )


def _recall(predictions: Sequence[Prediction]) -> Rate | None:
    naming = [p for p in predictions if p.needed]
    if not naming:
        return None
    found = sum({place.rpartition(":")[0] for place in p.shown}.issuperset(p.needed) for p in naming)
    return wilson_rate(found, len(naming))


def wilson_rate(successes: int, n: int) -> Rate:
    """A proportion with its Wilson interval, as the files have it."""
    interval = wilson(successes, n)
    return Rate(rate=round(interval.estimate, 6), low=round(interval.low, 6), high=round(interval.high, 6))


def compute_metrics(kind: OutputKind, predictions: Sequence[Prediction], judge: Judge) -> dict[Metric, float]:
    """Every metric that means something for the output kind; what has no answer is wrong here."""
    judgements = [_judgement(p, judge) for p in predictions]
    n = len(predictions)
    correct = round(sum(p.correct for p in predictions) / n, 6)
    match kind:
        case OutputKind.JSON:
            fields = round(sum(j.field_score for j in judgements) / n, 6)
            return {Metric.EXACT_MATCH: correct, Metric.FIELD_ACCURACY: fields}
        case OutputKind.CHOICE:
            pairs = [(p.expected.strip(), j.answer) for p, j in zip(predictions, judgements, strict=True)]
            return {
                Metric.CHOICE_ACCURACY: correct,
                Metric.MACRO_F1: round(macro_f1(pairs), 6),
                Metric.EXACT_MATCH: correct,
            }
        case OutputKind.PATTERN:
            same = round(sum(p.output.strip() == p.expected.strip() for p in answered_predictions(predictions)) / n, 6)
            return {Metric.PATTERN_MATCH: correct, Metric.EXACT_MATCH: same}
        case OutputKind.TEXT:
            return {Metric.EXACT_MATCH: correct}


def _judgement(prediction: Prediction, judge: Judge) -> Judgement:
    if prediction.unanswered:
        return Judgement(False, False, FailureClass.ENDPOINT_ERROR)
    return judge.judge(prediction.output, prediction.expected, truncated=prediction.truncated)


def macro_f1(pairs: Iterable[tuple[str, str]]) -> float:
    """The mean over labels of F1, the labels being those that are expected or answered; an unreadable answer is no label.

    As `sklearn.metrics.f1_score(average="macro")` without the label for unreadable answers.
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
    """The failure log of an arm."""
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
    """One digest over the exact prompts, case by case."""
    return sha256_data([[p.id, p.prompt] for p in predictions])


def to_jsonl(rows: Iterable[BaseModel]) -> str:
    """Rows as JSON lines, without what is as it would be if it were not told."""
    return "".join(row.model_dump_json(exclude_defaults=True) + "\n" for row in rows)


def read_predictions(text: str) -> list[Prediction]:
    """The predictions of a stored file."""
    return [Prediction.model_validate_json(line) for line in text.split("\n") if line]
