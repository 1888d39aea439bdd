"""Rows under audit with the texts that they are compared by, and how a base model reads a row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from tuneproof.engine.audit.texts import KeyHashes, Keys, loose_text, norm_text
from tuneproof.engine.data.example import Example, Source, duplicate_key, norm, prompt_text


@dataclass(frozen=True)
class TokenLengths:
    """A row as the chosen base model reads it.

    `render` gives the shortest prompt as text, `prompt` its length in tokens, and `answer` the length of the answer with the end token.
    """

    render: Callable[[Example], str]
    prompt: Callable[[Example], int]
    answer: Callable[[Example], int]
    base: str
    sha256: str
    """Digest of the files of the base model."""
    context: int
    """The longest text that the base model reads, in tokens."""


REPORTED_ROWS = 1000
"""Rows after which progress is reported."""


class Rows(list[Example]):
    """Examples that do not change, and, at the same positions, their prompts: raw, under `norm` and under `loose`."""

    on_rows: Callable[[int, int], None] | None = None
    """Called, as somebody goes through the rows, with how many of how many are done."""

    def __iter__(self) -> Iterator[Example]:
        return super().__iter__() if self.on_rows is None else self._reported(self.on_rows)

    def _reported(self, on_rows: Callable[[int, int], None]) -> Iterator[Example]:
        count = len(self)
        for done, example in enumerate(super().__iter__()):
            if done % REPORTED_ROWS == 0:
                on_rows(done, count)
            yield example

    @property
    def raw(self) -> Keys:
        """Everything that the model reads of each row."""
        return Keys(self, prompt_text, lambda: self._hashes.raw)

    @property
    def norm(self) -> Keys:
        """The prompts under `norm`."""
        return Keys(self, norm_text, lambda: self._hashes.norm)

    @property
    def loose(self) -> Keys:
        """The prompts under `loose`."""
        return Keys(self, loose_text, lambda: self._hashes.loose)

    @property
    def duplicate(self) -> Keys:
        """The key that duplicates share: `loose`, or `norm` for a prompt that is nothing but punctuation."""
        return Keys(self, duplicate_key, lambda: self._hashes.duplicate)

    @cached_property
    def _hashes(self) -> KeyHashes:
        return KeyHashes.of(self)

    def without(self, gone: Collection[Source]) -> Rows:
        """The other rows, with the hashes that are already computed."""
        kept = [at for at, example in enumerate(self) if example.source not in gone]
        rows = Rows(self[at] for at in kept)
        rows.on_rows = self.on_rows
        if "_hashes" in self.__dict__:
            rows.__dict__["_hashes"] = self._hashes.take(kept)
        return rows

    def containing(self, text: str) -> list[Source]:
        """The rows whose prompt, under `norm`, contains a text."""
        return [example.source for example, prompt in zip(self, self.norm, strict=True) if text in prompt]


def conflicting_groups(rows: Rows, keys: Keys) -> Iterator[list[int]]:
    """The positions of rows with equal keys whose outputs differ by more than case and white space."""
    return (group for group in keys.equal_groups() if len({norm(rows[at].output) for at in group}) > 1)
