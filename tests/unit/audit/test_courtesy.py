"""Short requests that are equal but for words of courtesy and articles are found, and no others."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.unit.audit.checks.leak_rows import row, rows_of, table
from tuneproof.engine.audit.checks.near_duplicate import near_duplicates
from tuneproof.engine.audit.checks.near_leakage import near_leakage
from tuneproof.engine.audit.courtesy import Language, ShortInputs, WithoutCourtesy
from tuneproof.engine.audit.split_leaks import without_near_leaks
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import SplitParts

FILLER = [f"what is the name of my friend number {n}" for n in range(9)]


def rows(texts: list[str], file: str = "rows.jsonl", output: str = "same") -> list[Example]:
    return [row(at, text, output, file) for at, text in enumerate(texts, start=1)]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("turn on the light", "please turn on the light"),
        ("is there a meaning to life", "Is there meaning to life?"),
        ("please flip a coin", "flip the coin"),
        ("repeat that for me, pls", "repeat that for me"),
        ("thank you so much for this", "thanks so much for this"),
    ],
)
def test_a_training_row_that_differs_from_an_eval_row_in_courtesy_or_articles_is_a_leak(ours: str, theirs: str) -> None:
    [found] = near_leakage(table(rows([*FILLER, ours]), rows([theirs], "eval.jsonl")))
    assert [(each.at.line, each.note) for each in found.rows] == [(10, "equal but for words of courtesy and articles")]
    assert "1 equal but for words of courtesy and articles" in found.message


@pytest.mark.parametrize(
    ("language", "ours", "theirs"),
    [
        (Language.DE, "Mach bitte das Licht im Bad an", "Mach Licht im Bad an"),
        (Language.FR, "allume la lumière s'il vous plaît", "allume lumière"),
        (Language.ES, "por favor pon la música en mi casa", "pon música en mi casa"),
        (None, "请打开客厅的灯", "打开客厅的灯"),
        (None, "電気をつけてください", "電気をつけて"),
    ],
)
def test_other_languages_have_their_own_words(language: Language | None, ours: str, theirs: str) -> None:
    without = WithoutCourtesy(language)
    assert without.text(ours) == without.text(theirs) is not None


@pytest.mark.parametrize(
    ("ours", "theirs", "outputs"),
    [
        ("oh please no", "oh no", ("begging", "fear")),
        ("i love this story, thank you", "i love this story", ("gratitude", "love")),
        ("turn on the light", "turn off the light", ("same", "same")),
        ("the the", "a", ("same", "same")),
        ("does he die in this film", "does he in this film", ("same", "same")),
    ],
)
def test_words_that_change_what_is_said_are_kept(ours: str, theirs: str, outputs: tuple[str, str]) -> None:
    given, scored = rows([*FILLER, ours], output=outputs[0]), rows([theirs], "eval.jsonl", outputs[1])
    assert rows_of(list(near_leakage(table(given, scored)))) == []


def test_repeated_requests_in_other_words_of_courtesy_count_double() -> None:
    [found] = near_duplicates(table(rows([*FILLER, "show me the way home", "please show me the way home", "show me way home"]), []))
    assert [each.at.line for each in found.rows] == [11, 12]


def test_the_language_is_that_of_the_data_and_long_rows_have_no_say() -> None:
    german = rows(["wie ist das Wetter für mich", "ich kann nicht mit dir im Auto", "was ist die Zeit"])
    assert ShortInputs.of_rows(german).language is Language.DE
    long = rows([" ".join(["what is this for me"] * 20)])
    counted = ShortInputs.of_rows([*german, *long, row(9, "打开客厅的灯")])
    assert (counted.rows, counted.short, counted.spaceless, counted.language) == (5, 4, 1, Language.DE)
    assert ShortInputs(1, 1, 0, Counter()).language is None


def test_a_split_has_no_training_row_that_differs_from_an_eval_row_in_courtesy() -> None:
    parts = SplitParts(rows([*FILLER, "please show me the way home"]), [], rows(["show me the way home"], "eval.jsonl"), [])
    apart = without_near_leaks(parts, cut_from_one_file=True)
    assert [each.source.line for each in apart.cross_split_duplicates] == [10] and len(apart.train) == 9
