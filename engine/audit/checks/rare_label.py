"""Check: labels with few training rows."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.label_names import label_counts, label_reader, listed_labels
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.scoring.choice_grader import ChoiceGrader
from tuneproof.engine.scoring.labels_grader import LabelsGrader

RARE = 5
"""With fewer rows a label is hardly trained and hardly scored: one wrong answer moves its recall by more than 20 points."""


@check("rare-label", severity=Severity.WARN)
def rare_labels(table: Table) -> Iterator[Finding]:
    """Labels with fewer than 5 training rows: too few to train what they mean, and the model will hardly ever answer with them.

    If the task names its choices, choices without any row count too. Only if the outputs are labels.
    """
    reader = label_reader(table)
    if reader is None:
        return
    counts = label_counts(table, reader)
    choices = table.grader.choices if isinstance(table.grader, ChoiceGrader | LabelsGrader) else list(counts)
    # The format check finds outputs that are none of the choices.
    rare = {label: counts[label] for label in choices if counts[label] < RARE}
    if not rare:
        return
    rows = [
        FlaggedRow(example.source, note=", ".join(f"`{label}`: {rare[label]} {plural(rare[label], 'row', 'rows')}" for label in found))
        for example in table.examples
        if (found := [label for label in reader.labels(example.output) if label in rare])
    ]
    count = len(rare)
    yield Finding(
        f"{count} {plural(count, 'label has', 'labels have')} fewer than {RARE} training rows: {listed_labels(rare)}",
        "add rows of these labels, or merge them into others; a score of so few rows says little",
        tuple(rows),
    )
