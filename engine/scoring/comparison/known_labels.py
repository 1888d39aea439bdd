"""The labels of a task, and which of them an answer is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tuneproof.engine.scoring.comparison.comparison import Comparison

MOST_ANSWERS_KEPT = 20_000


class KnownLabels:
    """The labels of a task; those that its comparison takes for one label are the first of them."""

    def __init__(self, choices: Sequence[str], comparison: Comparison) -> None:
        self._choices, self._comparison = tuple(choices), comparison
        self._found: dict[str, str | None] = {}

    def find(self, answer: str) -> str | None:
        """The label that an answer is; None if it is none."""
        if answer not in self._found:
            # Metrics, comparisons and tables ask for the same few answers many times.
            if len(self._found) >= MOST_ANSWERS_KEPT:
                self._found.clear()
            self._found[answer] = next((label for label in self._choices if self._comparison.same_text(answer, label)), None)
        return self._found[answer]

    def all_of(self, answers: Iterable[str]) -> tuple[str, ...] | None:
        """The labels that several answers are, each once; None if one of them is none."""
        found = [self.find(answer) for answer in answers]
        known = tuple(dict.fromkeys(label for label in found if label is not None))
        return None if None in found else known
