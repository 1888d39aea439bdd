"""The section Cost of the card: what the run took, what 1,000 requests take by arm, and when the training has paid for itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.arms import arms_of
from tuneproof.engine.arms.arm import PRICED_REQUESTS
from tuneproof.engine.behaviour.time_taken import seconds_taken
from tuneproof.engine.card.evidence import Evidence
from tuneproof.engine.card.judge_section import JudgeSection
from tuneproof.engine.case.arm_names import arm_of_row, is_repaired
from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.step_id import StepKind
from tuneproof.engine.run.variants import CURVE, compared_variant, seed_variant
from tuneproof.engine.scoring.measure import ScoredArm
from tuneproof.engine.scoring.rule import VerdictAnswer
from tuneproof.engine.scoring.verdict_schema import Verdict

SECONDS_PER_HOUR = 3600

SHORT = 0.1
"""Hours below which the seconds are shown too."""


class Device(StrEnum):
    """What the time of the run is counted on. An hour of a CPU is one of all its cores together."""

    CPU = "CPU"
    GPU = "GPU"


class SpentOn(StrEnum):
    """What took time or money."""

    TRAINING = "the training, with its validation probes"
    OTHER_TRAININGS = "trainings besides it: other seeds, methods, or shares of train"
    PROMPT_SEARCH = "the search for a prompt"
    ANSWERS = "the answers to the eval cases"
    RISK = "answers and likelihoods about what tuning did besides the task (risk)"
    ENDPOINT = "the answers of the endpoint to the eval cases"
    JUDGE = "the judge, with its check"


class Spent(BaseModel):
    """What one kind of work took."""

    model_config = ConfigDict(extra="forbid")

    on: SpentOn
    hours: float | None
    """Of devices: the time on each one added up. None where a server did the work."""
    usd: float | None
    """None without a price."""


class RequestCost(BaseModel):
    """What a request to one arm takes, as the mean over the eval cases that have an answer."""

    model_config = ConfigDict(extra="forbid")

    arm: str
    is_external: bool
    """Whether a server answered: the seconds are then those of waiting, and the tokens those of another tokenizer."""
    prompt_tokens: float | None
    """None if a server did not report its tokens."""
    new_tokens: float | None
    seconds: float
    """Time of decoding all cases in batches, divided by their number; of a server, with several requests at a time."""
    usd_per_1000: float | None


class BreakEven(BaseModel):
    """After how many requests the tuned arm has saved what its training took, against the best untuned arm. None: never, or not known."""

    model_config = ConfigDict(extra="forbid")

    against: str
    in_usd: bool
    """Whether `requests` compares money, as for an endpoint; else device time, which money is a multiple of."""
    requests: int | None
    fewer_prompt_tokens: float | None = None
    """How many tokens fewer the prompt of a tuned request has; None where the tokens do not compare."""
    by_tokens: int | None = None
    """Requests whose saved prompt tokens are as many as the tokens that the training read; None if none are saved."""
    is_known: bool = True
    """Whether time or prices of both sides are known; if so, `requests` of None means that a tuned request is not cheaper."""


class CostSection(BaseModel):
    """What the run took and what requests take, computed from stored seconds and tokens."""

    model_config = ConfigDict(extra="forbid")

    summary: Sentence
    device: Device
    spent: list[Spent]
    trained_tokens: int | None = None
    """Tokens that the training read, padding not counted; None in runs that did not store the length of their rows."""
    requests: list[RequestCost]
    break_even: BreakEven | None = Field(default=None, exclude_if=lambda value: value is None)
    """None if nothing was trained."""


def cost(evidence: Evidence, verdict: Verdict, judge: JudgeSection | None) -> CostSection | None:
    """The section for what was measured so far; None before an arm has been scored."""
    if not evidence.arms:
        return None
    device = Device.CPU if evidence.model is None or evidence.model.device == "cpu" else Device.GPU
    spent, requests = [*_spent(evidence, device), *_spent_on(judge)], [_request_cost(arm, evidence) for arm in evidence.arms]
    tokens = _trained_tokens(evidence)
    even = _break_even(evidence, verdict, requests, spent, tokens)
    summary = summary_of(device, spent, requests, even, evidence.tuned.name if evidence.tuned else None)
    return CostSection(summary=summary, device=device, spent=spent, trained_tokens=tokens, requests=requests, break_even=even)


def _spent(evidence: Evidence, device: Device) -> Iterator[Spent]:
    rate, store = evidence.case.budget.usd_per_gpu_hour, evidence.store

    def of(on: SpentOn, seconds: float) -> Iterator[Spent]:
        if seconds > 0:
            hours = seconds / SECONDS_PER_HOUR
            yield Spent(on=on, hours=_rounded(hours), usd=None if rate is None else _rounded(hours * rate))

    if evidence.training is not None and evidence.training.seconds is not None:
        yield from of(SpentOn.TRAINING, evidence.training.seconds * _devices(evidence, evidence.method, device))
    yield from of(SpentOn.OTHER_TRAININGS, sum(_other_trainings(evidence, device)))
    searched = [artifacts.search_file(arm.name) for arm in evidence.untuned if not is_repaired(arm.name)]
    found = [artifacts.SearchFacts.model_validate_json(store.read(name)) for name in searched if store.has(name)]
    yield from of(SpentOn.PROMPT_SEARCH, sum(each.seconds for each in found))
    answering = [arm for arm in evidence.answering if not is_repaired(arm.name)]
    yield from of(SpentOn.ANSWERS, sum(arm.scores.seconds for arm in answering if not arm.is_external))
    yield from of(SpentOn.RISK, seconds_taken(store))
    # Only an arm asks a server; the models besides the tuned one answer here.
    external = [(_usd_per_1000(arm, evidence), arm.scores.n) for arm in evidence.untuned if arm.is_external]
    if known := [usd * n / PRICED_REQUESTS for usd, n in external if usd is not None]:
        yield Spent(on=SpentOn.ENDPOINT, hours=None, usd=_rounded(sum(known)))


def _spent_on(judge: JudgeSection | None) -> Iterator[Spent]:
    if judge is not None and judge.usd is not None:
        yield Spent(on=SpentOn.JUDGE, hours=None, usd=judge.usd)


def _devices(evidence: Evidence, method: artifacts.MethodFacts | None, device: Device) -> int:
    """How many devices a training ran on: a GPU for each process, or the CPU of each node."""
    if device is Device.CPU:
        return evidence.case.training.nodes
    return method.planned.processes if method is not None and method.planned is not None else 1


def _other_trainings(evidence: Evidence, device: Device) -> Iterator[float]:
    """The seconds on all devices of each training besides that of the tuned arm."""
    store = evidence.store
    steps = store.manifest.steps
    of_case = _devices(evidence, evidence.method, device)
    seeds = [seed_variant(int(name)) for name in store.manifest.names(StepKind.SEED_TRAIN)]
    for variant in [*seeds, *(point for point in CURVE.values() if point.weights_step in steps)]:
        yield (_training(evidence, variant.summary).seconds or 0.0) * of_case
    for name in store.manifest.names(StepKind.COMPARED_TRAIN):
        variant = compared_variant(name)
        plan = artifacts.MethodFacts.model_validate_json(store.read(variant.plan))
        yield (_training(evidence, variant.summary).seconds or 0.0) * _devices(evidence, plan, device)


def _training(evidence: Evidence, summary: str) -> artifacts.TrainingFacts:
    return artifacts.TrainingFacts.model_validate_json(evidence.store.read(summary))


def _trained_tokens(evidence: Evidence) -> int | None:
    """The tokens of all rows of all steps, prompt and answer, from the mean length of the train rows."""
    method, training = evidence.method, evidence.training
    if method is None or training is None or method.length is None or method.length.mean is None:
        return None
    batch = method.settings.get("batch_size")
    if not batch:
        return None
    epochs = training.steps / math.ceil(training.examples / batch)
    return round(epochs * training.examples * method.length.mean)


def _request_cost(arm: ScoredArm, evidence: Evidence) -> RequestCost:
    scores = arm.scores
    known = scores.tokens_untold < scores.n
    return RequestCost(
        arm=arm.name,
        is_external=arm.is_external,
        prompt_tokens=scores.prompt_tokens_per_case if known else None,
        new_tokens=_rounded(scores.tokens_per_case - scores.prompt_tokens_per_case) if known else None,
        seconds=scores.seconds_per_case,
        usd_per_1000=_usd_per_1000(arm, evidence),
    )


def _usd_per_1000(arm: ScoredArm, evidence: Evidence) -> float | None:
    return arms_of(evidence.case)[arm_of_row(arm.name)].usd_per_1000_requests(evidence.case, arm.scores)


def _break_even(
    evidence: Evidence, verdict: Verdict, requests: Sequence[RequestCost], spent: Sequence[Spent], tokens: int | None
) -> BreakEven | None:
    by_arm = {each.arm: each for each in requests}
    other = by_arm.get(verdict.best_untuned_arm or "")
    # A model that is not to be used never pays for its training, however cheap its requests are.
    if evidence.tuned is None or other is None or verdict.answer is VerdictAnswer.DO_NOT_TUNE:
        return None
    training = next((each for each in spent if each.on is SpentOn.TRAINING), None)
    return break_even(by_arm[evidence.tuned.name], other, training, tokens)


def break_even(tuned: RequestCost, other: RequestCost, training: Spent | None, tokens: int | None) -> BreakEven:
    """After how many requests a tuned arm has paid for its training, in device time, or in money where a server answers the other arm."""
    in_usd = other.is_external
    each = (tuned.usd_per_1000, other.usd_per_1000) if in_usd else (tuned.seconds, other.seconds)
    spent = None if training is None else training.usd if in_usd else training.hours
    if spent is None or each[0] is None or each[1] is None:
        return BreakEven(against=other.arm, in_usd=in_usd, requests=None, is_known=False)
    saved = each[1] - each[0]
    per_request = saved / PRICED_REQUESTS if in_usd else saved / SECONDS_PER_HOUR
    fewer = None
    if not in_usd and tuned.prompt_tokens is not None and other.prompt_tokens is not None:
        fewer = _rounded(other.prompt_tokens - tuned.prompt_tokens)
    return BreakEven(
        against=other.arm,
        in_usd=in_usd,
        requests=math.ceil(spent / per_request) if saved > 0 else None,
        fewer_prompt_tokens=fewer,
        by_tokens=math.ceil(tokens / fewer) if tokens is not None and fewer is not None and fewer > 0 else None,
    )


def summary_of(device: Device, spent: Sequence[Spent], requests: Sequence[RequestCost], even: BreakEven | None, tuned: str | None) -> str:
    """The costs in a line: what the training took, what 1,000 requests take, and when it is paid for."""
    training = next((each for each in spent if each.on is SpentOn.TRAINING), None)
    if training is None:
        hours = sum(each.hours or 0.0 for each in spent)
        return f"The run took {hours:.2g} {device}-hours for answers." if hours else "Only a server was asked; no device of this machine."
    took = f"The training took {spent_text(training, device)}"
    by_arm = {each.arm: each for each in requests}
    mine = by_arm.get(tuned or "")
    if even is None or mine is None:
        return f"{took}."
    other = by_arm[even.against]
    now = f"{took}; 1,000 requests take {_for_1000(mine, even.in_usd)} with {mine.arm}, {_for_1000(other, even.in_usd)} with {other.arm}"
    if not even.is_known:
        return f"{now}. When the training is paid for is not known, because a price is missing."
    if even.requests is None:
        return f"{now}. The training is never paid for: a request to the tuned arm is not cheaper."
    return f"{now}. The training is paid for after {even.requests:,} requests."


def _for_1000(each: RequestCost, in_usd: bool) -> str:
    if in_usd:
        return "an unknown sum" if each.usd_per_1000 is None else f"${each.usd_per_1000:.4g}"
    usd = "" if each.usd_per_1000 is None else f" (${each.usd_per_1000:.4g})"
    return f"{seconds_text(each.seconds * PRICED_REQUESTS)} s{usd}"


def seconds_text(seconds: float) -> str:
    """Seconds with three digits that count, or more of them before the point."""
    return f"{seconds:.3g}" if seconds < 1000 else f"{seconds:,.0f}"


def spent_text(each: Spent, device: Device) -> str:
    """Hours and money, as far as they are known; of a short time the seconds too."""
    found = []
    if each.hours is not None:
        seconds = f" ({each.hours * SECONDS_PER_HOUR:.3g} s)" if each.hours < SHORT else ""
        found.append(f"{each.hours:.2g} {device}-hours{seconds}")
    if each.usd is not None:
        found.append(f"${each.usd:.2g}" if each.usd < 1 else f"${each.usd:,.2f}")
    return ", ".join(found)


def _rounded(value: float) -> float:
    return round(value, 6)
