"""Only answers that can show memorising are asked for, and only a rest that is right word for word counts."""

from __future__ import annotations

from tuneproof.engine.behaviour.memorising import CompletedAnswer, LeftOut, cut_answers
from tuneproof.engine.behaviour.overfitting import AnswerSet, OverfittingFacts, memorised, score_gap
from tuneproof.engine.behaviour.paired_rates import RiskOutcome
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.predictions import Prediction, grade_output

LONG = " ".join(f"word{at}" for at in range(20))


def rows(outputs: list[str]) -> list[tuple[str, Example]]:
    return [(str(at), Example("", f"request {at}", output, Source("rows.jsonl", at))) for at, output in enumerate(outputs)]


def by_word(output: str) -> tuple[str, int] | None:
    """A tokenizer whose tokens are words."""
    words = output.split()
    return " ".join(words[:8]), len(words)


def completed(exact: int, of: int) -> list[CompletedAnswer]:
    return [CompletedAnswer(id=str(at), given="a", left=" b c", output=" b c" if at < exact else " b d") for at in range(of)]


def facts(left_out: LeftOut | None = None, asked: int = 200) -> OverfittingFacts:
    return OverfittingFacts(seed=0, asked={AnswerSet.COMPLETED: asked}, left_out=left_out or LeftOut(), seconds={})


def test_labels_short_answers_and_reasoning_show_nothing_and_are_counted() -> None:
    outputs = ["billing", "billing", "yes", f"<think>{LONG}</think>{LONG}", LONG, f"{LONG} end"]
    found, left_out = cut_answers(rows(outputs), outputs, by_word, 10)
    assert [each.id for each in found] == ["4", "5"] and found[0].given + found[0].left == LONG
    assert left_out == LeftOut(short=1, repeated=2, uncut=1)


def test_no_more_rows_are_taken_than_asked_for() -> None:
    outputs = [f"{LONG} {at}" for at in range(9)]
    assert len(cut_answers(rows(outputs), outputs, by_word, 3)[0]) == 3


def test_an_answer_is_known_by_heart_only_word_for_word_as_far_as_there_was_room() -> None:
    left = " one two three"
    assert CompletedAnswer(id="1", given="a", left=left, output=left).is_exact
    assert CompletedAnswer(id="1", given="a", left=left, output=" one two", truncated=True).is_exact
    assert not CompletedAnswer(id="1", given="a", left=left, output=" one two").is_exact
    assert not CompletedAnswer(id="1", given="a", left=left, output=" one two four", truncated=True).is_exact
    assert not CompletedAnswer(id="1", given="a", left=left, output="", truncated=True).is_exact


def test_train_answers_that_are_completed_more_often_than_unseen_ones_are_memorised() -> None:
    kinds = {
        AnswerSet.COMPLETED: completed(90, 100),
        AnswerSet.COMPLETED_EVAL: completed(5, 100),
        AnswerSet.COMPLETED_BASE: completed(0, 100),
    }
    found = memorised(facts(), kinds, 0.05)
    assert found.outcome is RiskOutcome.WORSE
    assert found.over_eval is not None and found.over_eval.low > 0.7 and found.over_base is not None and found.over_base.low > 0.8


def test_a_model_that_completes_unseen_answers_as_well_has_learnt_the_task() -> None:
    kinds = {
        AnswerSet.COMPLETED: completed(200, 200),
        AnswerSet.COMPLETED_EVAL: completed(200, 200),
        AnswerSet.COMPLETED_BASE: completed(0, 200),
    }
    found = memorised(facts(), kinds, 0.05)
    assert found.outcome is RiskOutcome.NO_WORSE


def test_few_answers_or_none_give_no_signal_rather_than_a_clean_bill() -> None:
    few: dict[AnswerSet, list[CompletedAnswer]] = {AnswerSet.COMPLETED: completed(0, 49), AnswerSet.COMPLETED_EVAL: completed(0, 80)}
    assert memorised(facts(asked=49), few, 0.05).outcome is RiskOutcome.NO_SIGNAL
    assert memorised(facts(asked=0), {}, 0.05).outcome is RiskOutcome.NO_SIGNAL


def test_answers_that_there_was_no_time_for_are_not_measured() -> None:
    none: dict[AnswerSet, list[CompletedAnswer]] = {AnswerSet.COMPLETED: []}
    assert memorised(facts(), none, 0.05).outcome is RiskOutcome.NOT_MEASURED
    both = (predictions(20, 40), predictions(30, 100))
    found = score_gap(Metric.CHOICE_ACCURACY, GRADER, both, None, 0.05, in_time=False)
    assert found is not None and found.outcome is RiskOutcome.NOT_MEASURED


TASK = Task.model_validate({"output": {"kind": "choice", "choices": ["yes", "no"]}})
GRADER = make_grader(TASK, [])


def predictions(right: int, of: int) -> list[Prediction]:
    texts = ["yes" if at < right else "no" for at in range(of)]
    return [
        grade_output(str(at), "?", text, "yes", GRADER, truncated=False, prompt_tokens=9, output_tokens=1) for at, text in enumerate(texts)
    ]


def outcome(train: tuple[int, int], unseen: tuple[int, int]) -> RiskOutcome:
    found = score_gap(Metric.CHOICE_ACCURACY, GRADER, (predictions(*train), predictions(*unseen)), None, 0.05)
    assert found is not None and found.base_train is None
    return found.outcome


def test_the_score_on_train_rows_against_eval_cases_is_called_what_its_interval_shows() -> None:
    assert outcome((200, 200), (120, 200)) is RiskOutcome.WORSE
    assert outcome((500, 1000), (500, 1000)) is RiskOutcome.NO_WORSE
    assert outcome((186, 200), (70, 80)) is RiskOutcome.NOT_SHOWN


def test_a_model_that_has_learnt_nothing_or_few_rows_show_no_signal() -> None:
    assert outcome((4, 200), (0, 200)) is RiskOutcome.NO_SIGNAL
    assert outcome((40, 40), (10, 80)) is RiskOutcome.NO_SIGNAL


def test_the_base_on_the_same_rows_says_whether_they_are_easier() -> None:
    both = (predictions(60, 100), predictions(30, 100))
    found = score_gap(Metric.CHOICE_ACCURACY, GRADER, both, both, 0.05)
    assert found is not None and (found.base_train, found.base_eval, found.base_cases) == (0.6, 0.3, 100)
