"""Digests depend on the content alone."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.core.hashing import sha256_data, sha256_file, sha256_text

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""SHA-256 of "abc" (FIPS 180-4, example B.1)."""


def test_the_digest_of_a_text_and_of_a_file_with_it_is_sha_256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_text("abc")
    assert sha256_text("abc") == sha256_file(tmp_path / "abc") == ABC


def test_the_order_of_keys_does_not_change_the_digest_of_data() -> None:
    assert sha256_data({"a": 1, "b": [1, 2]}) == sha256_data({"b": [1, 2], "a": 1}) != sha256_data({"a": 1, "b": [2, 1]})


def test_text_that_is_not_valid_unicode_has_a_digest_of_its_own() -> None:
    assert sha256_text("\ud800") != sha256_text("\ud801")
