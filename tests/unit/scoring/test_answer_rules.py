"""The rules of a free text: each is checked as it is written, and all together are the format."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.scoring.answer_rules import AnswerRules
from tuneproof.engine.scoring.grade import FailureClass, Grader
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.predictions import grade_output
from tuneproof.engine.scoring.scores import score_predictions
from tuneproof.engine.scoring.text_units import count_words, reading_level, sentences

GERMAN = "Bitte starten Sie den Router neu und warten Sie zwei Minuten."
HARD = "Notwithstanding the aforementioned considerations, organisational responsibilities necessitate comprehensive documentation."


def rules(*given: dict[str, Any]) -> AnswerRules:
    return AnswerRules(Task.model_validate({"rules": list(given)}).rules)


def grader(*given: dict[str, Any], **task: Any) -> Grader:
    return make_grader(Task.model_validate({"rules": list(given), **task}), [])


@pytest.mark.parametrize(
    ("rule", "keeps", "breaks"),
    [
        ({"max_words": 3}, "One two, three.", "One two three four"),
        ({"max_words": 3}, "東京都", "東京都庁"),
        ({"min_words": 2}, "Thank you", "Thanks"),
        ({"max_sentences": 1}, "Dr. Smith paid 3.5 euro.", "He paid. She did not."),
        ({"min_sentences": 2}, "今日は晴れです。明日は雨です。", "今日は晴れです。"),
        ({"max_characters": 5}, "  abcde\n", "abcdef"),
        ({"min_characters": 2}, "ab", "a"),
        ({"contains": "kind regards"}, "Kind  Regards, Ann", "Regards"),
        ({"contains": ["a", "b"]}, "b a", "a"),
        ({"not_contains": ["as an AI", "sorry"]}, "Fine.", "As an AI, I cannot"),
        ({"matches": r"\b[A-Z]\d{4}\b"}, "Order B1234 left", "order b1234"),
        ({"not_matches": "(?i)guarantee"}, "We try.", "We GUARANTEE it"),
        ({"begins_with": ["Hello", "Hi"]}, "hi Ann", "Dear Ann"),
        ({"ends_with": "?"}, "Is it so?\n", "It is so."),
        ({"language": "de"}, GERMAN, "Please restart the router and wait for two minutes."),
        ({"language": "de"}, "OK, danke", "Veuillez redémarrer le routeur et attendre deux minutes."),
        ({"max_reading_level": 8}, "The cat sat on the mat. It was warm.", HARD),
        ({"json": True}, 'Here it is: {"a": 1}', "a: 1"),
        ({"json": {"type": "object", "required": ["a"]}}, 'So: {"a": 1} and more', '{"b": 1}'),
    ],
)
def test_a_rule_is_kept_or_broken(rule: dict[str, Any], keeps: str, breaks: str) -> None:
    found = rules(rule)
    assert (found.broken(keeps), found.broken(breaks)) == ((), found.titles)
    assert pickle.loads(pickle.dumps(found)).broken(breaks) == found.titles


def test_an_empty_answer_keeps_no_rule() -> None:
    assert rules({"max_words": 3}, {"not_contains": "x"}).broken(" ") == ("at most 3 words", "not contain “x”")


def test_an_expression_that_takes_forever_is_not_kept_and_ends() -> None:
    slow = "(?=a)(a|aa)+$"
    assert rules({"not_matches": slow}).broken("a" * 40 + "!") != ()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([{}], "needs one of max_words"),
        ([{"max_words": 3, "contains": "x"}], "asks for one thing"),
        ([{"matches": "("}], "not a regular expression"),
        ([{"language": "klingon"}], "not one of the languages"),
        ([{"contains": " "}], "an empty text"),
        ([{"json": False}], "write `true`"),
        ([{"max_words": 3}, {"max_words": 3}], "two rules are called"),
        ([{"max_word": 3}], "Extra inputs"),
    ],
)
def test_a_rule_that_asks_for_nothing_clear_is_refused(given: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Task.model_validate({"rules": given})


def test_rules_of_other_kinds_and_scores_to_pass_without_a_score_are_refused() -> None:
    with pytest.raises(ValidationError, match="belong to output kind text, not to kind json"):
        Task.model_validate({"output": {"kind": "json"}, "rules": [{"max_words": 3}]})
    with pytest.raises(ValidationError, match="`pass_score` belongs to metric chrf"):
        Task.model_validate({"pass_score": 0.4})


def test_a_schema_of_a_rule_that_is_none_is_a_mistake_of_the_case() -> None:
    with pytest.raises(CaseError, match="JSON Schema"):
        rules({"json": {"type": 5}})


def test_the_prompt_states_the_rules_so_that_untuned_arms_can_keep_them() -> None:
    assert grader({"max_words": 60}).description() == "The answer must have at most 60 words."
    assert grader({"max_words": 1}, {"language": "de"}).description() == "The answer must:\n- have at most 1 word\n- be in German"
    assert grader().description() == ""


def test_a_broken_rule_is_the_format_and_the_field_and_leaves_the_score() -> None:
    found = grader({"name": "short", "max_words": 3}, metric="rouge_l").grade("a b c d", "a b c d")
    assert (found.format_valid, found.correct, found.failure, found.fields) == (False, False, FailureClass.BROKEN_RULE, ("short",))
    assert found.scores == {Metric.EXACT_MATCH: 1.0, Metric.ROUGE_L: 1.0}
    low = grader({"max_words": 9}, metric="rouge_l").grade("x y", "a b c d")
    assert (low.format_valid, low.failure, low.fields) == (True, FailureClass.LOW_SCORE, ())


def test_an_expected_output_that_breaks_a_rule_is_found_before_training() -> None:
    assert grader({"max_words": 2}).problem("one two three") == "breaks a rule: at most 2 words"
    assert grader({"max_words": 2}).problem("one two") is None


def test_every_rule_is_a_rate_with_an_interval_in_the_scores() -> None:
    judge = grader({"max_words": 2}, {"ends_with": "."}, metric="chrf")
    rows = [
        grade_output(str(n), "", text, "A b.", judge, truncated=False, prompt_tokens=1, output_tokens=1)
        for n, text in enumerate(["A b.", "A b", "A b c", "A b c d."])
    ]
    scores = score_predictions("arm", rows, [Metric.CHRF, Metric.EXACT_MATCH], judge, 1.0)
    assert {rule: rate.rate for rule, rate in scores.rules.items()} == {"at most 2 words": 0.5, "end with “.”": 0.5}
    assert scores.format_valid.rate == 0.25 and scores.rules["end with “.”"].low < 0.5 < scores.rules["end with “.”"].high
    assert scores.wrong_fields == {"at most 2 words": 2, "end with “.”": 2}


@pytest.mark.parametrize(
    ("text", "words", "parts"),
    [
        ("It's state-of-the-art - really.", 3, 1),
        ("Wait... what? Yes.", 3, 2),
        ("One\n\nTwo", 2, 2),
        ("e.g. this. And J. R. Smith too", 7, 2),
        ('He said "no." Then he left.', 6, 2),
        ("", 0, 0),
    ],
)
def test_words_and_sentences_are_counted_as_people_do(text: str, words: int, parts: int) -> None:
    assert (count_words(text), len(sentences(text))) == (words, parts)


def test_the_reading_level_is_flesch_kincaid() -> None:
    # 6 words, 1 sentence, 6 syllables: 0.39 * 6 + 11.8 * 1 - 15.59.
    assert reading_level("The cat sat on the mat.") == pytest.approx(-1.45)
    assert reading_level(HARD) > 20 and reading_level("123") == 0
