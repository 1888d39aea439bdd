"""What is typed is refused in the words of its field, and what is hardly meant is questioned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuneproof.engine.case.draft import Draft
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.session.form_input import InputDoubt, InputError
from tuneproof.engine.session.input_check import check_case_name, checked


def draft(**sections: Any) -> Draft:
    return Draft(DraftCase.model_validate({"name": "a", **sections}), None)


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"target": {"at_least": 90.0}}, "write a share between 0 and 1: 0.9 means 90 %"),
        ({"target": {"min_gain": 5}}, "write a share between 0 and 1: 0.05 means 5 %"),
        ({"target": {"at_least": 0.0}}, "write a number above 0"),
        ({"training": {"rank": 0}}, "write 1 or more"),
        ({"training": {"rank": 1.5}}, "write a whole number"),
        ({"training": {"seed": "x"}}, "write a whole number"),
        ({"training": {"packing": "yes"}}, "answer yes or no"),
        ({"training": {"sharding": "some"}}, "choose one of auto, none or full"),
        ({"evaluate": {"seeds": 40}}, "write 20 or less"),
        ({"task": {"output": {"kind": "pattern", "pattern": "("}}}, "not a regular expression"),
        ({"budget": {"hours": float("inf")}}, "write a number that is not infinite"),
        ({"name": "x" * 300}, "write at most 200 characters; these are 300"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_plain_words(sections: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError, match=expected) as refused:
        checked(draft(), sections)
    assert not isinstance(refused.value, InputDoubt)


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"training": {"epochs": 1e6}}, "1,000,000 is 333,333 times the default of epochs"),
        ({"training": {"learning_rate": 1000.0}}, "1,000 is 5,000,000 times the default"),
        ({"training": {"learning_rate": 1e-12}}, "nothing would be learned"),
        ({"training": {"rank": 99999}}, "times the default of rank"),
        ({"training": {"batch_size": 100_000}}, "one step would take 100,000 rows, and there are 90 to train on"),
        ({"data": {"examples": "a", "split": {"train": 0.05, "validation": 0.05, "eval": 0.9}}}, "5 % of the rows"),
        ({"evaluate": {"max_new_tokens": 10**6}}, "1,000,000 tokens"),
    ],
)
def test_absurd_numbers_are_questioned(sections: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputDoubt, match=expected):
        checked(draft(), sections, 90)


def test_usual_values_and_what_was_there_before_are_not_questioned() -> None:
    usual = {"epochs": 10.0, "learning_rate": 1e-3, "rank": 256, "batch_size": 64}
    assert checked(draft(), {"training": usual}, 90).training.rank == 256
    before = draft(training={"epochs": 1e6})
    assert checked(before, {"training": {"epochs": 1e6, "rank": 8}}).training.rank == 8


def test_a_new_case_says_where_it_will_be_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert check_case_name("support tickets") == "saved as support-tickets.yaml"
    for name in ("", "  ", "x" * 201):
        with pytest.raises(InputError):
            check_case_name(name)
