"""Short requests that many rows have, such as "thank you": in train and in eval they are how users write, and no leak to leave out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tuneproof.engine.audit.label_names import label_counts, label_reader
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.spaceless import words_of

MOST_WORDS = 3
"""Words of a short request."""

OFTEN = 3
"""Rows of train and eval together from which a short request is common."""

MUCH_OF_A_LABEL = 0.2
"""The share of a label's training rows from which leaving out short requests would strip it: then they are common too."""


@dataclass(frozen=True)
class CommonRequests:
    """The rows of common requests that are in both parts, by their positions."""

    examples: Mapping[int, int]
    """The first eval row with the same request, by example."""
    eval: frozenset[int]


def common_requests(table: Table) -> CommonRequests:
    """The short requests that train and eval share, and that are common. Use it with `Table.once`."""
    examples, scored = table.examples, table.eval
    if not examples or not scored:
        return CommonRequests({}, frozenset())
    texts = table.compared_texts()
    shared = {at: of for at, of in examples.duplicate.first_in(scored.duplicate).items() if len(words_of(texts[at])) <= MOST_WORDS}
    keys = {at: examples.duplicate[at] for at in shared}
    wanted = set(keys.values())
    back = {at: key for at in scored.duplicate.first_in(examples.duplicate) if (key := scored.duplicate[at]) in wanted}
    often = Counter(keys.values()) + Counter(back.values())
    common = {at for at in shared if often[keys[at]] >= OFTEN} | _strip_a_label(table, list(shared))
    known = {keys[at] for at in common}
    return CommonRequests(
        {at: of for at, of in shared.items() if keys[at] in known}, frozenset(at for at, key in back.items() if key in known)
    )


def _strip_a_label(table: Table, rows: list[int]) -> set[int]:
    """Those of the rows whose labels would lose much of their training rows with them."""
    reader = label_reader(table)
    if reader is None:
        return set()
    labels = {at: reader.labels(table.examples[at].output) for at in rows}
    lost = Counter(label for found in labels.values() for label in found)
    counts = label_counts(table, reader)
    stripped = {label for label, count in lost.items() if count >= MUCH_OF_A_LABEL * counts[label]}
    return {at for at, found in labels.items() if stripped.intersection(found)}
