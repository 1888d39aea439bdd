"""Boilerplate: text that many rows share word for word. It is removed before rows are compared, or every row looks like every other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, KeysView, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from zlib import crc32

import numpy as np

from tuneproof.engine.data.example import norm

LEAST_ROWS = 20
"""Fewest rows that share a piece of boilerplate."""
LINE_SHARE = 0.01
"""Share of rows from which a line is boilerplate. Lines have clear ends, so it can be small: a data set may have dozens of preambles."""
RUN_SHARE = 0.1
"""Share of rows from which a run of words is boilerplate. A run has no clear end: a few rows that share one may be edited copies."""
LEAST_WORDS = 8
"""Two rows with fewer than 8x + 2 leading words in common, followed by x different words each, are below 0.8 at word 3-grams."""
MOST_SAMPLED = 100_000
"""Different rows that decide what is boilerplate: enough to measure a share of 1 % to a tenth of it."""
_CONTINUES = 0.9
_BUCKETS = 1 << 20


class Position(StrEnum):
    """Where boilerplate is in a row."""

    LINE = "line"
    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Boilerplate:
    """A piece of boilerplate, where it is, and the number of rows that it was removed from."""

    position: Position
    text: str
    rows: int


@dataclass(frozen=True)
class WordRun:
    """Words that are removed from one end of a text, counted from that end, if other words follow."""

    words: tuple[str, ...]
    number: int
    """Identifies the run among all runs."""


@dataclass(frozen=True)
class Round:
    """Runs that are removed from the same end at once, by their first words."""

    position: Position
    runs: Mapping[str, WordRun]


@dataclass(frozen=True)
class BoilerplateRules:
    """What counts as boilerplate: whole lines, then runs of words, round by round."""

    lines: frozenset[str] = frozenset()
    rounds: tuple[Round, ...] = ()


@dataclass(frozen=True)
class Removed:
    """Texts under `norm` without boilerplate, and the number of rows that each line, and each run by its number, was removed from."""

    texts: list[str]
    lines: Counter[str]
    runs: Counter[int]


@dataclass(frozen=True)
class WithoutBoilerplate:
    """The texts of rows under `norm` without boilerplate, and the boilerplate."""

    texts: list[str]
    boilerplate: list[Boilerplate]


def without_boilerplate(raw: Sequence[str], normalised: Sequence[str] | None = None) -> WithoutBoilerplate:
    """Removes whole lines, and runs of words at the start or the end, that many rows share; `normalised` is `norm` of each text.

    A line is boilerplate from 20 rows and 1 % of all, a run from 8 words, 20 rows and 10 %. Equal rows count once, and of more than
    100,000 different rows a sample of that size decides. A row that is nothing but boilerplate keeps its text.
    """
    normalised = [norm(text) for text in raw] if normalised is None else normalised
    rules = find_boilerplate(sampled_rows(dict(zip(raw, normalised, strict=True))))
    removed = remove_boilerplate(rules, raw, normalised)
    return WithoutBoilerplate(removed.texts, boilerplate_of(rules, removed.lines, removed.runs))


def sampled_rows(rows: Mapping[str, str]) -> Mapping[str, str]:
    """The rows that decide what is boilerplate, in their order: all, or those whose texts have the smallest checksums.

    The sample is the same however the rows are divided: the sample of all rows is among the samples of the parts.
    """
    if len(rows) <= MOST_SAMPLED:
        return rows
    sums = np.fromiter((crc32(text.encode("utf-8", "surrogatepass")) for text in rows), np.uint32, len(rows))
    limit = np.partition(sums, MOST_SAMPLED - 1)[MOST_SAMPLED - 1]
    texts = list(rows)
    open_ = sorted(texts[at] for at in np.flatnonzero(sums == limit).tolist())
    last = set(open_[: MOST_SAMPLED - int((sums < limit).sum())])
    return {text: rows[text] for text, own in zip(texts, sums.tolist(), strict=True) if own < limit or (own == limit and text in last)}


def find_boilerplate(rows: Mapping[str, str]) -> BoilerplateRules:
    """The boilerplate of these different rows, each with its text under `norm`."""
    common = _common_lines(list(rows))
    left = remove_boilerplate(BoilerplateRules(common), list(rows), list(rows.values())).texts
    rounds: list[Round] = []
    for position in (Position.START, Position.END):
        while runs := _common_runs(left, position, sum(len(each.runs) for each in rounds)):
            rounds.append(Round(position, runs))
            left = [_without_run(text, rounds[-1])[0] for text in left]
    return BoilerplateRules(common, tuple(rounds))


def remove_boilerplate(rules: BoilerplateRules, raw: Sequence[str], normalised: Sequence[str]) -> Removed:
    """The rows without the boilerplate, and the number of rows that each piece was removed from."""
    removed = Removed(list(normalised), Counter(), Counter())
    texts = removed.texts
    if rules.lines:
        for at, text in enumerate(raw):
            common = rules.lines.intersection(_lines(text)) if "\n" in text else None
            if common and (left := norm("\n".join(line for line in text.splitlines() if line.strip() not in rules.lines))):
                texts[at] = left
                removed.lines.update(common)
    for each in rules.rounds:
        for at, text in enumerate(texts):
            texts[at], number = _without_run(text, each)
            if number is not None:
                removed.runs[number] += 1
    return removed


def boilerplate_of(rules: BoilerplateRules, lines: Counter[str], runs: Counter[int]) -> list[Boilerplate]:
    """The boilerplate as a list: lines by falling number of rows, then runs."""
    found = [Boilerplate(Position.LINE, line, rows) for line, rows in sorted(lines.items(), key=lambda each: (-each[1], each[0]))]
    return found + [
        Boilerplate(each.position, _joined(list(run.words), each.position), runs[run.number])
        for each in rules.rounds
        for run in each.runs.values()
    ]


def _common_lines(raw: Sequence[str]) -> frozenset[str]:
    """The lines that many rows with several lines have."""
    many = [text for text in raw if "\n" in text]
    return frozenset(_common(lambda: (line for text in many for line in _lines(text)), _enough(raw, LINE_SHARE)))


def _common_runs(texts: Sequence[str], position: Position, number: int) -> dict[str, WordRun]:
    """The runs of words that many rows have at one end, numbered from `number` on."""
    enough = _enough(texts, RUN_SHARE)
    # Words of one letter and the spaces between them: no run is shorter.
    shortest = 2 * LEAST_WORDS - 1
    end = slice(None, shortest) if position is Position.START else slice(-shortest, None)
    ends = _common(lambda: (text[end] for text in texts), enough)
    starts: dict[str, list[list[str]]] = {}
    for text in texts if ends else ():
        if text[end] in ends and len(words := _words(text, position)) > LEAST_WORDS:
            starts.setdefault(" ".join(words[:LEAST_WORDS]), []).append(words)
    often = {start: rows for start, rows in starts.items() if len(rows) >= enough}
    return {start: WordRun(tuple(_run(rows)), at) for at, (start, rows) in enumerate(often.items(), number)}


def _run(rows: list[list[str]]) -> list[str]:
    """The longest run that nearly all of these rows share, shorter than a row."""
    run, having = LEAST_WORDS, rows
    while longer := [words for words in having if len(words) > run + 1]:
        word, count = Counter(words[run] for words in longer).most_common(1)[0]
        if count < _CONTINUES * len(rows):
            break
        having = [words for words in longer if words[run] == word]
        run += 1
    return having[0][:run]


def _without_run(text: str, round_: Round) -> tuple[str, int | None]:
    """The text without its run of this round, and the number of the run; the text itself and None if it has none."""
    words = _words(text, round_.position)
    run = round_.runs.get(" ".join(words[:LEAST_WORDS]))
    if run is None or len(words) <= len(run.words) or tuple(words[: len(run.words)]) != run.words:
        return text, None
    return _joined(words[len(run.words) :], round_.position), run.number


def _enough(rows: Sequence[str], share: float) -> int:
    return max(LEAST_ROWS, ceil(len(rows) * share))


def _lines(text: str) -> KeysView[str]:
    """The lines of a text with several lines, each once; none for a text of one line."""
    lines = dict.fromkeys(line for each in text.splitlines() if (line := each.strip()))
    return (lines if len(lines) > 1 else {}).keys()


def _words(text: str, position: Position) -> list[str]:
    """The words, beginning at the given end."""
    words = text.split(" ")
    return words if position is Position.START else words[::-1]


def _joined(words: list[str], position: Position) -> str:
    return " ".join(words if position is Position.START else words[::-1])


def _common(items: Callable[[], Iterable[str]], enough: int) -> set[str]:
    """The items that occur at least so often; counted in few buckets first, so that rare ones take no memory."""
    buckets = np.fromiter(map(hash, items()), np.int64) % _BUCKETS
    often = (np.bincount(buckets, minlength=_BUCKETS) >= enough).tobytes()
    if not any(often):
        return set()
    counts = Counter(item for item in items() if often[hash(item) % _BUCKETS])
    return {item for item, count in counts.items() if count >= enough}
