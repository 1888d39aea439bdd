"""Secrets in every documented format are found and masked, and placeholders are not secrets."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.pii.secret_samples import ALNUM, MAKERS, NOTHING, some, typed
from tuneproof.engine.audit.pii.masking import masked
from tuneproof.engine.audit.pii.matches import PiiKind
from tuneproof.engine.audit.pii.secrets import find_secrets, may_have_secret


@pytest.mark.parametrize("kind", MAKERS)
def test_thirty_of_each_kind_are_all_found_and_masked(kind: PiiKind) -> None:
    rng = random.Random(6)
    for _ in range(30):
        secret = MAKERS[kind](rng)
        text = f"set it like this:\n{secret}\nand go on"
        assert may_have_secret(text)
        assert [m.kind for m in find_secrets(text)] == [kind]
        shown = masked(text)
        assert shown.startswith("set it like this:\n") and shown.endswith("\nand go on") and "…" in shown
        # In the secret part, before the end of the block or the host of the address, no eight characters are left.
        body = secret.split("-----END")[0].split("@db.")[0]
        assert not any(body[-20:][i : i + 8] in shown for i in range(13))
        assert masked(shown) == shown


@pytest.mark.parametrize("text", NOTHING)
def test_placeholders_and_names_are_no_secrets(text: str) -> None:
    assert find_secrets(text) == []


@settings(deadline=None)
@given(st.text(st.sampled_from("pasword=:\"'`\\<>{}()[].,;@/-_ AKIA0123x\n"), max_size=300))
def test_any_text_can_be_searched_and_masking_once_is_enough(text: str) -> None:
    found = find_secrets(text)
    assert not found or may_have_secret(text)
    shown = masked(text)
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "piece", ["a", "password=", "password", "eyJaaaaaaaa.", "x://a:", "-----BEGIN PRIVATE KEY-----", "aA", "secret ", "aws+", "sk-", "a.b:"]
)
def test_a_very_long_row_is_searched_in_linear_time(piece: str) -> None:
    text = f"bearer password=AKIA ghp_{'a' * 20} {piece * 20_000}"
    # A quadratic search of a text this long takes minutes, a linear one takes tenths of a second.
    assert all(0 <= match.start < match.end <= len(text) for match in find_secrets(text))


def test_masking_keeps_the_public_part_of_a_secret() -> None:
    rng = random.Random(8)
    token, password = "ghp_" + some(rng, ALNUM, 36), typed(rng)
    assert (
        masked(f"git push https://anna:{password.replace('@', 'a').replace('?', 'b').replace('#', 'c')}@firm.org")
        == "git push https://anna:…@firm.org"
    )
    assert masked(f"db_password = '{password}'") == "db_password = …"
    assert masked(f"api_key={token}") == "api_key=ghp_…"
