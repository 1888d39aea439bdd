"""Check: labels that may be wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from tuneproof.engine.audit.counts import Size
from tuneproof.engine.audit.label_names import label_reader
from tuneproof.engine.audit.label_noise.cross_validated import find_doubts
from tuneproof.engine.audit.label_noise.neighbours import Neighbours, nearest_texts
from tuneproof.engine.audit.label_noise.votes import Votes, cohens_kappa, count_votes
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.case.data import LabelErrorMethod
from tuneproof.engine.data.example import Source

FEWEST_ROWS, MOST_ROWS = 50, 50_000
"""With fewer rows there are too few neighbours; with more, this would be the slowest check of the audit."""

NEIGHBOURS = 30
"""Neighbours of a row that vote, or as many as the label of median size has: the others must not outvote a small label.

With 5 % of the labels of clinc150 flipped at random (three seeds), as many rows as were flipped, the most certain first, are right in .768
with 20 neighbours and in .774 with 30.
"""

CERTAIN = 0.5
"""Margin from which a label is reported: with 5 % flipped labels, 86 % of the rows were flipped (clinc150), 91 % (intents of SNIPS)."""

AGREEMENT = 0.6
"""Cohen's kappa of the labels and the votes below which the words do not determine the label, so that neighbours say nothing.

Agreement is called substantial from there (Landis and Koch 1977). Kappa and not accuracy: if nine in ten rows have one label, neighbours
are right in nine of ten rows by chance.
"""

ACTION = "they are sorted, the most certain first: fix the wrong ones, keep the others, and stop where most are right"


def _every_example(table: Table) -> Iterator[Source]:
    """All examples if the check applies: any of them may be the neighbour of any other."""
    if _applies(table):
        yield from (example.source for example in table.examples)


def _applies(table: Table) -> bool:
    reader = label_reader(table)
    return reader is not None and reader.style is None and FEWEST_ROWS <= table.count(Size).examples <= MOST_ROWS


@check("label-error", severity=Severity.INFO, compares=True, also_needs=_every_example)
def probable_label_errors(table: Table) -> Iterator[Finding]:
    """Labels that are worth a look: nearly all rows with similar words share another label. About half of those found are right.

    The model learns wrong labels like right ones. Only if the outputs are single labels, for 50 to 50,000 training rows, and if similar
    rows mostly have the same label. With the method cleanlab a classifier replaces the similar rows.
    """
    if not _applies(table):
        return
    outputs = [example.output.strip() for example in table.examples]
    names = sorted(set(outputs))
    number = {name: at for at, name in enumerate(names)}
    own = [number[output] for output in outputs]
    if table.label_errors is LabelErrorMethod.CLEANLAB:
        yield from _by_classifier(table, names, own)
    else:
        yield from _by_neighbours(table, names, own)


def _by_neighbours(table: Table, names: Sequence[str], own: Sequence[int]) -> Iterator[Finding]:
    """The finding by the votes of similar rows, if they determine the labels at all."""
    neighbours = nearest_texts(table.examples.norm, _voters(own))
    votes = count_votes(neighbours, own, len(names))
    if cohens_kappa(votes.winner.tolist(), own) < AGREEMENT:
        return
    rows = tuple(_rows(table, names, neighbours, own, votes))
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'label is', 'labels are')} worth a look: rows with similar words have another label",
            ACTION,
            rows,
        )


def _by_classifier(table: Table, names: Sequence[str], own: Sequence[int]) -> Iterator[Finding]:
    """The finding by cleanlab, if the classifier predicts the labels at all."""
    found = find_doubts(table.examples.norm, own)
    if found is None or cohens_kappa(found.likeliest.tolist(), [own[at] for at in found.judged.tolist()]) < AGREEMENT:
        return
    likeliest = dict(zip(found.judged.tolist(), found.likeliest.tolist(), strict=True))
    rows = tuple(
        FlaggedRow(
            table.examples[at].source,
            note=f"labelled `{names[own[at]]}`; a classifier trained on other rows predicts `{names[likeliest[at]]}`",
        )
        for at in found.doubted
    )
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'label is', 'labels are')} worth a look according to cleanlab, in {found.seconds:.0f} s",
            ACTION,
            rows,
        )


def _voters(own: Sequence[int]) -> int:
    """How many neighbours vote."""
    return max(1, min(NEIGHBOURS, int(median(Counter(own).values()))))


def _rows(table: Table, names: Sequence[str], neighbours: Neighbours, own: Sequence[int], votes: Votes) -> Iterator[FlaggedRow]:
    """The rows whose label is worth a look, the most certain first, each with the nearest row that has the other label."""
    import numpy as np

    most_certain_first = np.argsort(-votes.margin, kind="stable")
    for at in most_certain_first[votes.margin[most_certain_first] >= CERTAIN].tolist():
        other = int(votes.other[at])
        like = next(near for near in neighbours.numbers[at].tolist() if near >= 0 and own[near] == other)
        note = f"labelled `{names[own[at]]}`; the most similar rows are labelled `{names[other]}`"
        yield FlaggedRow(table.examples[at].source, of=table.examples[like].source, note=note)
