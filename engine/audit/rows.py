"""Rows under audit with the texts that they are compared by, and how a base model reads a row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from tuneproof.engine.data.example import Example, Source, loose_of, norm, prompt_text


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


class Rows(list[Example]):
    """Examples that do not change, and, at the same positions, their prompts: raw, under `norm` and under `loose`."""

    @cached_property
    def raw(self) -> list[str]:
        """Everything that the model reads of each row."""
        return [prompt_text(example) for example in self]

    @cached_property
    def norm(self) -> list[str]:
        """The prompts under `norm`."""
        return [norm(text) for text in self.raw]

    @cached_property
    def loose(self) -> list[str]:
        """The prompts under `loose`."""
        return [loose_of(text) for text in self.norm]

    @cached_property
    def duplicate(self) -> list[str]:
        """The key that duplicates share: `loose`, or `norm` for a prompt that is nothing but punctuation."""
        return [loose or norm for loose, norm in zip(self.loose, self.norm, strict=True)]

    def without(self, gone: Collection[Source]) -> Rows:
        """The other rows, with the texts that are already computed."""
        kept = [at for at, example in enumerate(self) if example.source not in gone]
        rows = Rows(self[at] for at in kept)
        for computed in {"raw", "norm", "loose", "duplicate"} & self.__dict__.keys():
            texts = self.__dict__[computed]
            rows.__dict__[computed] = [texts[at] for at in kept]
        return rows

    def containing(self, text: str) -> list[Source]:
        """The rows whose prompt, under `norm`, contains a text."""
        return [example.source for example, prompt in zip(self, self.norm, strict=True) if text in prompt]


def equal_groups(keys: Iterable[str]) -> Iterator[list[int]]:
    """The positions of rows with equal keys, two or more each, in the order of their first rows."""
    first: dict[str, int] = {}
    more: dict[int, list[int]] = {}
    for at, key in enumerate(keys):
        earlier = first.setdefault(key, at)
        if earlier != at:
            more.setdefault(earlier, [earlier]).append(at)
    return (more[at] for at in sorted(more))


def conflicting_groups(rows: Rows, keys: Iterable[str]) -> Iterator[list[int]]:
    """The positions of rows with equal keys whose outputs differ by more than case and white space."""
    return (group for group in equal_groups(keys) if len({norm(rows[at].output) for at in group}) > 1)
