"""Free texts are scored by what they share with the expected text; equal texts score 1, and a worse answer scores less."""

from __future__ import annotations

import pytest

from tuneproof.engine.case.metric import PROSE
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.prose import PROSE_SCORES, chrf, contains, rouge_l, token_f1

EXPECTED = "Your order left our warehouse on Monday and arrives by Friday."
BETTER = "Your order left our warehouse on Monday and will arrive by Friday."
WORSE = "We do not know where it is."


@pytest.mark.parametrize("metric", [Metric.CHRF, Metric.ROUGE_L, Metric.TOKEN_F1])
def test_a_worse_answer_scores_less_and_an_equal_one_scores_1(metric: Metric) -> None:
    score = PROSE_SCORES[metric]
    assert score(EXPECTED, EXPECTED) == pytest.approx(1)
    assert 0 <= score(WORSE, EXPECTED) < score(BETTER, EXPECTED) < 1


@pytest.mark.parametrize("metric", PROSE)
@pytest.mark.parametrize("text", ["東京は日本の首都です。", "Привет, мир!", "مرحبا بالعالم", "नमस्ते दुनिया", "ภาษาไทย"])
def test_no_script_is_dropped(metric: Metric, text: str) -> None:
    assert PROSE_SCORES[metric](text, text) == pytest.approx(1)
    assert PROSE_SCORES[metric]("OK", text) == 0


def test_chrf_is_that_of_sacrebleu() -> None:
    # The sentence chrF2 of sacrebleu 2.6: `sentence_chrf("a cat sat", ["The cat sat."])`.
    assert chrf("a cat sat", "The cat sat.") == pytest.approx(0.4754, abs=1e-3)


def test_rouge_l_counts_words_in_order() -> None:
    # Lin 2004: "police kill the gunman" against "police killed the gunman" has three words of four in order.
    assert rouge_l("police kill the gunman", "police killed the gunman") == pytest.approx(0.75)
    assert rouge_l("the gunman kill police", "police killed the gunman") == pytest.approx(0.5)


def test_token_f1_ignores_articles_punctuation_and_case_as_squad_does() -> None:
    assert token_f1("Cat sat", "The cat sat!") == pytest.approx(1)
    assert token_f1("the", "a") == 0 and token_f1("!", "!") == 1


@pytest.mark.parametrize(
    ("output", "expected", "found"),
    [
        ("It arrives on Friday.", "friday", True),
        ("It arrives   on\nFriday.", "arrives on friday", True),
        ("The answer is 3.5", "5", False),
        ("It is -5.", "5", False),
        ("2-5 days", "5", True),
        ("It is 5.", "5", True),
        ("1,500 EUR", "500", False),
        ("unclear", "clear", False),
        ("東京都にあります", "東京", True),
        ("don’t do it", "don't", True),  # noqa: RUF001
    ],
)
def test_contained_are_whole_words_and_whole_numbers(output: str, expected: str, found: bool) -> None:
    assert contains(output, expected) == float(found)


@pytest.mark.parametrize("metric", PROSE)
def test_an_answer_is_correct_from_the_pass_score_on(metric: Metric) -> None:
    low, high = (make_grader(Task.model_validate({"metric": metric, "pass_score": share}), []) for share in (0.3, 1.0))
    near = f"{EXPECTED} And thank you for your patience with us." if metric is Metric.CONTAINS else BETTER
    assert low.grade(near, EXPECTED).correct
    assert high.grade(near, EXPECTED).correct is (metric is Metric.CONTAINS)
    assert low.grade(near, EXPECTED).scores[metric] == high.grade(near, EXPECTED).scores[metric]
