"""The metric `preference`: how the verdict is made of what a judge said, and when a judge may not decide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.bench.verdict import Cell, simulate
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.judgement import Judgement
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.outside_score import OutsideScore
from tuneproof.engine.scoring.paired_scores import judged_pairs
from tuneproof.engine.scoring.predictions import grade_output
from tuneproof.engine.scoring.rule import TargetStatus, VerdictAnswer
from tuneproof.engine.scoring.scores import score_predictions
from tuneproof.engine.scoring.verdict import ArmsInCase, decide_verdict, target_status
from tuneproof.engine.scoring.verdict_schema import IntervalMethod, TestMethod

TASK = Task.model_validate({"metric": "preference"})
GRADER = make_grader(TASK, [])
REPLIES = {"w": ("A", "B"), "l": ("B", "A"), "t": ("tie", "tie")}


def judgements(letters: str) -> list[Judgement]:
    return [Judgement(replies=REPLIES[letter]) for letter in letters]


def arm(name: str, against_reference: str, **against: str) -> ScoredArm:
    """An arm by its outcomes (w, l, t) against the reference, and against other arms side by side."""
    rows = [
        grade_output(
            str(at),
            "?",
            f"{name} {at}",
            "the reference",
            GRADER,
            truncated=False,
            prompt_tokens=9,
            output_tokens=9,
            outside=OutsideScore(passes_at=0.5, judgement=judgement),
        )
        for at, judgement in enumerate(judgements(against_reference))
    ]
    judged = {other: {str(at): each for at, each in enumerate(judgements(letters))} for other, letters in against.items()}
    return ScoredArm(score_predictions(name, rows, TASK.metrics, GRADER, 1.0), rows, judged=judged)


def measure(target: Target | None = None, problem: str | None = None) -> Measure:
    return Measure(TASK, target, GRADER, judge_problem=problem)


def test_an_arm_scores_what_its_answers_are_worth_against_the_reference() -> None:
    scored = arm("zero_shot", "wwtl")
    assert scored.scores.metrics[Metric.PREFERENCE] == 0.625
    assert [row.correct for row in scored.predictions] == [True, True, True, False]


def test_a_worse_model_scores_worse() -> None:
    good, bad = measure().arms([arm("good", "wwwttl"), arm("bad", "wttlll")])
    assert good.value > bad.value


def test_the_difference_is_wins_minus_losses_side_by_side_and_not_that_of_the_scores() -> None:
    untuned, tuned = arm("zero_shot", "t" * 100), arm("tuned", "t" * 100, zero_shot="w" * 60 + "t" * 30 + "l" * 10)
    found = decide_verdict(measure(), ArmsInCase([untuned], tuned), [])
    difference = found.difference
    assert difference is not None and difference.judged and difference.estimate == 0.5
    assert (difference.only_tuned_right, difference.ties, difference.only_untuned_right) == (60, 30, 10)
    assert (difference.interval, difference.test) == (IntervalMethod.SCORE, TestMethod.MCNEMAR_EXACT)
    assert found.answer is VerdictAnswer.TUNE
    assert "preferred tuned on 60 of 100 cases, zero_shot on 10, and neither on 30" in found.reason


def test_the_tuned_arm_has_to_beat_every_untuned_one() -> None:
    untuned = [arm("zero_shot", "t" * 60), arm("few_shot", "t" * 60)]
    tuned = arm("tuned", "t" * 60, zero_shot="w" * 60, few_shot="w" * 20 + "t" * 20 + "l" * 20)
    found = decide_verdict(measure(), ArmsInCase(untuned, tuned), [])
    assert found.answer is VerdictAnswer.INCONCLUSIVE and found.best_untuned_arm == "few_shot"


def test_several_trainings_are_judged_each_and_their_luck_is_in_the_interval() -> None:
    untuned = arm("zero_shot", "t" * 60)
    tuned, seed = arm("tuned", "t" * 60, zero_shot="w" * 50 + "l" * 10), arm("tuned_seed_2", "t" * 60, zero_shot="w" * 40 + "l" * 20)
    found = decide_verdict(measure(), ArmsInCase([untuned], tuned, [seed]), [])
    assert found.difference is not None and found.difference.seeds == 2
    assert found.difference.estimate == pytest.approx(0.5) and found.difference.low < found.difference.estimate < found.difference.high


def test_cases_that_belong_together_widen_the_interval() -> None:
    outcomes = np.repeat([1.0, -1.0, 1.0, 1.0], 20)
    alone, together = judged_pairs([outcomes], None).interval(), judged_pairs([outcomes], np.repeat(np.arange(4), 20)).interval()
    assert together.high - together.low > alone.high - alone.low


def test_a_judge_that_failed_its_check_may_not_decide() -> None:
    untuned, tuned = arm("zero_shot", "t" * 100), arm("tuned", "w" * 100, zero_shot="w" * 100)
    found = decide_verdict(measure(Target(at_least=0.4), "the judge guesses"), ArmsInCase([untuned], tuned), [])
    assert found.answer is VerdictAnswer.INCONCLUSIVE and found.headline == "the judge may not decide"
    assert found.reason.startswith("The judge guesses") and found.target is TargetStatus.NONE and found.meets_target is None
    assert set(target_status(measure(Target(at_least=0.4), "the judge guesses"), [untuned]).values()) == {TargetStatus.NONE}


def test_an_untuned_arm_that_is_preferred_often_enough_meets_the_target() -> None:
    found = decide_verdict(measure(Target(at_least=0.6)), ArmsInCase([arm("zero_shot", "w" * 100)]), [])
    assert found.answer is VerdictAnswer.DO_NOT_TUNE and found.target is TargetStatus.SHOWN


CELLS: Sequence[Cell] = [
    Cell(Metric.PREFERENCE, 40, 1, 0.3, 1, 0.0, 0.5),
    Cell(Metric.PREFERENCE, 80, 3, 0.8, 1, 0.05, 0.6),
    Cell(Metric.PREFERENCE, 80, 1, 0.5, 5, 0.0, 0.5),
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_interval_covers_the_true_rate_of_wins_minus_losses(cell: Cell) -> None:
    rates = simulate(cell, 150)
    assert rates.covered >= 0.9 and (cell.gain > 0 or rates.tune <= 0.06)
