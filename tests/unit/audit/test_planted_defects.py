"""Every check finds exactly the rows with its defect, wherever they are and however many there are."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.defect_factory import DEFECTS, labelled
from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.run_checks import audit

WITHOUT_ROWS = {"imbalance", "label-shares", "split-groups", "near-incomplete", "by-hand", "no-such-row"}
"""They are about the data as a whole or about what the case leaves out, so that no single row has the defect."""


def test_every_check_has_its_defect() -> None:
    assert CHECKS.keys() - WITHOUT_ROWS == DEFECTS.keys()


@pytest.mark.parametrize("check", DEFECTS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 4))
def test_exactly_the_rows_with_the_defect_are_found(check: str, seed: int, count: int) -> None:
    rows = DEFECTS[check](Random(seed), count)
    report = audit(rows.table(), (), {})
    found = {(row.file, row.line) for finding in report.findings if finding.check == check for row in finding.rows}
    assert found == {(source.file, source.line) for source in rows.defects}


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_one_label_with_most_rows_is_reported(seed: int) -> None:
    rng = Random(seed)
    even, uneven = labelled(rng), labelled(rng)
    uneven.examples = [e for e in uneven.examples if e.output == "red" or e.source.line <= 24]
    for at in range(len(uneven.examples), 400):
        uneven.add(f"{uneven.examples[0].input} {at}", "red", defect=False)
    findings = [[f for f in audit(rows.table(), (), {}).findings if f.check == "imbalance"] for rows in (even, uneven)]
    assert findings[0] == [] and "`red`" in findings[1][0].message
