"""Private data is found where it is, masked so that nothing of it can be used, and not seen where there is none."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.pii.private_samples import MAKERS, NOTHING, PUBLISHED, Maker, card, iban
from tuneproof.engine.audit.pii.masking import masked
from tuneproof.engine.audit.pii.matches import PiiKind
from tuneproof.engine.audit.pii.private_data import find_private_data, may_have_private_data


@pytest.mark.parametrize("kind", MAKERS)
def test_every_kind_is_found_and_masked_so_that_nothing_of_use_is_left(kind: PiiKind) -> None:
    rng = random.Random(4)
    for _ in range(100):
        datum = MAKERS[kind](rng)
        text = f"write down {datum}, thank you"
        assert may_have_private_data(text)
        assert [m.kind for m in find_private_data(text)] == [kind], text
        shown = masked(text)
        assert shown.startswith("write down ") and shown.endswith(", thank you") and "…" in shown
        assert sum(c.isdigit() for c in shown) <= max(4, sum(c.isdigit() for c in datum) // 3)
        assert masked(shown) == shown


@pytest.mark.parametrize("text", PUBLISHED)
def test_published_examples_are_found(text: str) -> None:
    assert may_have_private_data(text)
    assert [m.kind for m in find_private_data(text)] == [PUBLISHED[text]]


@pytest.mark.parametrize("text", NOTHING)
def test_what_only_looks_like_private_data_is_left_alone(text: str) -> None:
    assert find_private_data(text) == [] and masked(text) == text


@pytest.mark.parametrize("make", [card, iban])
def test_one_wrong_digit_is_no_card_and_no_account(make: Maker) -> None:
    rng = random.Random(5)
    for _ in range(100):
        number = make(rng)
        wrong = number[:-1] + str((int(number[-1]) + rng.randint(1, 9)) % 10)
        assert not {m.kind for m in find_private_data(wrong)} & {PiiKind.CARD, PiiKind.IBAN}


def test_a_checksum_outweighs_the_words_around() -> None:
    assert [m.kind for m in find_private_data("call me about 4111 1111 1111 1111")] == [PiiKind.CARD]


@settings(deadline=None)
@given(st.text(st.sampled_from("0123456789 -.:/+()@aAfFxX_\n"), max_size=300))
def test_any_text_can_be_searched_and_the_cheap_test_misses_nothing(text: str) -> None:
    found = find_private_data(text)
    assert not found or may_have_private_data(text)
    assert all(a.end <= b.start for a, b in pairwise(found))


@pytest.mark.parametrize("piece", ["1", "12 ", "+1", "a@", "1.", "a:", "1-", "(0", "DE12", "x.x@", "@a-"])
def test_a_very_long_row_is_searched_in_linear_time(piece: str) -> None:
    text = piece * 30_000
    # A quadratic search of a text this long takes minutes, a linear one takes tenths of a second.
    assert all(0 <= match.start < match.end <= len(text) for match in find_private_data(text))
