"""One label with far more rows than others is reported with the score to beat."""

from __future__ import annotations

from tests.unit.audit.checks.label_rows import table
from tuneproof.engine.audit.checks.imbalance import uneven_labels


def test_imbalance_names_the_score_to_beat() -> None:
    (finding,) = uneven_labels(table(["up"] * 200 + ["down"] * 20 + ["flat"] * 40, ["up"] * 3 + ["down"]))
    assert finding.message == (
        "`up` has 200 rows, `down` has 20, the median label 40; always answering `up` is right in 75.0% of the eval rows"
    )
    assert list(uneven_labels(table(["up"] * 60 + ["down"] * 40))) == []
    assert list(uneven_labels(table(["up"] * 80 + ["down"] * 20))) != []
