"""Every check finds exactly the rows in which its defect was planted, wherever they stand and however many they are."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.defect_factory import PLANTERS, labelled
from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.run_checks import audit

WITHOUT_ROWS = {"imbalance", "near-incomplete"}
"""They speak of the data as a whole, so nothing can be planted into single rows."""


def test_every_check_has_its_defect() -> None:
    assert CHECKS.keys() - WITHOUT_ROWS == PLANTERS.keys()


@pytest.mark.parametrize("check", PLANTERS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 4))
def test_exactly_the_planted_rows_are_found(check: str, seed: int, count: int) -> None:
    world = PLANTERS[check](Random(seed), count)
    report = audit(world.table(), (), {})
    found = {(row.file, row.line) for finding in report.findings if finding.check == check for row in finding.rows}
    assert found == {(source.file, source.line) for source in world.planted}


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_one_label_that_crowds_out_the_others_is_told(seed: int) -> None:
    rng = Random(seed)
    even, uneven = labelled(rng), labelled(rng)
    uneven.examples = [e for e in uneven.examples if e.output == "red" or e.source.line <= 24]
    for at in range(len(uneven.examples), 400):
        uneven.add(f"{uneven.examples[0].input} {at}", "red", planted=False)
    told = [[f for f in audit(world.table(), (), {}).findings if f.check == "imbalance"] for world in (even, uneven)]
    assert told[0] == [] and "`red`" in told[1][0].message
