"""A judge is checked on pairs whose better answer is known, and one that fails may not decide."""

from __future__ import annotations

import json

import pytest

from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.scoring.judge_check import (
    KNOWN_PAIRS,
    CheckedLabel,
    CheckedPair,
    Spoilt,
    checked_rows,
    judge_check,
    known_pairs,
    read_labelled,
)
from tuneproof.engine.scoring.judgement import Judgement

RIGHT, WRONG, POSITION, TIE = (Judgement(replies=replies) for replies in (("A", "B"), ("B", "A"), ("A", "A"), ("tie", "tie")))


def rows(count: int, text: str = "Hello {at}! Your order is on its way. See you soon.") -> list[tuple[str, Example]]:
    return [(f"{at:04}", Example("", f"Where is order {at}?", text.format(at=at), Source("r.jsonl", at + 1))) for at in range(count)]


def checked(right: int, other: Judgement = WRONG, others: int = 0) -> list[CheckedPair]:
    pairs = known_pairs(rows(20))
    verdicts = [RIGHT] * right + [other] * others
    return [CheckedPair(**pair.model_dump(), judgement=verdict) for pair, verdict in zip(pairs, verdicts, strict=False)]


def test_references_are_spoilt_in_several_ways_each_different_from_the_reference() -> None:
    pairs = known_pairs(rows(20))
    assert len(pairs) == KNOWN_PAIRS and {pair.way for pair in pairs} == set(Spoilt)
    assert all(pair.spoilt != pair.reference for pair in pairs)
    assert len({pair.id for pair in pairs[:20]}) == 20, "every row once before any row again"
    assert known_pairs(rows(20)) == pairs
    shuffled = next(pair for pair in pairs if pair.way is Spoilt.SHUFFLED)
    assert sorted(shuffled.spoilt.split()) == sorted(shuffled.reference.split())


@pytest.mark.parametrize("text", ["yes", "Ja", "好的", "same for all of them", "", "a b"])
def test_short_and_equal_references_give_only_pairs_that_differ(text: str) -> None:
    assert all(pair.spoilt and pair.spoilt != pair.reference for pair in known_pairs(rows(30, text)))


def test_train_helps_out_where_validation_has_too_few_references() -> None:
    assert len(checked_rows(rows(20), rows(40))) == 20
    assert len(checked_rows(rows(3), rows(40))) == 40


def test_a_judge_that_knows_the_better_answer_may_decide() -> None:
    check = judge_check(checked(58, WRONG, 2), None)
    assert check.problem is None and check.known.agreed == 58
    assert sum(each.pairs for each in check.by_way.values()) == 60


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (checked(50, WRONG, 10), "50 of 60 pairs"),
        (checked(50, TIE, 10), "50 of 60 pairs"),
        (checked(40, POSITION, 20), "same place in both orders on 20 of 60"),
        (checked(19), "checked on 19 known pairs"),
        ([], "checked on 0 known pairs"),
    ],
)
def test_a_judge_that_does_not_or_follows_the_place_may_not(pairs: list[CheckedPair], said: str) -> None:
    assert said in (judge_check(pairs, None).problem or "")


def test_pairs_that_people_labelled_show_agreement_and_can_disqualify() -> None:
    def labels(agree: int, of: int) -> list[CheckedLabel]:
        return [CheckedLabel(request="?", a="x", b="y", better="a", judgement=RIGHT if at < agree else WRONG) for at in range(of)]

    check = judge_check(checked(60), labels(16, 20))
    assert check.labelled is not None and (check.labelled.agreed, check.labelled.pairs) == (16, 20) and check.problem is None
    assert "agrees with people on 8 of 20" in (judge_check(checked(60), labels(8, 20)).problem or "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "line 1: not JSON"),
        ('{"request": "?", "a": "x"}', "line 1: b"),
        ('{"request": "?", "a": "x", "b": "y", "better": "A"}', "write a, b or tie"),
        ('{"request": "?", "a": "x", "b": "y", "better": "a", "more": 1}', "more"),
        ("[]", "line 1: the pair"),
        (r'{"request": "\ud800", "a": "x", "b": "y", "better": "a"}', "surrogates not allowed"),
        ("", "no pairs"),
    ],
)
def test_a_labelled_file_that_is_none_is_named_with_its_line(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_labelled(line)


def test_labelled_pairs_are_read() -> None:
    good = {"request": "?", "a": "x", "b": "y", "better": "tie"}
    found = read_labelled(json.dumps(good) + "\n\n" + json.dumps(good | {"reference": "z", "better": "b"}) + "\n")
    assert [pair.better for pair in found] == ["tie", "b"] and found[1].reference == "z"
