"""How much of a text repeats what it has said before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

MOST_REPEATED = 0.5
"""The share of the characters of an output that may repeat earlier ones."""

RUN = 10
"""Length of the runs that are compared: in words, or in characters for scripts without spaces between words."""

LONG_WORD = 25
"""Average characters a word from which a text counts as written without spaces."""

FEWEST_TABLE_LINES = 3

_NEW_ENOUGH = 0.6
"""A text with more than this share of its characters in new words cannot repeat half of itself."""


def loop_in(text: str) -> str:
    """How much of a text repeats earlier text, with an example; empty if less than half does."""
    words = text.split()
    length = _length(words)
    # In a script without spaces, a sentence is one long word.
    spaced = length <= LONG_WORD * len(words)
    tokens = words if spaced else list("".join(words))
    if _length(set(tokens)) > _NEW_ENOUGH * length:
        return ""
    repeated, example = max(_repeated_lines(text), _repeated_runs(tokens, " " if spaced else ""))
    if repeated <= MOST_REPEATED:
        return ""
    return f"{repeated:.0%} repeats earlier text, such as “{example[:60].strip()}”"


def is_table(text: str) -> bool:
    """Whether most lines of a text have the same two or more delimiters, as the rows of a table do."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < FEWEST_TABLE_LINES:
        return False
    delimiters = Counter((mark, line.count(mark)) for line in lines for mark in "|\t,;" if line.count(mark) >= 2)
    return bool(delimiters) and 2 * delimiters.most_common(1)[0][1] > len(lines)


def _length(words: Iterable[str]) -> int:
    return sum(map(len, words))


def _repeated_lines(text: str) -> tuple[float, str]:
    """The share of characters in lines that occur earlier, and one of those lines."""
    if "\n" not in text:
        return 0.0, ""
    lines = [line for raw in text.splitlines() if (line := raw.strip())]
    again = list((Counter(lines) - Counter(set(lines))).elements())
    return _length(again) / max(1, _length(lines)), next(iter(again), "")


def _repeated_runs(tokens: list[str], between: str) -> tuple[float, str]:
    """The share of characters in runs that occur earlier, and the first such run."""
    length = _length(tokens)
    # If a run occurs earlier, so does every pair of neighbours in it.
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
