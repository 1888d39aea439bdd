"""The verdict: what the frozen cases say about tuning, with the interval around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneproof.engine.case.task import Metric
from tuneproof.engine.scoring import verdict_text as text
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.paired_scores import PairedScores
from tuneproof.engine.scoring.rule import Finding, MeasuredArm, TargetStatus, VerdictAnswer, best_untuned, compare, may_replace
from tuneproof.engine.scoring.statistics import cases_to_detect, holm, minimum_detectable_effect
from tuneproof.engine.scoring.verdict_schema import RULES, ArmComparison, PairedDifference, Verdict


@dataclass(frozen=True)
class ArmsInCase:
    """The arms that were scored, lightest first.

    `tuned` is the arm that the verdict is about, `seeds` further trainings of it, `also_tuned` other tuned arms, which decide nothing and
    may be the lightest that meets the target.
    """

    untuned: Sequence[ScoredArm]
    tuned: ScoredArm | None = None
    seeds: Sequence[ScoredArm] = ()
    also_tuned: Sequence[ScoredArm] = ()

    @property
    def all(self) -> list[ScoredArm]:
        """Every arm, lightest first."""
        return [*self.untuned, *([self.tuned] if self.tuned else []), *self.also_tuned]

    def named(self, name: str) -> ScoredArm:
        """The arm of this name. Raises StopIteration where there is none."""
        return next(arm for arm in self.all if arm.name == name)


def decide_verdict(measure: Measure | None, arms: ArmsInCase, missing: Sequence[str], route_steps: Sequence[str] = ()) -> Verdict:
    """The verdict on the arms so far; `missing` names what was not measured, `route_steps` what the route says to do next.

    Where a judge that may not decide has given the scores, it is inconclusive, whatever they are.
    """
    found = _decided(measure, arms, missing, route_steps)
    if measure is None or measure.judge_problem is None or measure.metric is not Metric.PREFERENCE or not arms.untuned:
        return found
    return found.model_copy(
        update={
            "answer": VerdictAnswer.INCONCLUSIVE,
            "headline": text.JUDGE_MAY_NOT_DECIDE,
            "reason": text.reason_of_judge(measure.judge_problem, found.reason),
            "good_enough": text.GOOD_ENOUGH_WITHOUT_JUDGE,
            "cases_to_tell": None,
            "next_steps": text.NEXT_WITHOUT_JUDGE,
        }
    )


def _decided(measure: Measure | None, arms: ArmsInCase, missing: Sequence[str], route_steps: Sequence[str]) -> Verdict:
    """The verdict by the scores alone.

    An untuned arm that is shown to meet the target ends it. Where the case names an incumbent, the tuned arm is held against that one.
    Else the tuned arm is compared with every untuned one, by the rule of `rule.Finding`.
    """
    if measure is None or not arms.untuned:
        return _nothing_measured(missing, route_steps)
    untuned = measure.arms(arms.untuned)
    shown = [arm.name for arm in untuned if arm.status(measure.at_least, len(untuned)) is TargetStatus.SHOWN]
    if arms.tuned is None:
        return _without_tuning(measure, arms, untuned, shown, missing, route_steps)
    *others, tuned = measure.arms([*arms.untuned, arms.tuned], arms.seeds)
    if measure.target is not None and measure.target.not_worse_than is not None:
        incumbent = next((arm for arm in others if arm.name == measure.target.not_worse_than), None)
        if incumbent is not None and incumbent.ranks:
            return _against_incumbent(measure, arms, tuned, incumbent, missing)
    finding = compare(tuned, others, measure.min_gain)
    if finding is None:
        lacking = [*missing, "an untuned arm that answered enough of the cases"]
        return _without_tuning(measure, arms, untuned, shown, lacking, route_steps)
    return _compared(measure, arms, untuned, tuned, finding, shown, missing)


def target_status(measure: Measure, untuned: Sequence[ScoredArm]) -> dict[str, TargetStatus]:
    """Which of the untuned arms meet the target, and how surely, paid for as many as there are."""
    return {arm.name: arm.status(measure.at_least, len(untuned)) for arm in measure.arms(untuned)}


def prompt_falls_short(measure: Measure, untuned: Sequence[ScoredArm]) -> bool | None:
    """Whether no untuned arm meets the target; None without a target, and where one meets it as measured, which is not shown."""
    statuses = {arm.status(measure.at_least, len(untuned)) for arm in measure.arms(untuned) if arm.ranks}
    if TargetStatus.SHOWN in statuses:
        return False
    return True if statuses == {TargetStatus.NOT_MET} else None


def _nothing_measured(missing: Sequence[str], route_steps: Sequence[str]) -> Verdict:
    return Verdict(
        answer=VerdictAnswer.INCONCLUSIVE,
        headline="nothing measured yet",
        reason=f"Nothing has been measured yet; missing: {', '.join(missing)}.",
        good_enough=text.NOTHING_TO_MEASURE_AGAINST,
        best_untuned_arm=None,
        meets_target=None,
        difference=None,
        graded=None,
        comparisons=[],
        minimum_detectable_effect=None,
        cases_to_tell=None,
        cost=None,
        missing=list(missing),
        next_steps=list(route_steps),
        rules=RULES,
    )


def _without_tuning(
    measure: Measure,
    arms: ArmsInCase,
    untuned: Sequence[MeasuredArm],
    shown: Sequence[str],
    missing: Sequence[str],
    route_steps: Sequence[str],
) -> Verdict:
    """The verdict before a tuned arm was scored."""
    best = best_untuned(untuned) or untuned[0]
    used = next((arm for arm in untuned if arm.name in shown), best)
    status = used.status(measure.at_least, len(untuned))
    answer = VerdictAnswer.DO_NOT_TUNE if shown else VerdictAnswer.INCONCLUSIVE
    return Verdict(
        answer=answer,
        headline=text.headline(answer, used.name, status, used.value, measure.at_least),
        reason=text.reason_without_tuning(measure, arms.named(used.name), status, missing),
        good_enough=text.good_enough(measure, arms.named(used.name), status),
        best_untuned_arm=best.name,
        meets_target=None if measure.at_least is None else status is not TargetStatus.NOT_MET,
        target=status,
        min_gain=measure.min_gain,
        difference=None,
        graded=None,
        comparisons=[],
        not_ranked=[arm.name for arm in untuned if not arm.ranks],
        minimum_detectable_effect=_detectable(untuned),
        cases_to_tell=None,
        cost=None,
        missing=list(missing),
        lightest_arm=_lightest(measure, arms),
        next_steps=text.next_steps_without_tuning(arms.named(used.name), status, route_steps),
        rules=RULES,
    )


def _compared(
    measure: Measure,
    arms: ArmsInCase,
    untuned: Sequence[MeasuredArm],
    tuned: MeasuredArm,
    finding: Finding,
    shown: Sequence[str],
    missing: Sequence[str],
) -> Verdict:
    assert arms.tuned is not None
    best = arms.named(finding.best)
    difference = measure.stored(finding.differences[best.name], finding.difference, finding.p_value, len(finding.differences))
    answer = VerdictAnswer.DO_NOT_TUNE if shown else finding.answer
    status = tuned.status(measure.at_least)
    used, used_status = (tuned, status) if not shown else (next(a for a in untuned if a.name == shown[0]), TargetStatus.SHOWN)
    needed = _cases_to_tell(finding, difference) if finding.answer is VerdictAnswer.INCONCLUSIVE else None
    return Verdict(
        answer=answer,
        headline=text.headline(answer, used.name, used_status, used.value, measure.at_least, difference),
        reason=text.reason(measure, arms.tuned, best, difference, answer, used_status, shown, needed),
        good_enough=text.good_enough(measure, arms.named(used.name), used_status),
        best_untuned_arm=best.name,
        meets_target=None if measure.at_least is None else used_status is not TargetStatus.NOT_MET,
        target=used_status,
        min_gain=measure.min_gain,
        difference=difference,
        graded=None,
        comparisons=_comparisons(finding),
        not_ranked=[arm.name for arm in untuned if not arm.ranks],
        minimum_detectable_effect=_effect(finding),
        cases_to_tell=needed,
        cost=text.cost(arms.tuned, arms.named(shown[0]) if shown else best, difference),
        missing=list(missing),
        lightest_arm=_lightest(measure, arms),
        next_steps=text.next_steps(measure, arms.tuned, best, answer, used_status, needed),
        rules=RULES,
    )


def _against_incumbent(measure: Measure, arms: ArmsInCase, tuned: MeasuredArm, incumbent: MeasuredArm, missing: Sequence[str]) -> Verdict:
    assert measure.target is not None and arms.tuned is not None
    answer, pair = may_replace(tuned, incumbent, measure.target.margin)
    difference = measure.stored(pair, pair.interval(), pair.p_value)
    status = tuned.status(measure.at_least)
    return Verdict(
        answer=answer,
        headline=text.replacement_headline(answer, measure.target.margin),
        reason=text.reason_against_incumbent(measure, arms.tuned, arms.named(incumbent.name), difference, answer),
        good_enough=text.good_enough(measure, arms.tuned, status),
        best_untuned_arm=incumbent.name,
        meets_target=None if measure.at_least is None else status is not TargetStatus.NOT_MET,
        target=status,
        min_gain=measure.min_gain,
        difference=difference,
        graded=None,
        comparisons=[],
        minimum_detectable_effect=round(minimum_detectable_effect(pair.units, max(pair.discordance, 1 / pair.cases)), 6),
        cases_to_tell=None,
        cost=text.cost(arms.tuned, arms.named(incumbent.name), difference),
        missing=list(missing),
        lightest_arm=_lightest(measure, arms),
        next_steps=text.replacement_next_steps(answer),
        rules=RULES,
    )


def _comparisons(finding: Finding) -> list[ArmComparison]:
    adjusted = holm([pair.p_value for pair in finding.differences.values()])
    found = []
    for (name, pair), p_holm in zip(finding.differences.items(), adjusted, strict=True):
        interval = pair.interval()
        found.append(
            ArmComparison(
                arm=name,
                estimate=round(interval.estimate, 6),
                low=round(interval.low, 6),
                high=round(interval.high, 6),
                p_value=float(f"{pair.p_value:.6g}"),
                p_holm=float(f"{p_holm:.6g}"),
            )
        )
    return found


def _lightest(measure: Measure, arms: ArmsInCase) -> str | None:
    if measure.at_least is None:
        return None
    return next((arm.name for arm in measure.arms(arms.all) if arm.value >= measure.at_least), None)


def _effect(finding: Finding) -> float:
    """The smallest difference from the best untuned arm that is found four times in five, with the disagreement as measured."""
    return round(_detects(finding.differences[finding.best]), 6)


def _detects(pair: PairedScores) -> float:
    return minimum_detectable_effect(pair.cases, max(pair.discordance, 1 / pair.cases) * pair.design_effect)


def _detectable(untuned: Sequence[MeasuredArm]) -> float | None:
    """The same before tuning: the untuned arms' own disagreement stands in, the assumed one where there is a single arm."""
    ranking = [arm for arm in untuned if arm.ranks]
    if not ranking:
        return None
    pairs = [first.against(second) for at, first in enumerate(ranking) for second in ranking[at + 1 :]]
    if not pairs:
        return round(minimum_detectable_effect(len(ranking[0].answered)), 6)
    return round(max(map(_detects, pairs)), 6)


def _cases_to_tell(finding: Finding, difference: PairedDifference) -> int | None:
    """How many cases would show a difference as large as the measured one; None where there is none to show."""
    pair = finding.differences[finding.best]
    disagreement = max(pair.discordance, difference.estimate**2, 1 / pair.cases)
    estimate = min(abs(difference.estimate), disagreement)
    return cases_to_detect(estimate, disagreement * pair.design_effect) if estimate else None
