"""The verdict in words: every sentence of the card that states a measured difference or a target."""

from __future__ import annotations

from collections.abc import Sequence

from tuneproof.engine.case.arm_names import arm_of_row, is_repaired
from tuneproof.engine.case.metric import PROSE
from tuneproof.engine.case.task import OUTSIDE_METRICS, Metric, OutputKind, Task
from tuneproof.engine.scoring.lower_bound import cases_to_show_target
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.metric_sums import PROPORTIONS
from tuneproof.engine.scoring.rule import TargetStatus, VerdictAnswer
from tuneproof.engine.scoring.verdict_schema import PairedDifference, Verdict

CHEAPER_TOKEN_SHARE = 0.8
"""From this share of the other arm's tokens on, an arm is called cheaper."""

MOST_DECIMALS = 3
SAME = 1e-9
"""Numbers that differ by less are the same one, computed in two ways."""


JUDGE_MAY_NOT_DECIDE = "the judge may not decide"
"""The headline where a judge failed its check."""

NEXT_WITHOUT_JUDGE = [
    "Start a new run with a stronger model as the judge (judge), or with a rubric that says more exactly what is better (judge.rubric).",
    "Or score the answers with a script of your own (task.metric).",
]
"""What to do about a judge that failed its check."""


NOTHING_TO_MEASURE_AGAINST = "Not known: nothing was measured."
GOOD_ENOUGH_WITHOUT_JUDGE = "Not known: the judge that gives the scores may not decide."
"""What there is to say about the target without a score."""


def reason_of_judge(problem: str, scores: str) -> str:
    """Why nothing is decided, and what the scores would have said."""
    return f"{problem[:1].upper()}{problem[1:]}: its verdicts decide nothing. What they came to: {scores}"


def headline(
    answer: VerdictAnswer,
    used: str,
    status: TargetStatus,
    value: float,
    at_least: float | None,
    difference: PairedDifference | None = None,
) -> str:
    """The answer in a few words: whether tuning is better, and whether the arm that would be used is good enough."""
    if answer is VerdictAnswer.TUNE:
        return f"better than prompting{_good_enough(status, value, at_least)}"
    if answer is VerdictAnswer.DO_NOT_TUNE and status is TargetStatus.SHOWN:
        return "a parser fixes it" if is_repaired(used) else "a prompt is good enough"
    if answer is VerdictAnswer.DO_NOT_TUNE:
        worse = difference is not None and difference.high < 0
        return "tuning made it worse" if worse else "no gain worth a model of your own"
    return "tuning was not measured" if difference is None else "these cases cannot show whether tuning helps"


def _good_enough(status: TargetStatus, value: float, at_least: float | None) -> str:
    match status:
        case TargetStatus.SHOWN:
            return ", and good enough"
        case TargetStatus.MEASURED:
            return f", and good enough as measured ({_beside(value, at_least)}), which is not shown"
        case TargetStatus.NOT_MET:
            return f", not good enough: measured {_beside(value, at_least)}"
        case _:
            return ""


def reason_without_tuning(measure: Measure, arm: ScoredArm, status: TargetStatus, missing: Sequence[str]) -> str:
    """Why there is no tuned arm yet, or need be none."""
    if status is TargetStatus.SHOWN:
        return f"{arm.name} meets the target without any training: {against_target(measure, arm, status)}.{_by_parser(arm.name)}"
    sentence = f"The best untuned arm is {arm.name}: {score_of_arm(measure, arm)}."
    if status is TargetStatus.MEASURED:
        sentence += f" It meets the target as measured, which is not shown: {against_target(measure, arm, status)}."
    return f"{sentence} Missing: {', '.join(missing)}." if missing else sentence


def reason(
    measure: Measure,
    tuned: ScoredArm,
    best: ScoredArm,
    difference: PairedDifference,
    answer: VerdictAnswer,
    status: TargetStatus,
    shown: Sequence[str],
    needed: int | None,
) -> str:
    """What the comparison of the tuned arm with the best untuned one came to."""
    compared = (
        f"{tuned.name}: {score_of_arm(measure, tuned)}; the best untuned arm, {best.name}: {score_of_arm(measure, best)}. "
        f"{_difference(measure, tuned.name, best.name, difference, measure.min_gain)}, {format_test(difference)}."
    )
    if shown:
        return f"{shown[0]} is shown to meet the target of {measure.at_least:g} without any training.{_by_parser(shown[0])} {compared}"
    parts = [compared]
    if answer is VerdictAnswer.DO_NOT_TUNE:
        parts.append("Tuning made it worse." if difference.high < 0 else f"A gain of {_points(measure.min_gain)} is ruled out.")
    if answer is VerdictAnswer.INCONCLUSIVE:
        parts.append(_cannot_tell(difference, needed))
    if difference.seeds == 1:
        parts.append("This is one training: the luck of training is not in this interval.")
    else:
        parts.append(f"{difference.seeds} trainings with different seeds: the interval covers cases and seeds.")
    if status is not TargetStatus.NONE:
        parts.append(f"The target: {against_target(measure, tuned, status)}.")
    return " ".join(parts)


def _difference(measure: Measure, tuned: str, other: str, difference: PairedDifference, limit: float) -> str:
    """The difference with its interval, told from a limit; of answers that a judge saw side by side, with how often it preferred which."""
    if not difference.judged:
        return f"Difference in {measure.metric}: {format_interval(difference, limit)}"
    first = "" if difference.seeds == 1 else ", in its first training,"
    return (
        f"Side by side the judge preferred {tuned}{first} on {difference.only_tuned_right} of {difference.cases} cases, {other} on "
        f"{difference.only_untuned_right}, and neither on {difference.ties}. Wins minus losses: {format_interval(difference, limit)}"
    )


def _by_parser(arm: str) -> str:
    return f" A parser fixes it: what {arm_of_row(arm)} gets wrong is the form of its answers." if is_repaired(arm) else ""


def _cannot_tell(difference: PairedDifference, needed: int | None) -> str:
    sentence = f"{difference.cases} cases do not settle it"
    if difference.clusters is not None:
        sentence = f"{difference.cases} cases in {difference.clusters} groups do not settle it"
    more = (needed or 0) - difference.cases
    if more > 0:
        return f"{sentence}; to show a difference of this size four times in five takes about {more:,} more."
    return f"{sentence}."


def reason_against_incumbent(
    measure: Measure, tuned: ScoredArm, incumbent: ScoredArm, difference: PairedDifference, answer: VerdictAnswer
) -> str:
    """Whether the tuned model may take the place of the one that runs today."""
    assert measure.target is not None
    margin = _points(measure.target.margin)
    compared = (
        f"{tuned.name}: {score_of_arm(measure, tuned)}; {incumbent.name}, which runs today: {score_of_arm(measure, incumbent)}. "
        f"{_difference(measure, tuned.name, incumbent.name, difference, -measure.target.margin)}."
    )
    match answer:
        case VerdictAnswer.REPLACE:
            return f"{compared} It is worse by less than {margin}, beyond what luck explains."
        case VerdictAnswer.DO_NOT_REPLACE:
            return f"{compared} It is worse by more than {margin}, beyond what luck explains."
        case _:
            return f"{compared} Whether it is worse by more than {margin} is not settled by {difference.cases} cases."


def replacement_headline(answer: VerdictAnswer, margin: float) -> str:
    """The answer about an incumbent in a few words."""
    match answer:
        case VerdictAnswer.REPLACE:
            return f"as good as what runs today, within {_points(margin)}"
        case VerdictAnswer.DO_NOT_REPLACE:
            return f"worse than what runs today by more than {_points(margin)}"
        case _:
            return "these cases cannot show whether it is as good as what runs today"


def against_target(measure: Measure, arm: ScoredArm, status: TargetStatus) -> str:
    """The arm's score beside the target, and how sure that is."""
    value = f"{measure.metric} {_beside(measured_value(measure, arm), measure.at_least)}"
    match status:
        case TargetStatus.SHOWN:
            return f"met and shown ({value})"
        case TargetStatus.MEASURED:
            more = _more_for_target(measure, arm)
            return f"met as measured, not shown ({value}){more}"
        case _:
            return f"not met ({value})"


def _beside(value: float, at_least: float | None) -> str:
    """A measured value with what was asked for, in as many decimals as tell them apart."""
    asked = at_least or 0.0
    return f"{value:.{_decimals([value], [asked], fewest=2)}f}, asked for {asked:g}"


def _more_for_target(measure: Measure, arm: ScoredArm) -> str:
    """How many more cases would show a target that is met as measured."""
    value, at_least = measured_value(measure, arm), measure.at_least
    if at_least is None or measure.metric not in PROPORTIONS or value <= at_least:
        return ""
    needed = cases_to_show_target(value, at_least)
    more = (needed or 0) - len(arm.predictions)
    return f"; about {more:,} more cases at this rate would show it" if more > 0 else ""


def good_enough(measure: Measure, arm: ScoredArm, status: TargetStatus) -> str:
    """Whether an arm that would be used is good enough, as an answer to that question."""
    if status is TargetStatus.NONE:
        return "The case does not say what is good enough (target.at_least)."
    value = f"{arm.name} has {measure.metric} {_beside(measured_value(measure, arm), measure.at_least)}"
    match status:
        case TargetStatus.SHOWN:
            return f"Yes, and shown: {value}."
        case TargetStatus.MEASURED:
            return f"As measured, which is not shown: {value}{_more_for_target(measure, arm)}."
        case _:
            return f"No: {value}."


def measured_value(measure: Measure, arm: ScoredArm) -> float:
    """The metric that decides, of an arm, a case without an answer counted as wrong."""
    return measure.arms([arm])[0].value


def score_of_arm(measure: Measure, arm: ScoredArm) -> str:
    """What an arm came to, counted where the metric is a share of right cases, and what of it is no whole answer."""
    n = len(arm.predictions)
    unanswered = sum(bool(prediction.unanswered) for prediction in arm.predictions)
    lacking = [f"{unanswered} without an answer, counted as wrong"] if unanswered else []
    lacking += [f"{arm.scores.truncated} cut off for want of room"] if arm.scores.truncated else []
    if measure.metric in PROPORTIONS:
        counted = round(measured_value(measure, arm) * n)
        told = f"{counted} of {n} right" if measure.says_right else f"{measure.metric} in {counted} of {n}"
    else:
        told = f"{measure.metric} {measured_value(measure, arm):.3f}"
    return f"{told} ({'; '.join(lacking)})" if lacking else told


def what_is_correct(task: Task) -> str:
    """When an answer counts as correct, where that is more or less than being equal to the expected one; else empty."""
    metric, rules = task.primary_metric, len(task.rules)
    if metric not in OUTSIDE_METRICS and (task.output.kind is not OutputKind.TEXT or not (rules or metric in PROSE)):
        return ""
    conditions = {Metric.EXACT_MATCH: "it equals the expected one", Metric.CONTAINS: "it contains the expected one"}
    condition = conditions.get(metric, f"its {metric} is {task.pass_score:g} or more")
    alone = "" if task.output.kind is OutputKind.TEXT else " and it has the format"
    kept = {0: alone, 1: " and it keeps the rule"}.get(rules, f" and it keeps all {rules} rules")
    return f"An answer is correct if {condition}{kept}."


def cost(tuned: ScoredArm, other: ScoredArm, difference: PairedDifference) -> str:
    """What a request costs with either arm: in tokens, which the case decides; seconds differ from run to run."""
    if other.is_external:
        return (
            f"Cost: {tuned.name} reads and writes {tuned.scores.tokens_per_case:.0f} tokens a case; {other.name} is another model, "
            "whose tokens do not compare."
        )
    mine, others = tuned.scores.tokens_per_case, other.scores.tokens_per_case
    sentence = f"Cost: {tuned.name} reads and writes {mine:.0f} tokens a case, {other.name} {others:.0f}."
    if mine <= CHEAPER_TOKEN_SHARE * others and not difference.excludes_zero:
        sentence += " Their scores cannot be told apart, and a request to the tuned model is cheaper; what training cost is not counted."
    return sentence


def next_steps(
    measure: Measure, tuned: ScoredArm, best: ScoredArm, answer: VerdictAnswer, status: TargetStatus, needed: int | None
) -> list[str]:
    """What to try next, likeliest first."""
    if answer is VerdictAnswer.DO_NOT_TUNE:
        return [f"Use {best.name}: it is there already."]
    if answer is VerdictAnswer.INCONCLUSIVE:
        more = (needed or 0) - len(tuned.predictions)
        steps = [f"Add about {more:,} eval cases in a new run."] if more > 0 else []
        return [*steps, f"Until then use {best.name}: it is there already."]
    if status is TargetStatus.NOT_MET:
        return [
            "Measure the learning curve (evaluate.learning_curve: true): it says whether more labels would help.",
            "Train for more epochs if the best checkpoint was the last one.",
            "Serve the tuned model under a grammar (tuned_constrained) if its format is not always valid.",
            "Try another base (model.base).",
        ]
    return []


def next_steps_without_tuning(arm: ScoredArm, status: TargetStatus, route_steps: Sequence[str]) -> list[str]:
    """What to do before anything was trained; where no arm is shown to be good enough, also what the route says to do."""
    if status is TargetStatus.SHOWN:
        return [f"Use {arm.name}: there is nothing to train."]
    if status is TargetStatus.MEASURED:
        return [f"Add eval cases, to show whether {arm.name} meets the target; or train, to see whether tuning is better.", *route_steps]
    return list(route_steps)


def replacement_next_steps(answer: VerdictAnswer) -> list[str]:
    """What to do about an incumbent."""
    match answer:
        case VerdictAnswer.REPLACE:
            return ["Compare what a request costs with either, and replace it where that is less."]
        case VerdictAnswer.DO_NOT_REPLACE:
            return ["Keep what runs today; more labels or a larger base may close the gap."]
        case _:
            return ["Add eval cases in a new run, and keep what runs today until they settle it."]


def format_points(difference: PairedDifference, *beside: float) -> str:
    """A difference in points with its 95 % interval, and the decimals that tell each from zero and from the differences `beside` it."""
    numbers = [100 * value for value in (difference.estimate, difference.low, difference.high)]
    decimals = _decimals(numbers, [0.0, *(100 * value for value in beside)], fewest=0)
    estimate, low, high = (f"{number:+.{decimals}f}" for number in numbers)
    return f"{estimate} points [{low}, {high}]"


def limits_of(verdict: Verdict) -> list[float]:
    """The differences that a verdict turns on, for `format_points`."""
    return [] if verdict.min_gain is None else [verdict.min_gain]


def _decimals(numbers: Sequence[float], limits: Sequence[float], fewest: int) -> int:
    """The fewest decimals with which no number reads as a limit that it is not."""

    def reads_as_it_is(decimals: int) -> bool:
        pairs = [(number, limit) for number in numbers for limit in limits if abs(number - limit) > SAME]
        return all(abs(round(number, decimals) - limit) > SAME for number, limit in pairs)

    return next((decimals for decimals in range(fewest, MOST_DECIMALS) if reads_as_it_is(decimals)), MOST_DECIMALS)


def format_interval(difference: PairedDifference, *beside: float) -> str:
    """A difference with its interval, its level and its method."""
    method = f"95 % {difference.interval}"
    if difference.arms > 1:
        method += f", for the best of {difference.arms} arms"
    return f"{format_points(difference, *beside)} ({method})"


def format_test(difference: PairedDifference) -> str:
    """The p-value with the test that gave it, and of how many arms it is the largest."""
    of_all = f", the largest of {difference.arms}: tuning has to beat every arm" if difference.arms > 1 else ""
    return f"{format_p_value(difference.p_value)} ({difference.test}{of_all})"


def format_p_value(p: float) -> str:
    """A p-value as people write it."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"


def _points(share: float) -> str:
    points = f"{100 * share:g}"
    return f"{points} point{'' if points == '1' else 's'}"
