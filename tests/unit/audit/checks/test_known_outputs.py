"""Eval outputs that stand word for word in train are found, and said loudly where they are many."""

from __future__ import annotations

from tests.unit.audit.checks.text_rows import clean, example, findings
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.data.example import Example

TRAIN = [clean(line) for line in range(1, 41)]


def scored(known: int, new: int) -> list[Example]:
    rows = [example(line, f"asked otherwise {line}", TRAIN[line].output) for line in range(known)]
    return [*rows, *(example(100 + line, f"new {line}", f"an answer that nobody wrote before {line}") for line in range(new))]


def test_a_few_known_answers_are_named_with_the_training_row() -> None:
    (found,) = findings("known-outputs", TRAIN, scored(2, 18))
    assert found.message == "2 of 20 eval rows (10%) have an output that stands word for word in train"
    assert [(row.at.line, row.of.line if row.of else 0) for row in found.rows] == [(0, 1), (1, 2)] and found.severity is None


def test_many_known_answers_are_a_warning() -> None:
    (found,) = findings("known-outputs", TRAIN, scored(20, 0))
    assert found.severity is Severity.WARN


def test_short_answers_and_labels_are_no_leak() -> None:
    labels = [example(line, f"text {line}", "it is the first one" if line % 2 else "it is the second one") for line in range(1, 41)]
    assert findings("known-outputs", labels, labels[:9]) == []
    assert findings("known-outputs", [example(1, "a", "42 km")], [example(2, "b", "42 km")]) == []
