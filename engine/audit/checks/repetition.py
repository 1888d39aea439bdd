"""Check: outputs that repeat themselves."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tuneproof.engine.audit.counts import Size
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.text.repetition import is_table, loop_in
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import Example

SHORTEST = 200
"""Characters from which an output is long enough to be judged."""


IS_THE_FORM = 0.2
"""If more than this share of all outputs repeat themselves, and more than a few, they are meant to."""

FEW = 3


@check("repetition", severity=Severity.WARN)
def repetitive_outputs(table: Table) -> Iterator[Finding]:
    """Long outputs that mostly repeat themselves, as models do when they are caught in a loop: the model learns to loop.

    An output of 200 or more characters counts if more than half of it is lines, or runs of ten words, that occur earlier in it. The two
    measures are the repetition rules of Gopher (Rae et al. 2021, arXiv 2112.11446, table A1: duplicate lines and duplicate 10-grams, by
    characters). The limits there, 20 % and 10 %, are for web pages; lists, tables and code rightly repeat more than that. Tables do not
    count, nor does an output with one word for each word of the input, which tags them. If more than a fifth of all outputs are like
    this, that is their form: there is no finding.
    """
    rows = tuple(
        FlaggedRow(e.source, note=note)
        for e in chain(table.examples, table.eval)
        if len(e.output) >= SHORTEST and not _tags_words(e) and not is_table(e.output) and (note := loop_in(e.output))
    )
    if rows and len(rows) <= max(FEW, IS_THE_FORM * table.count(Size).rows):
        yield Finding(
            f"{len(rows)} long {plural(len(rows), 'output mostly repeats itself', 'outputs mostly repeat themselves')}",
            "shorten or rewrite them; or leave these rows out",
            rows,
        )


def _tags_words(example: Example) -> bool:
    """Whether the output has as many words as the input, as tags of words do."""
    return len(example.output.split()) == len(example.input.split())
