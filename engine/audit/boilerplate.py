"""Text that many rows share word for word: set aside before rows are compared, or every row looks like every other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, KeysView, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

import numpy as np

from tuneproof.engine.data.example import norm

LEAST_ROWS = 20
LINE_SHARE = 0.01
"""Whole lines have ends of their own, so a small share of rows is enough to tell a preamble: a set may have dozens of them."""
RUN_SHARE = 0.1
"""A run of words has no end of its own: where few rows share it, they may as well be edited copies of one another."""
LEAST_WORDS = 8
"""With fewer than 8x + 2 leading words in common, two rows that go on with x different words each are below 0.8 at word 3-grams."""
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
class SetAside:
    """The rows' texts under `norm` without boilerplate, and the boilerplate."""

    texts: list[str]
    shared: list[Shared]


def set_aside(raw: Sequence[str], normalised: Sequence[str] | None = None) -> SetAside:
    """Takes out whole lines, and runs of words at the start or the end, that many rows share; `normalised` is `norm` of each text.

    A line counts as shared from 20 rows and 1 % of all, a run from 8 words, 20 rows and 10 %, where equal rows count as one. A row
    that is nothing but boilerplate keeps its text.
    """
    rows = _Rows(Counter(raw))
    rows.texts = [norm(text) for text in rows.raw] if normalised is None else list(dict(zip(raw, normalised, strict=True)).values())
    rows.take_lines()
    for place in (Place.START, Place.END):
        while rows.take_runs(place):
            pass
    text_of = dict(zip(rows.raw, rows.texts, strict=True))
    return SetAside([text_of[text] for text in raw], rows.shared)


class _Rows:
    """Rows that differ, what is left of their texts under `norm`, and what was taken out of them."""

    def __init__(self, copies: Counter[str]) -> None:
        self.raw = list(copies)
        self.copies = list(copies.values())
        self.texts: list[str] = []
        self.shared: list[Shared] = []

    def take_lines(self) -> None:
        """Takes out the lines that many rows have beside others."""
        many = [at for at, text in enumerate(self.raw) if "\n" in text]
        common = _common(lambda: (line for at in many for line in _lines(self.raw[at])), self._enough(LINE_SHARE))
        taken: Counter[str] = Counter()
        for at in many if common else []:
            lines = _lines(self.raw[at])
            text = norm("\n".join(line for line in self.raw[at].splitlines() if line.strip() not in common))
            if text and not common.isdisjoint(lines):
                self.texts[at] = text
                for line in common.intersection(lines):
                    taken[line] += self.copies[at]
        self.shared += [Shared(Place.LINE, line, rows) for line, rows in sorted(taken.items(), key=lambda each: (-each[1], each[0]))]

    def take_runs(self, place: Place) -> bool:
        """Takes out the runs of words that many rows have at one end, and says whether there were any."""
        enough = self._enough(RUN_SHARE)
        # Words of one letter and the spaces between them: no shared run is shorter.
        shortest = 2 * LEAST_WORDS - 1
        end = slice(None, shortest) if place is Place.START else slice(-shortest, None)
        ends = _common(lambda: (text[end] for text in self.texts), enough)
        starts: dict[str, list[int]] = {}
        for at, text in enumerate(self.texts) if ends else ():
            if text[end] in ends and len(words := _words(text, place)) > LEAST_WORDS:
                starts.setdefault(" ".join(words[:LEAST_WORDS]), []).append(at)
        runs = [rows for rows in starts.values() if len(rows) >= enough]
        for rows in runs:
            self._take(rows, place)
        return bool(runs)

    def _take(self, rows: list[int], place: Place) -> None:
        """Takes the run that these rows share out of them: as long as nearly all of them have it, and less than a row."""
        words = {at: _words(self.texts[at], place) for at in rows}
        run, having = LEAST_WORDS, rows
        while longer := [at for at in having if len(words[at]) > run + 1]:
            word, count = Counter(words[at][run] for at in longer).most_common(1)[0]
            if count < _STAYS * len(rows):
                break
            having = [at for at in longer if words[at][run] == word]
            run += 1
        for at in having:
            self.texts[at] = _joined(words[at][run:], place)
        self.shared.append(Shared(place, _joined(words[having[0]][:run], place), sum(self.copies[at] for at in having)))

    def _enough(self, share: float) -> int:
        return max(LEAST_ROWS, ceil(len(self.raw) * share))


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
