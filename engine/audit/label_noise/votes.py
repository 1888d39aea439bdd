"""What similar rows say about the label of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuneproof.engine.audit.label_noise.neighbours import Neighbours

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PRIOR_VOTES = 0.25
"""Added to the votes before their shares are taken, so that a few faint neighbours are not enough for certainty."""


@dataclass(frozen=True)
class Votes:
    """The votes of the neighbours, one entry a row."""

    other: NDArray[np.intp]
    """The label with most votes, other than the row's own."""
    margin: NDArray[np.float64]
    """Its lead over the row's own label, from -1 to 1."""
    winner: NDArray[np.intp]
    """The label with most votes."""


def count_votes(neighbours: Neighbours, own: Sequence[int], labels: int) -> Votes:
    """The margin by which the neighbours of each row prefer another label to its own.

    A neighbour votes for its label with the square of its cosine (distance-weighted nearest neighbours, Dudani 1976). The margin is the
    difference of the two labels' votes as a share of all votes and a prior. A row without neighbours keeps its label.
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
    margin = (votes[rows, other] - for_own) / (total + PRIOR_VOTES)
    return Votes(other, margin, np.where(margin > 0, other, mine))


def cohens_kappa(one: Sequence[int], other: Sequence[int]) -> float:
    """How far two labellings agree beyond chance (Cohen 1960); 0 if chance alone gives full agreement."""
    import numpy as np

    a, b = np.array(one), np.array(other)
    labels = int(max(a.max(), b.max())) + 1
    chance = float(np.bincount(a, minlength=labels) @ np.bincount(b, minlength=labels)) / len(a) ** 2
    return (float(np.mean(a == b)) - chance) / (1 - chance) if chance < 1 else 0.0
