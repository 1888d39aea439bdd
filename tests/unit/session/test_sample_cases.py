"""The sample cases ship with the program, and each says what it teaches."""

from __future__ import annotations

from tuneproof.engine.session.sample_cases import SAMPLE_CASES, TOUR, sample_cases_folder


def test_every_case_that_ships_is_listed_with_its_lesson() -> None:
    assert {each.name for each in SAMPLE_CASES} == {path.stem for path in sample_cases_folder().glob("*.yaml")}
    assert all(each.path.is_file() and each.lesson and each.about for each in SAMPLE_CASES)
    assert TOUR in {each.name for each in SAMPLE_CASES}
