"""Labels that are probably wrong, because the rows most like them have another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from tuneproof.engine.audit.counts import Size
from tuneproof.engine.audit.label_names import label_reader
from tuneproof.engine.audit.label_noise.cross_validated import doubts
from tuneproof.engine.audit.label_noise.neighbours import Neighbours, nearest
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.data import LabelErrorMethod
from tuneproof.engine.data.example import Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST_ROWS, MOST_ROWS = 50, 50_000
"""With fewer rows a row has no neighbours to speak of; with more this would be the slowest check of the audit."""

NEIGHBOURS = 30
"""Rows that are asked for their label, or as many as a label of middling size has: a small label must not be outvoted by others.

With 5 % of the labels of clinc150 flipped at random (three seeds), as many rows as were flipped, surest first, are right in .768 with
20 neighbours and in .774 with 30.
"""

DOUBT = 0.25
"""Added to the votes before their shares are taken, so that a row with a few faint neighbours is not sure of anything."""

SURE = 0.5
"""From this margin on a label is named: with 5 % flipped labels 86 % of the rows named were flipped (clinc150), 91 % (intents of SNIPS)."""

AGREEMENT = 0.6
"""Cohen's kappa of the labels and what the neighbours say, below which the words do not tell the label, and neighbours say nothing.

"Substantial" agreement begins there (Landis and Koch 1977). Kappa and not accuracy: where nine of ten rows have one label, neighbours are
right in nine of ten rows by chance.
"""


@dataclass(frozen=True)
class Votes:
    """What the neighbours of each row say: the label with most votes among the others, its lead over the row's own, and the winner."""

    other: NDArray[np.intp]
    margin: NDArray[np.float64]
    winner: NDArray[np.intp]


def _every_row(table: Table) -> Iterator[Source]:
    """All rows to learn from, where the check looks at them: any may be the neighbour of any other."""
    if _is_for(table):
        yield from (example.source for example in table.examples)


def _is_for(table: Table) -> bool:
    reader = label_reader(table)
    return reader is not None and reader.separator is None and FEWEST_ROWS <= table.count(Size).examples <= MOST_ROWS


@check("label-error", severity=Severity.INFO, compares=True, also=_every_row)
def probable_label_errors(table: Table) -> Iterator[Finding]:
    """Rows whose label is probably wrong: nearly all rows with similar words have the same other label. Some of them will be right.

    Wrong labels are learned like right ones. Only where the outputs are single labels, for 50 to 50,000 rows to learn from, and where
    similar rows mostly have the same label. With `data.label_errors: cleanlab` a classifier takes the place of the similar rows.
    """
    if not _is_for(table):
        return
    outputs = [example.output.strip() for example in table.examples]
    names = sorted(set(outputs))
    number = {name: at for at, name in enumerate(names)}
    own = [number[output] for output in outputs]
    if table.label_errors is LabelErrorMethod.CLEANLAB:
        yield from _doubted(table, names, own)
        return
    neighbours = nearest(table.examples.norm, _asked(own))
    votes = count_votes(neighbours, own, len(names))
    if agreement(votes.winner.tolist(), own) < AGREEMENT:
        return
    rows = tuple(_rows(table, names, neighbours, own, votes))
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'label is', 'labels are')} probably wrong: the rows with the most similar words have another",
            "look at them, the surest first: mend what is wrong, and keep the others",
            rows,
        )


def _doubted(table: Table, names: Sequence[str], own: Sequence[int]) -> Iterator[Finding]:
    """What cleanlab doubts, where the classifier can tell the labels at all."""
    found = doubts(table.examples.norm, own)
    if found is None or agreement(found.likeliest.tolist(), [own[at] for at in found.judged.tolist()]) < AGREEMENT:
        return
    likeliest = dict(zip(found.judged.tolist(), found.likeliest.tolist(), strict=True))
    rows = tuple(
        Row(table.examples[at].source, note=f"says `{names[own[at]]}`, a classifier of the other rows `{names[likeliest[at]]}`")
        for at in found.doubted
    )
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'label is', 'labels are')} probably wrong by cleanlab, in {found.seconds:.0f} s",
            "look at them, the surest first: mend what is wrong, and keep the others",
            rows,
        )


def count_votes(neighbours: Neighbours, own: Sequence[int], labels: int) -> Votes:
    """The margin by which the neighbours of a row prefer another label to its own, from -1 to 1.

    A neighbour votes for its label with the square of its cosine (distance-weighted nearest neighbours, Dudani 1976); the margin is the
    difference of the two labels' votes as a share of all votes and a constant doubt. A row without neighbours keeps its label.
    """
    import numpy as np

    mine = np.array(own)
    rows = np.arange(len(mine))
    weights = np.where(neighbours.numbers >= 0, neighbours.cosines.astype(np.float64) ** 2, 0.0)
    cells = rows[:, None] * labels + mine[neighbours.numbers]
    votes = np.bincount(cells.ravel(), weights=weights.ravel(), minlength=len(mine) * labels).reshape(len(mine), labels)
    total = votes.sum(axis=1)
    for_own = votes[rows, mine].copy()
    votes[rows, mine] = -1.0
    other = votes.argmax(axis=1)
    margin = (votes[rows, other] - for_own) / (total + DOUBT)
    return Votes(other, margin, np.where(margin > 0, other, mine))


def agreement(one: Sequence[int], other: Sequence[int]) -> float:
    """Cohen's kappa: how far two labellings agree beyond what their frequencies give by chance (Cohen 1960); 0 where chance gives all."""
    import numpy as np

    a, b = np.array(one), np.array(other)
    labels = int(max(a.max(), b.max())) + 1
    chance = float(np.bincount(a, minlength=labels) @ np.bincount(b, minlength=labels)) / len(a) ** 2
    return (float(np.mean(a == b)) - chance) / (1 - chance) if chance < 1 else 0.0


def _asked(own: Sequence[int]) -> int:
    """How many neighbours are asked."""
    return max(1, min(NEIGHBOURS, int(median(Counter(own).values()))))


def _rows(table: Table, names: Sequence[str], neighbours: Neighbours, own: Sequence[int], votes: Votes) -> Iterator[Row]:
    """The rows whose label is probably wrong, the surest first, each with the nearest row that has the other label."""
    import numpy as np

    surest_first = np.argsort(-votes.margin, kind="stable")
    for at in surest_first[votes.margin[surest_first] >= SURE].tolist():
        other = int(votes.other[at])
        like = next(near for near in neighbours.numbers[at].tolist() if near >= 0 and own[near] == other)
        note = f"says `{names[own[at]]}`, the rows most like it say `{names[other]}`"
        yield Row(table.examples[at].source, of=table.examples[like].source, note=note)
