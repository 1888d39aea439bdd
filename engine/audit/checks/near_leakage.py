"""Check: training rows that are nearly the same as an eval row."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.common_requests import common_requests
from tuneproof.engine.audit.courtesy import BUT_FOR_COURTESY, courtesy_keys
from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import norm


@check("near-leakage", severity=Severity.BLOCK, compares=True)
def near_leakage(table: Table) -> Iterator[Finding]:
    """Training rows that are nearly the same as an eval row: the score would measure memory as well as skill.

    Near means that the two inputs share at least 80 % of all their runs of three words (or five characters). The search finds every such
    row and compares each pair exactly. Short inputs of which a word more changes too much are also compared without words of courtesy and
    articles. Rows with another output than the eval row come first.
    """
    if not table.eval:
        return
    pairs = {each.row: (each.of - len(table.examples), each.jaccard) for each in table.near().examples_near_eval()}
    courteous = {row: of for row, of in _equal_but_for_courtesy(table).items() if row not in pairs}
    common = table.once(common_requests).examples
    rows = []
    for row, (of, jaccard) in {**pairs, **{row: (of, 1.0) for row, of in courteous.items()}}.items():
        example, twin = table.examples[row], table.eval[of]
        if row in common or table.examples.duplicate[row] == table.eval.duplicate[of]:
            # The checks for leakage and for common requests find equal rows.
            continue
        differs = norm(example.output) != norm(twin.output)
        alike = BUT_FOR_COURTESY if row in courteous else f"similarity {jaccard:.0%}"
        note = alike + (f", and eval says {quoted(twin.output)}" if differs else "")
        rows.append((not differs, -jaccard, FlaggedRow(example.source, of=twin.source, note=note)))
    if rows:
        rows.sort(key=lambda row: row[:2])
        count, contradicting = len(rows), sum(not same for same, _, _ in rows)
        polite = sum(row.note.startswith(BUT_FOR_COURTESY) for _, _, row in rows)
        courtesy = f", {polite} {BUT_FOR_COURTESY}" if polite else ""
        others = f", {contradicting} with another output" if contradicting else ""
        yield Finding(
            f"{count} training {plural(count, 'row is', 'rows are')} nearly the same as an eval row{others}{courtesy}",
            "leave the training rows out; the eval rows stay",
            tuple(row for _, _, row in rows),
        )


def _equal_but_for_courtesy(table: Table) -> dict[int, int]:
    """The first eval row that equals an example but for words of courtesy and articles, by the positions of the examples."""
    keys, count = courtesy_keys(table), len(table.examples)
    first: dict[str, int] = {}
    for at, key in enumerate(keys[count:]):
        if key is not None:
            first.setdefault(key, at)
    return {row: first[key] for row, key in enumerate(keys[:count]) if key is not None and key in first}
