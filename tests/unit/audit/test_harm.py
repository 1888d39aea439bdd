"""Findings come in the order of the harm they do."""

from __future__ import annotations

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.harm import Harm, harm_of


def test_every_check_has_its_place_in_the_order() -> None:
    assert {harm_of(check) for check in CHECKS} == set(Harm)
