"""The section of the card about the judge: who it is, how it did in its check, and what it said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.case.judge import Judge
from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.run.artifacts import tried_file
from tuneproof.engine.run.event import Rate
from tuneproof.engine.run.judge_files import JUDGE, KNOWN, LABELLED, JudgeFacts
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.judge_check import Agreement, CheckedLabel, CheckedPair, JudgeCheck, judge_check
from tuneproof.engine.scoring.judgement import Judgement, JudgementCounts, count_judgements
from tuneproof.engine.scoring.measure import ScoredArm
from tuneproof.engine.scoring.variant_selection import read_variant_predictions


class JudgeSection(BaseModel):
    """The judge, its check, and its verdicts counted."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    summary: Sentence
    judge: JudgeFacts
    check: JudgeCheck
    may_decide: bool
    verdicts: JudgementCounts
    """Of all answers to the eval cases, against references and side by side."""
    choosing: JudgementCounts
    """Of the answers to validation cases that chose the prompts of arms."""
    usd: float | None
    """What all these replies and those of its check cost, from the prices of the case; None without prices or token counts."""


def stored_check(store: RunStore) -> JudgeCheck | None:
    """The check of the judge, counted from the stored pairs; None for a run without a judge."""
    if StepId(StepKind.JUDGE) not in store.manifest.steps:
        return None
    known = [CheckedPair.model_validate_json(line) for line in store.read(KNOWN).split("\n") if line]
    has_labels = LABELLED in store.manifest.steps[StepId(StepKind.JUDGE)].files
    labels = [CheckedLabel.model_validate_json(line) for line in store.read(LABELLED).split("\n") if line] if has_labels else None
    return judge_check(known, labels)


def judge_section(store: RunStore, judge: Judge | None, arms: Sequence[ScoredArm]) -> JudgeSection | None:
    """The section; None for a run without a judge. `arms` are all models that answered the eval cases."""
    check = stored_check(store)
    if check is None:
        return None
    facts = JudgeFacts.model_validate_json(store.read(JUDGE))
    verdicts = count_judgements(list(_judgements(arms)))
    choosing = count_judgements([each for name in store.manifest.names(StepKind.ARM) for each in _choosing(store, name)])
    counts = [check.counts, verdicts, choosing]
    usd = _usd(judge, counts)
    return JudgeSection(
        summary=_summary(facts, check, verdicts, sum(each.prompt_tokens + each.reply_tokens for each in counts), usd),
        judge=facts,
        check=check,
        may_decide=check.problem is None,
        verdicts=verdicts,
        choosing=choosing,
        usd=usd,
    )


def judge_lines(section: JudgeSection) -> list[str]:
    """The agreement by the way of spoiling, and what the judge was asked."""
    check = section.check
    lines = [f"{way}: {each.agreed} of {each.pairs} pairs" for way, each in check.by_way.items()]
    lines.append(f"the same place in both orders: {check.counts.follows_position} of {check.counts.asked} pairs of the check")
    counts = section.verdicts
    lines.append(
        f"on the eval cases: {counts.pairs} pairs, of which {counts.pairs - counts.asked} were decided without it (equal, or not whole), "
        f"{counts.inconsistent} inconsistent and {counts.unreadable} unreadable, which count as ties"
    )
    lines.append(f"rubric: {' '.join(section.judge.rubric.split())}")
    return lines


def _choosing(store: RunStore, arm: str) -> list[Judgement]:
    """The verdicts on the answers that chose the prompt of an arm."""
    name = tried_file(arm)
    if name not in store.manifest.steps[StepId.arm(arm)].files:
        return []
    rows = read_variant_predictions(store.read(name))
    return [row.outside.judgement for row in rows if row.outside is not None and row.outside.judgement is not None]


def _judgements(arms: Iterable[ScoredArm]) -> Iterable[Judgement]:
    for arm in arms:
        yield from (each.outside.judgement for each in arm.predictions if each.outside is not None and each.outside.judgement is not None)
        for verdicts in arm.judged.values():
            yield from verdicts.values()


def _summary(facts: JudgeFacts, check: JudgeCheck, verdicts: JudgementCounts, tokens: int, usd: float | None) -> str:
    sentence = f"{facts.model} ({facts.place}) compared answers, each pair in both orders. "
    sentence += f"Its check: it knows the reference from a spoilt one on {_agreement(check.known)}"
    if check.labelled is not None:
        sentence += f", and agrees with people on {_agreement(check.labelled)} that they labelled"
    sentence += f". {check.problem[:1].upper()}{check.problem[1:]}: it may not decide." if check.problem else ". It may decide."
    if verdicts.asked:
        sentence += f" {verdicts.inconsistent} of {verdicts.asked} pairs that it was asked about were inconsistent."
    return f"{sentence} It read and wrote {tokens:,} tokens{'' if usd is None else f', for {usd:.2f} USD'}."


def _agreement(agreement: Agreement) -> str:
    return f"{agreement.agreed} of {agreement.pairs} pairs{'' if agreement.rate is None else f' [{_limits(agreement.rate)}]'}"


def _limits(rate: Rate) -> str:
    return f"{100 * rate.low:.0f} %, {100 * rate.high:.0f} %"


def _usd(judge: Judge | None, counts: Sequence[JudgementCounts]) -> float | None:
    prices = judge.endpoint if judge is not None else None
    if prices is None or prices.usd_per_million_input_tokens is None or prices.usd_per_million_output_tokens is None:
        return None
    if any(each.uncounted for each in counts):
        return None
    read, written = sum(each.prompt_tokens for each in counts), sum(each.reply_tokens for each in counts)
    return round((read * prices.usd_per_million_input_tokens + written * prices.usd_per_million_output_tokens) / 1e6, 6)
