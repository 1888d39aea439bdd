"""Outputs that say the same thing over and over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table

SHORTEST = 200
"""Characters from which on an output is long enough to tell."""

MOST_REPEATED = 0.5
"""The share of an output's characters that may repeat what stands there already."""

RUN = 10
"""Words of a run that is looked for again; characters in scripts that put no space between words."""

LONG_WORD = 25
"""Characters a word, on average, from which on a text is taken to have no spaces between words."""

_NEW_ENOUGH = 0.6
"""Texts with more than this share of their characters in words that were not there before cannot repeat half of themselves."""


@check("repetition", severity=Severity.WARN)
def repetitive_outputs(table: Table) -> Iterator[Finding]:
    """Long outputs that mostly repeat themselves, as models do that are caught in a loop: the model learns to loop.

    An output of 200 or more characters counts where more than half of it is lines, or runs of ten words, that it has said before. The two
    measures are from the repetition rules of Gopher (Rae et al. 2021, arXiv 2112.11446, table A1: duplicate lines and duplicate
    10-grams, by characters). The limits there, 20 % and 10 %, are for web pages; lists, tables and code rightly repeat more than that.
    """
    rows = tuple(
        Row(e.source, note=note) for e in chain(table.examples, table.eval) if len(e.output) >= SHORTEST and (note := _loop(e.output))
    )
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} long {several(count, 'output mostly repeats itself', 'outputs mostly repeat themselves')}",
            "shorten or rewrite them; or leave these rows out",
            rows,
        )


def _loop(text: str) -> str:
    words = text.split()
    length = _length(words)
    # A script without spaces makes one long word of a sentence.
    spaced = length <= LONG_WORD * len(words)
    tokens = words if spaced else list("".join(words))
    if _length(set(tokens)) > _NEW_ENOUGH * length:
        return ""
    repeated, example = max(_repeated_lines(text), _repeated_runs(tokens, " " if spaced else ""))
    if repeated <= MOST_REPEATED:
        return ""
    return f"{repeated:.0%} repeats what it says before, such as “{example[:60].strip()}”"


def _length(words: Iterable[str]) -> int:
    return sum(map(len, words))


def _repeated_lines(text: str) -> tuple[float, str]:
    """The share of characters in lines that stand there before, and one of those lines."""
    if "\n" not in text:
        return 0.0, ""
    lines = [line for raw in text.splitlines() if (line := raw.strip())]
    again = list((Counter(lines) - Counter(set(lines))).elements())
    return _length(again) / max(1, _length(lines)), next(iter(again), "")


def _repeated_runs(tokens: list[str], between: str) -> tuple[float, str]:
    """The share of characters in runs that stand there before, and the first such run."""
    length = _length(tokens)
    # In a run that stands there before, so does every pair of neighbours.
    if _length(second for _, second in set(pairwise(tokens))) > _NEW_ENOUGH * length:
        return 0.0, ""
    seen: set[tuple[str, ...]] = set()
    first = ""
    repeated = covered = 0
    for start in range(len(tokens) - RUN + 1):
        run = tuple(tokens[start : start + RUN])
        if run not in seen:
            seen.add(run)
            continue
        first = first or between.join(run)
        # Runs overlap, and every token counts once.
        repeated += _length(tokens[max(covered, start) : start + RUN])
        covered = start + RUN
    return repeated / max(1, length), first
