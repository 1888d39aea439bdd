"""Label errors by cleanlab: an extra that finds what was flipped, and says how to get it where it is not there."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.audit.checks.label_rows import TOPICS, topic_rows
from tuneproof.engine.audit.checks.label_error import probable_label_errors
from tuneproof.engine.audit.label_noise import cross_validated
from tuneproof.engine.audit.registry import Finding
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.data import LabelErrorMethod
from tuneproof.engine.data.example import Example
from tuneproof.tui.cli import main


def found(rows: list[Example]) -> list[Finding]:
    return list(probable_label_errors(Table(Rows(rows), Rows(), [], label_errors=LabelErrorMethod.CLEANLAB)))


@pytest.mark.parametrize("flips", [0, 12])
def test_flipped_labels_are_found_with_what_a_classifier_says_and_how_long_it_took(flips: int) -> None:
    pytest.importorskip("cleanlab")
    rng = random.Random(3)
    rows = topic_rows(rng)
    flipped = {rows[at].source: rows[at].output for at in rng.sample(range(len(rows)), flips)}
    wrong = [replace(e, output=rng.choice([name for name in TOPICS if name != e.output])) if e.source in flipped else e for e in rows]
    findings = found([*wrong, replace(rows[0], input="neither seen nor heard", output="once")])
    predicted = {row.at: row.note.split("`")[3] for finding in findings for row in finding.rows}
    # How many labels are wrong is an estimate, and rather too low: what is named has to be right.
    assert predicted.items() <= flipped.items() and len(predicted) >= flips / 2
    assert [f.message.split(", in ")[0] for f in findings] == (
        [f"{len(predicted)} labels are worth a look according to cleanlab"] if flips else []
    )


def test_nothing_is_said_where_words_do_not_tell_the_label_or_there_are_none() -> None:
    pytest.importorskip("cleanlab")
    rng = random.Random(1)
    rows = topic_rows(rng)
    assert found([replace(e, output=rng.choice(["even", "odd"])) for e in rows]) == []
    assert found([replace(e, instruction="", input=f"w{at}") for at, e in enumerate(rows)]) == []


@pytest.fixture
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_validated, "PACKAGES", ("a_package_that_is_not_here",))


@pytest.mark.usefixtures("without_the_extra")
def test_where_the_extra_is_missing_the_audit_says_how_to_get_it(
    write_jsonl: Any, write_case: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(write_jsonl([{"input": "a", "output": "b"}]))
    case = write_case({"data": {"examples": "rows.jsonl", "label_errors": "cleanlab"}})
    for words in (["audit", file, "--label-errors", "cleanlab"], ["audit", file, "--case", str(case)]):
        assert main(words) == 2
        assert "pip install 'tuneproof[labels]'" in capsys.readouterr().err
    assert main(["audit", file, "--case", str(case), "--label-errors", "neighbours"]) == 0
