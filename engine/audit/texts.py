"""One text a row, made from the row whenever it is asked for, so that no second copy of the data is in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from tuneproof.engine.data.example import Example, loose_of, norm, prompt_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TextsOf(Sequence[str]):
    """One text a row, at the position of the row."""

    def __init__(self, rows: Sequence[Example], make: Callable[[Example], str]) -> None:
        self.rows, self.make = rows, make

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        return [self.make(row) for row in self.rows[at]] if isinstance(at, slice) else self.make(self.rows[at])

    def __iter__(self) -> Iterator[str]:
        return map(self.make, self.rows)


class Keys(TextsOf):
    """Texts that rows are compared by: equal ones are found by hashes, and verified by the texts."""

    def __init__(self, rows: Sequence[Example], make: Callable[[Example], str], hashes: Callable[[], NDArray[np.int64]]) -> None:
        super().__init__(rows, make)
        self._hashes = hashes

    def equal_groups(self) -> Iterator[list[int]]:
        """The positions of rows with equal texts, two or more each, in the order of their first rows."""
        import numpy as np

        hashes = self._hashes()
        order = np.argsort(hashes, kind="stable")
        same = np.diff(hashes[order]) == 0
        edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]])))
        begins, ends = edges[0::2], edges[1::2] + 1
        for at in np.argsort(order[begins]).tolist():
            members = order[begins[at] : ends[at]].tolist()
            by_text: dict[str, list[int]] = {}
            for member in members:
                by_text.setdefault(self[member], []).append(member)
            yield from (group for group in by_text.values() if len(group) > 1)

    def repeats(self) -> int:
        """How many rows have the text of an earlier row."""
        return sum(len(group) - 1 for group in self.equal_groups())

    def first_in(self, others: Keys) -> dict[int, int]:
        """The first of the other rows that has the same text, by the positions of these rows; those without one are left out."""
        import numpy as np

        hashes, known = self._hashes(), others._hashes()
        shared = np.intersect1d(hashes, known)
        first: dict[str, int] = {}
        for at in np.flatnonzero(np.isin(known, shared)).tolist():
            first.setdefault(others[at], at)
        texts = ((at, self[at]) for at in np.flatnonzero(np.isin(hashes, shared)).tolist())
        return {at: first[text] for at, text in texts if text in first}


@dataclass(frozen=True)
class KeyHashes:
    """Hashes of the prompts of rows under each way of comparing them, each of shape (rows); they hold for this process only."""

    raw: NDArray[np.int64]
    norm: NDArray[np.int64]
    loose: NDArray[np.int64]
    duplicate: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Iterable[Example]) -> KeyHashes:
        """The hashes of these rows."""
        import numpy as np

        from tuneproof.engine.audit.words import mixed, text_blocks, word_hashes

        parts: list[tuple[NDArray[np.int64], ...]] = [(np.zeros(0, np.int64),) * 4]
        for block in text_blocks(map(prompt_text, rows)):
            raw = np.fromiter(map(hash, block), np.int64, len(block))
            normalised = [norm(text) for text in block]
            keys = np.fromiter(map(hash, normalised), np.int64, len(block))
            words, lengths = word_hashes(normalised)
            several = np.flatnonzero(lengths)
            starts = (np.cumsum(lengths) - lengths)[several]
            # Under `loose`, texts are equal if their words are, in the same order.
            places = np.arange(len(words)) - np.repeat(starts, lengths[several])
            loose = np.zeros(len(block), np.uint64)
            loose[several] = np.add.reduceat(mixed(words ^ mixed(places.astype(np.uint64))), starts) if len(several) else 0
            loose_keys = loose.view(np.int64)
            parts.append((raw, keys, loose_keys, np.where(lengths > 0, loose_keys, keys)))
        return cls(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def take(self, rows: list[int]) -> KeyHashes:
        """The hashes of some rows."""
        return KeyHashes(self.raw[rows], self.norm[rows], self.loose[rows], self.duplicate[rows])


def norm_text(example: Example) -> str:
    """The prompt under `norm`."""
    return norm(prompt_text(example))


def loose_text(example: Example) -> str:
    """The prompt under `loose`."""
    return loose_of(norm_text(example))
