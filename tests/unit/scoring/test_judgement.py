"""A judge's verdicts: read strictly, in both orders, and counted as wins, ties and losses."""

from __future__ import annotations

import pytest

from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.scoring.judge_prompt import Pair, request_text
from tuneproof.engine.scoring.judgement import Judgement, Letter, NotAsked, Outcome, count_judgements, read_letter, without_asking


@pytest.mark.parametrize("reply", ["A", "a", " A\n", "**A**", "A.", '"A"', "[[A]]", "(A)", "Verdict: A", "<think>B is long.</think>\nA"])
def test_a_verdict_alone_is_read(reply: str) -> None:
    assert read_letter(reply) is Letter.A


@pytest.mark.parametrize("reply", ["", "I prefer A", "A because it is short", "Answer A is better than B", "A B", "C", "neither", "A/B"])
def test_a_reply_that_says_more_or_else_is_not_guessed_at(reply: str) -> None:
    assert read_letter(reply) is None


@pytest.mark.parametrize(
    ("replies", "outcome", "inconsistent", "unreadable", "position"),
    [
        (("A", "B"), Outcome.WIN, False, False, False),
        (("B", "A"), Outcome.LOSS, False, False, False),
        (("tie", "tie"), Outcome.TIE, False, False, False),
        (("A", "A"), Outcome.TIE, True, False, True),
        (("B", "B"), Outcome.TIE, True, False, True),
        (("A", "tie"), Outcome.TIE, True, False, False),
        (("A", "I think B"), Outcome.TIE, False, True, False),
        (("", "B"), Outcome.TIE, False, True, False),
    ],
)
def test_only_a_verdict_that_holds_in_both_orders_is_a_win_or_a_loss(
    replies: tuple[str, str], outcome: Outcome, inconsistent: bool, unreadable: bool, position: bool
) -> None:
    found = Judgement(replies=replies)
    assert found.outcome is outcome
    assert (found.is_inconsistent, found.is_unreadable, found.follows_position) == (inconsistent, unreadable, position)


def test_equal_answers_are_a_tie_and_one_that_is_not_whole_loses_without_a_call() -> None:
    assert without_asking("Hello Ann. ", "<think>hm</think>Hello Ann.") is NotAsked.EQUAL
    assert without_asking("Hello", "", second_whole=False) is NotAsked.FIRST
    assert without_asking("", "Hello", first_whole=False) is NotAsked.SECOND
    assert without_asking("", "…", first_whole=False, second_whole=False) is NotAsked.EQUAL
    assert without_asking("Hello", "Hi") is None
    scores = [Judgement(not_asked=how).score for how in (NotAsked.FIRST, NotAsked.EQUAL, NotAsked.SECOND)]
    assert scores == [1.0, 0.5, 0.0]


def test_the_answers_are_anonymous_and_shown_in_both_orders() -> None:
    case = Example("", "Where is my order?", "It is on its way.", Source("r.jsonl", 1), system="You are kind.")
    pair = Pair(request_text(case, "Answer."), "first text", "second text", case.output)
    (one,), (other,) = pair.prompts("Be brief.")
    assert one.content.index("first text") < one.content.index("second text")
    assert other.content.index("second text") < other.content.index("first text")
    for shown in (one.content, other.content):
        assert "Be brief." in shown and "You are kind." in shown and "Where is my order?" in shown and "It is on its way." in shown
        assert not any(word in shown.lower() for word in ("tuned", "prompt", "baseline"))


def test_the_reference_is_not_shown_beside_itself() -> None:
    (one,), _ = Pair("?", "an answer", "the reference").prompts("Be brief.")
    assert one.content.count("the reference") == 1 and "[reference]" not in one.content


def test_verdicts_are_counted_with_what_they_took() -> None:
    judgements = [
        Judgement(replies=("A", "B"), prompt_tokens=60, reply_tokens=2),
        Judgement(replies=("A", "A"), prompt_tokens=60, reply_tokens=2, uncounted=1),
        Judgement(not_asked=NotAsked.EQUAL),
        Judgement(replies=("?", "A"), prompt_tokens=60, reply_tokens=9),
    ]
    counts = count_judgements(judgements)
    assert (counts.pairs, counts.asked, counts.inconsistent, counts.unreadable, counts.follows_position) == (4, 3, 1, 1, 1)
    assert (counts.prompt_tokens, counts.reply_tokens, counts.uncounted) == (180, 13, 1)
