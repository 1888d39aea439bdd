"""Check: one label written in several ways."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tuneproof.engine.audit.label_names import label_counts, label_reader
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import listed, plural
from tuneproof.engine.data.example import norm

_BETWEEN_WORDS = re.compile(r"(?<=\w)[\s_-]+(?=\w)|_")
_AROUND = ".,;:!'\"`*"


@check("label-variants", severity=Severity.WARN)
def label_variants(table: Table) -> Iterator[Finding]:
    """Labels that are written in several ways, such as "Billing", "BILLING" and "billing.": the model cannot know which one is asked for.

    Two labels are the same but for case, punctuation around them, and white space, hyphens and underscores between words. The rows are
    those that do not have the most frequent way. Only if the outputs are labels.
    """
    reader = label_reader(table)
    if reader is None:
        return
    counts = label_counts(table, reader)
    several = {label: forms for label, forms in _forms(counts).items() if len(forms) > 1}
    if not several:
        return
    usual = {form: forms.most_common(1)[0][0] for forms in several.values() for form in forms}
    rows = tuple(
        FlaggedRow(example.source, note=", ".join(f"`{label}`: mostly written `{usual[label]}`" for label in found))
        for example in table.examples
        if (found := [label for label in reader.labels(example.output) if usual.get(label, label) != label])
    )
    ways, labels = sum(map(len, several.values())), len(several)
    named = listed(" = ".join(f"`{form[:40]}`" for form in forms) for forms in several.values())
    yield Finding(
        f"{labels} {plural(labels, 'label is', 'labels are')} written in {ways} ways: {named}",
        "write each in one way; or have answers compared without case (`task.compare`), if all ways are right",
        rows,
    )


def _forms(counts: Counter[str]) -> dict[str, Counter[str]]:
    """The ways in which each label is written, with their rows."""
    forms: dict[str, Counter[str]] = {}
    for label, times in counts.items():
        forms.setdefault(_same(label), Counter())[label] = times
    return forms


def _same(label: str) -> str:
    return _BETWEEN_WORDS.sub("", norm(label).strip(_AROUND)) or label
