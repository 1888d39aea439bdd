"""Text that many rows share word for word: set aside before rows are compared, or every row looks like every other."""

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
LINE_SHARE = 0.01
"""Whole lines have ends of their own, so a small share of rows is enough to tell a preamble: a set may have dozens of them."""
RUN_SHARE = 0.1
"""A run of words has no end of its own: where few rows share it, they may as well be edited copies of one another."""
LEAST_WORDS = 8
"""With fewer than 8x + 2 leading words in common, two rows that go on with x different words each are below 0.8 at word 3-grams."""
MOST_DECIDING = 100_000
"""Different rows that decide what is boilerplate: enough for a share of 1 % to be known to a tenth of it."""
_STAYS = 0.9
_BUCKETS = 1 << 20


class Place(StrEnum):
    """Where in a row boilerplate stands."""

    LINE = "line"
    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Shared:
    """A piece of boilerplate, where it stands, and how many rows it was set aside in."""

    place: Place
    text: str
    rows: int


@dataclass(frozen=True)
class Run:
    """Words that are taken out of one end of a text, counted from that end, if the text goes on after them."""

    words: tuple[str, ...]
    number: int


@dataclass(frozen=True)
class Round:
    """Runs that are taken out of the same end at once, by their first words."""

    place: Place
    runs: Mapping[str, Run]


@dataclass(frozen=True)
class Pieces:
    """What counts as boilerplate: whole lines, and then runs of words, round by round."""

    lines: frozenset[str] = frozenset()
    rounds: tuple[Round, ...] = ()


@dataclass(frozen=True)
class Taken:
    """Texts under `norm` without boilerplate, and in how many each line, and each run by its number, was."""

    texts: list[str]
    lines: Counter[str]
    runs: Counter[int]


@dataclass(frozen=True)
class SetAside:
    """The rows' texts under `norm` without boilerplate, and the boilerplate."""

    texts: list[str]
    shared: list[Shared]


def set_aside(raw: Sequence[str], normalised: Sequence[str] | None = None) -> SetAside:
    """Takes out whole lines, and runs of words at the start or the end, that many rows share; `normalised` is `norm` of each text.

    A line counts as shared from 20 rows and 1 % of all, a run from 8 words, 20 rows and 10 %, where equal rows count as one, and of more
    than 100,000 different ones as many are looked at. A row that is nothing but boilerplate keeps its text.
    """
    normalised = [norm(text) for text in raw] if normalised is None else normalised
    pieces = decide(deciding(dict(zip(raw, normalised, strict=True))))
    taken = take_out(pieces, raw, normalised)
    return SetAside(taken.texts, shared(pieces, taken.lines, taken.runs))


def deciding(rows: Mapping[str, str]) -> Mapping[str, str]:
    """The rows that decide what is boilerplate, in their order: all, or those whose texts have the smallest checksums.

    So the rows that decide are the same however the rows are divided: those of all are among those of the parts.
    """
    if len(rows) <= MOST_DECIDING:
        return rows
    sums = np.fromiter((crc32(text.encode("utf-8", "surrogatepass")) for text in rows), np.uint32, len(rows))
    limit = np.partition(sums, MOST_DECIDING - 1)[MOST_DECIDING - 1]
    texts = list(rows)
    open_ = sorted(texts[at] for at in np.flatnonzero(sums == limit).tolist())
    last = set(open_[: MOST_DECIDING - int((sums < limit).sum())])
    return {text: rows[text] for text, own in zip(texts, sums.tolist(), strict=True) if own < limit or (own == limit and text in last)}


def decide(rows: Mapping[str, str]) -> Pieces:
    """What these different rows, each with its text under `norm`, have in common."""
    common = _common_lines(list(rows))
    left = take_out(Pieces(common), list(rows), list(rows.values())).texts
    rounds: list[Round] = []
    for place in (Place.START, Place.END):
        while runs := _common_runs(left, place, sum(len(each.runs) for each in rounds)):
            rounds.append(Round(place, runs))
            left = [_without_run(text, rounds[-1])[0] for text in left]
    return Pieces(common, tuple(rounds))


def take_out(pieces: Pieces, raw: Sequence[str], normalised: Sequence[str]) -> Taken:
    """The rows without the boilerplate, and what was taken out of how many."""
    taken = Taken(list(normalised), Counter(), Counter())
    texts = taken.texts
    if pieces.lines:
        for at, text in enumerate(raw):
            common = pieces.lines.intersection(_lines(text)) if "\n" in text else None
            if common and (left := norm("\n".join(line for line in text.splitlines() if line.strip() not in pieces.lines))):
                texts[at] = left
                taken.lines.update(common)
    for each in pieces.rounds:
        for at, text in enumerate(texts):
            texts[at], number = _without_run(text, each)
            if number is not None:
                taken.runs[number] += 1
    return taken


def shared(pieces: Pieces, lines: Counter[str], runs: Counter[int]) -> list[Shared]:
    """The boilerplate as a reader is told of it, with the numbers of rows that it was taken out of."""
    told = [Shared(Place.LINE, line, rows) for line, rows in sorted(lines.items(), key=lambda each: (-each[1], each[0]))]
    return told + [
        Shared(each.place, _joined(list(run.words), each.place), runs[run.number]) for each in pieces.rounds for run in each.runs.values()
    ]


def _common_lines(raw: Sequence[str]) -> frozenset[str]:
    """The lines that many rows have beside others."""
    many = [text for text in raw if "\n" in text]
    return frozenset(_common(lambda: (line for text in many for line in _lines(text)), _enough(raw, LINE_SHARE)))


def _common_runs(texts: Sequence[str], place: Place, number: int) -> dict[str, Run]:
    """The runs of words that many rows have at one end, numbered from here on."""
    enough = _enough(texts, RUN_SHARE)
    # Words of one letter and the spaces between them: no shared run is shorter.
    shortest = 2 * LEAST_WORDS - 1
    end = slice(None, shortest) if place is Place.START else slice(-shortest, None)
    ends = _common(lambda: (text[end] for text in texts), enough)
    starts: dict[str, list[list[str]]] = {}
    for text in texts if ends else ():
        if text[end] in ends and len(words := _words(text, place)) > LEAST_WORDS:
            starts.setdefault(" ".join(words[:LEAST_WORDS]), []).append(words)
    often = {start: rows for start, rows in starts.items() if len(rows) >= enough}
    return {start: Run(tuple(_run(rows)), at) for at, (start, rows) in enumerate(often.items(), number)}


def _run(rows: list[list[str]]) -> list[str]:
    """The run that these rows share: as long as nearly all of them have it, and less than a row."""
    run, having = LEAST_WORDS, rows
    while longer := [words for words in having if len(words) > run + 1]:
        word, count = Counter(words[run] for words in longer).most_common(1)[0]
        if count < _STAYS * len(rows):
            break
        having = [words for words in longer if words[run] == word]
        run += 1
    return having[0][:run]


def _without_run(text: str, round_: Round) -> tuple[str, int | None]:
    """The text without the run of this round that it has, and the number of the run."""
    words = _words(text, round_.place)
    run = round_.runs.get(" ".join(words[:LEAST_WORDS]))
    if run is None or len(words) <= len(run.words) or tuple(words[: len(run.words)]) != run.words:
        return text, None
    return _joined(words[len(run.words) :], round_.place), run.number


def _enough(rows: Sequence[str], share: float) -> int:
    return max(LEAST_ROWS, ceil(len(rows) * share))


def _lines(text: str) -> KeysView[str]:
    """The lines of a text that has several, each once; none if it has but one."""
    lines = dict.fromkeys(line for each in text.splitlines() if (line := each.strip()))
    return (lines if len(lines) > 1 else {}).keys()


def _words(text: str, place: Place) -> list[str]:
    """The words from the end that is looked at."""
    words = text.split(" ")
    return words if place is Place.START else words[::-1]


def _joined(words: list[str], place: Place) -> str:
    return " ".join(words if place is Place.START else words[::-1])


def _common(items: Callable[[], Iterable[str]], enough: int) -> set[str]:
    """The items that come at least so often; counted in few buckets first, so that rare ones take no memory."""
    buckets = np.fromiter(map(hash, items()), np.int64) % _BUCKETS
    often = (np.bincount(buckets, minlength=_BUCKETS) >= enough).tobytes()
    if not any(often):
        return set()
    counts = Counter(item for item in items() if often[hash(item) % _BUCKETS])
    return {item for item, count in counts.items() if count >= enough}
