"""Boilerplate: text that many rows share word for word. It is removed before rows are compared, or every row looks like every other."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice, pairwise
from math import ceil
from typing import overload
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

    def __bool__(self) -> bool:
        return bool(self.lines or self.rounds)


class WithoutRules(Sequence[str]):
    """Texts under `norm` without boilerplate, each made from the raw text when it is asked for.

    A row that is nothing but boilerplate keeps its text.
    """

    def __init__(self, rules: BoilerplateRules, raw: Sequence[str]) -> None:
        self.rules, self.raw = rules, raw

    def __len__(self) -> int:
        return len(self.raw)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        return [self._removed(raw)[0] for raw in self.raw[at]] if isinstance(at, slice) else self._removed(self.raw[at])[0]

    def __iter__(self) -> Iterator[str]:
        return (self._removed(raw)[0] for raw in self.raw) if self.rules else map(norm, self.raw)

    def counted(self) -> tuple[Counter[str], Counter[int]]:
        """The number of rows that each line, and each run by its number, is removed from."""
        lines, runs = Counter[str](), Counter[int]()
        for raw in self.raw if self.rules else ():
            _, of_row, numbers = self._removed(raw)
            lines.update(of_row)
            runs.update(numbers)
        return lines, runs

    def _removed(self, raw: str) -> tuple[str, Iterable[str], list[int]]:
        """The text without boilerplate, and the lines and the numbers of the runs that are removed."""
        lines: Iterable[str] = self.rules.lines.intersection(_lines(raw)) if self.rules.lines and "\n" in raw else ()
        text = norm("\n".join(line for line in raw.splitlines() if line.strip() not in self.rules.lines)) if lines else ""
        if not text:
            text, lines = norm(raw), ()
        numbers = []
        for each in self.rules.rounds:
            text, number = _without_run(text, each)
            if number is not None:
                numbers.append(number)
        return text, lines, numbers


@dataclass(frozen=True)
class WithoutBoilerplate:
    """The texts of rows under `norm` without boilerplate, and the boilerplate."""

    texts: Sequence[str]
    boilerplate: list[Boilerplate]


def without_boilerplate(raw: Sequence[str]) -> WithoutBoilerplate:
    """Removes whole lines, and runs of words at the start or the end, that many rows share.

    A line is boilerplate from 20 rows and 1 % of all, a run from 8 words, 20 rows and 10 %. Equal rows count once, and of more than
    100,000 different rows a sample of that size decides.
    """
    rules = find_boilerplate(sampled_rows(raw))
    texts = WithoutRules(rules, raw)
    return WithoutBoilerplate(texts, boilerplate_of(rules, *texts.counted()))


def sampled_rows(raw: Sequence[str]) -> Sequence[str]:
    """The different rows that decide what is boilerplate, in their order: all, or those whose texts have the smallest checksums.

    The sample is the same however the rows are divided: the sample of all rows is among the samples of the parts.
    """
    sums = np.fromiter((_checksum(text) for text in raw), np.uint32, len(raw))
    # Rows with the same checksum are mostly equal, and only these have to be compared.
    order = np.argsort(sums, kind="stable")
    begins = np.flatnonzero(np.diff(sums[order].astype(np.int64), prepend=-1))
    sampled: list[int] = []
    for begin, end in pairwise([*begins.tolist(), len(order)]):
        group = order[begin:end].tolist()
        different = {raw[at]: at for at in reversed(group)} if len(group) > 1 else {"": group[0]}
        room = MOST_SAMPLED - len(sampled)
        if len(different) > room:
            sampled += [different[text] for text in sorted(different)[:room]]
            break
        sampled += different.values()
    return Chosen(raw, sorted(sampled))


class Chosen(Sequence[str]):
    """Some of the texts of a sequence, in their order."""

    def __init__(self, texts: Sequence[str], chosen: Sequence[int]) -> None:
        self._texts, self._chosen = texts, chosen

    def __len__(self) -> int:
        return len(self._chosen)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        return [self._texts[each] for each in self._chosen[at]] if isinstance(at, slice) else self._texts[self._chosen[at]]


def find_boilerplate(raw: Sequence[str]) -> BoilerplateRules:
    """The boilerplate of these different rows."""
    rules = BoilerplateRules(_common_lines(raw))
    for position in (Position.START, Position.END):
        while runs := _common_runs(WithoutRules(rules, raw), position, sum(len(each.runs) for each in rules.rounds)):
            rules = replace(rules, rounds=(*rules.rounds, Round(position, runs)))
    return rules


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
    return frozenset(_common(lambda: (line for text in raw if "\n" in text for line in _lines(text)), _enough(raw, LINE_SHARE)))


def _common_runs(texts: Sequence[str], position: Position, number: int) -> dict[str, WordRun]:
    """The runs of words that many rows have at one end, numbered from `number` on."""
    enough = _enough(texts, RUN_SHARE)
    # Words of one letter and the spaces between them: no run is shorter.
    shortest = 2 * LEAST_WORDS - 1
    end = slice(None, shortest) if position is Position.START else slice(-shortest, None)
    ends = _common(lambda: (text[end] for text in texts), enough)
    starts: dict[str, list[int]] = {}
    for at, text in enumerate(texts if ends else ()):
        if text[end] in ends and len(words := _first_words(text, position, LEAST_WORDS + 1)) > LEAST_WORDS:
            starts.setdefault(" ".join(words[:LEAST_WORDS]), []).append(at)
    often = {start: rows for start, rows in starts.items() if len(rows) >= enough}
    return {start: WordRun(tuple(_run(texts, rows, position)), at) for at, (start, rows) in enumerate(often.items(), number)}


def _run(texts: Sequence[str], rows: list[int], position: Position) -> list[str]:
    """The longest run of words that nearly all of these rows share, shorter than a row."""
    most = 8 * LEAST_WORDS
    while True:
        # Numbers of words, because the words of all rows would take many times the memory of the texts.
        numbers: dict[str, int] = {}
        words = [array("i", (numbers.setdefault(w, len(numbers)) for w in _first_words(texts[at], position, most))) for at in rows]
        run = _run_within(words, len(rows))
        if len(run) < most - 1:
            names = list(numbers)
            return [names[number] for number in run]
        most *= 2


def _run_within(having: list[array[int]], rows: int) -> array[int]:
    run = LEAST_WORDS
    while longer := [words for words in having if len(words) > run + 1]:
        word, count = Counter(words[run] for words in longer).most_common(1)[0]
        if count < _CONTINUES * rows:
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


def _first_words(text: str, position: Position, count: int) -> list[str]:
    """Up to so many words, beginning at the given end."""
    return text.split(" ", count)[:count] if position is Position.START else text.rsplit(" ", count)[::-1][:count]


def _joined(words: list[str], position: Position) -> str:
    return " ".join(words if position is Position.START else words[::-1])


def _common(items: Callable[[], Iterable[str]], enough: int) -> set[str]:
    """The items that occur at least so often; counted in few buckets first, so that rare ones take no memory."""
    counted = np.zeros(_BUCKETS, np.int64)
    each = iter(map(hash, items()))
    while len(block := np.fromiter(islice(each, _BUCKETS), np.int64)):
        counted += np.bincount(block % _BUCKETS, minlength=_BUCKETS)
    often = (counted >= enough).tobytes()
    if not any(often):
        return set()
    counts = Counter(item for item in items() if often[hash(item) % _BUCKETS])
    return {item for item, count in counts.items() if count >= enough}


def _checksum(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"))
