"""Texts counted by their digests, so that the counts of many different long texts fit in little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PENDING = 1 << 18
"""Digests that are collected before they are counted together."""


def text_digest(text: str) -> int:
    """64 bits of BLAKE2b, the same on every machine. Among a million texts two have the same with a chance of 3 in 100 million."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


@dataclass(frozen=True)
class DigestCounts:
    """The digests of different texts in rising order, and how often each text occurs."""

    digests: NDArray[np.uint64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Iterable[str]) -> DigestCounts:
        """The counts of these texts."""
        import numpy as np

        counts = Counter(texts)
        digests = np.fromiter(map(text_digest, counts), np.uint64, len(counts))
        return _merged(digests, np.fromiter(counts.values(), np.int64, len(counts)))

    @classmethod
    def of_digests(cls, digests: NDArray[np.uint64]) -> DigestCounts:
        """The counts of texts given by their digests, as often as they occur."""
        import numpy as np

        return cls(*np.unique(digests, return_counts=True))

    @classmethod
    def sum(cls, parts: Iterable[DigestCounts]) -> DigestCounts:
        """The counts of the texts of all parts, of which few are in memory at once."""
        total, pending = cls.of(()), [cls.of(())]
        for part in parts:
            pending.append(part)
            # Merging costs as much as both sides are long, so it waits until the new side is long too.
            if sum(map(len, pending)) > max(_PENDING, len(total) // 4):
                total, pending = _merged(*_joined([total, *pending])), []
        return _merged(*_joined([total, *pending]))

    def among(self, others: DigestCounts) -> DigestCounts:
        """The counts of those texts that the others have too."""
        import numpy as np

        shared = np.isin(self.digests, others.digests)
        return DigestCounts(self.digests[shared], self.counts[shared])

    def plus(self, other: DigestCounts) -> DigestCounts:
        """The counts of the texts of both."""
        return _merged(*_joined([self, other]))

    def __len__(self) -> int:
        return len(self.digests)

    def total(self) -> int:
        """The number of counted texts."""
        return int(self.counts.sum())

    def each(self, texts: Iterable[str]) -> dict[str, int]:
        """How often each of these texts was counted."""
        import numpy as np

        different = list(dict.fromkeys(texts))
        if not len(self) or not different:
            return dict.fromkeys(different, 0)
        wanted = np.fromiter(map(text_digest, different), np.uint64, len(different))
        at = np.minimum(np.searchsorted(self.digests, wanted), len(self) - 1)
        return dict(zip(different, np.where(self.digests[at] == wanted, self.counts[at], 0).tolist(), strict=True))


def _joined(parts: list[DigestCounts]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    import numpy as np

    return np.concatenate([part.digests for part in parts]), np.concatenate([part.counts for part in parts])


def _merged(digests: NDArray[np.uint64], counts: NDArray[np.int64]) -> DigestCounts:
    import numpy as np

    order = np.argsort(digests, kind="stable")
    digests, counts = digests[order], counts[order]
    first = np.flatnonzero(np.diff(digests, prepend=~digests[:1]))
    return DigestCounts(digests[first], np.add.reduceat(counts, first) if len(first) else counts)
