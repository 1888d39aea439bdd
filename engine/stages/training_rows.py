"""The rows of the frozen train and validation parts, as a training uses them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tuneproof.engine.audit.preview import length_summary
from tuneproof.engine.audit.rows import TokenLengths
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import shuffled
from tuneproof.engine.run.artifacts import TrainedLength


@dataclass
class TrainingRows:
    """Ids and examples of train and validation, and the longest row that is trained on."""

    train: Sequence[tuple[str, Example]]
    validation: Sequence[tuple[str, Example]]
    lengths: TokenLengths
    limit: int
    """The longest row that is trained on, prompt and answer together, in tokens."""
    limit_of_case: int | None
    """`training.max_length` of the case."""

    @cached_property
    def token_counts(self) -> list[int]:
        """The length of each train row, prompt and answer together, in tokens."""
        return [self.lengths.prompt(example) + self.lengths.answer(example) for _, example in self.train]

    @cached_property
    def within_limit(self) -> list[Example]:
        """The train rows that are trained on. No row is cut, so longer rows are left out. Raises GateClosed if all are longer."""
        kept = [example for (_, example), length in zip(self.train, self.token_counts, strict=True) if length <= self.limit]
        if not kept:
            raise GateClosed("every train row is longer than this", where=f"training.max_length: {self.limit}", fix="raise it")
        return kept

    def rows_by_length(self) -> list[tuple[int, int]]:
        """Each length in tokens with the number of train rows that have it, shortest first."""
        return sorted(Counter(self.token_counts).items())

    def length_facts(self) -> TrainedLength:
        """How long the train rows are, and how many are left out."""
        counts = self.token_counts
        found = length_summary(counts)
        return TrainedLength(
            p99=found.p99,
            longest=found.longest,
            cut=sum(length > found.p99 for length in counts),
            limit=self.limit_of_case,
            left_out=sum(length > self.limit for length in counts),
            mean=round(sum(counts) / len(counts), 3),
        )

    def probe_cases(self, count: int, seed: int) -> list[tuple[str, Example]]:
        """The validation cases that a training is probed on: the first in a shuffle by content, whatever their order in the file."""
        by_hash = {example.content_hash: (name, example) for name, example in self.validation}
        return [by_hash[example.content_hash] for example in shuffled([e for _, e in self.validation], seed)[:count]]
