"""Whether the tuned model knows train answers by heart: it is given the beginning of an answer, and completes it word for word or not.

After Carlini et al. 2023 (Quantifying memorization across neural language models), with the row's own prompt before the beginning. A model
that has learnt the task completes answers of rows it has never seen as well, so the eval rows are asked the same way: what counts is the
difference between train and eval rows, beside the base on the same train rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import Field

from tuneproof.engine.data.example import Example
from tuneproof.engine.data.reasoning import has_reasoning
from tuneproof.engine.run.facts import Facts

GIVEN_TOKENS = 8
"""First tokens of an answer that the model is given."""

FEWEST_LEFT = 8
"""Tokens that have to be left: shorter rests are completed by any model that knows the format."""

MOST_LEFT = 64
"""Tokens that are compared; of a longer rest, the first ones."""


@dataclass(frozen=True)
class CutAnswer:
    """An answer of a row in two parts: what is given, and what is left to be completed."""

    id: str
    example: Example
    given: str
    left: str


class LeftOut(Facts):
    """Answers that can show no memorising, by reason."""

    short: int = 0
    """Answers with fewer tokens than are given and have to be left."""
    repeated: int = 0
    """Answers that several train rows have, such as labels."""
    uncut: int = 0
    """Answers that cannot be cut at a token: with reasoning in them, or with a tokenizer that changes texts."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.short + self.repeated + self.uncut


class CompletedAnswer(Facts):
    """What a model wrote after the beginning of an answer; with what was left of it, which is in the frozen row."""

    id: str
    given: str
    left: str
    output: str
    truncated: bool = Field(default=False, exclude_if=lambda cut: not cut)
    """Whether the output ended at the limit of tokens."""

    @property
    def is_exact(self) -> bool:
        """Whether the answer was completed word for word, as far as there was room."""
        wanted, written = self.left.rstrip(), self.output.rstrip()
        return bool(written) and (wanted.startswith(written) if self.truncated else written == wanted)


def cut_answers(
    rows: Sequence[tuple[str, Example]],
    train_outputs: Sequence[str],
    first_tokens: Callable[[str], tuple[str, int] | None],
    most: int,
) -> tuple[list[CutAnswer], LeftOut]:
    """The first `most` answers that can show memorising, in the order of the rows, and how many of those before them cannot.

    `first_tokens` gives the text of the first `GIVEN_TOKENS` tokens of an answer with the number of all its tokens, or None if that text
    is not how the answer begins.
    """
    counts, left_out = Counter(train_outputs), LeftOut()
    found: list[CutAnswer] = []
    for name, example in rows:
        if len(found) == most:
            break
        if counts[example.output] > 1:
            left_out.repeated += 1
        elif has_reasoning(example.output) or (cut := first_tokens(example.output)) is None:
            left_out.uncut += 1
        elif cut[1] < GIVEN_TOKENS + FEWEST_LEFT:
            left_out.short += 1
        else:
            found.append(CutAnswer(name, example, cut[0], example.output[len(cut[0]) :]))
    return found, left_out


def read_completed(text: str) -> list[CompletedAnswer]:
    """The completed answers in the text of a file."""
    return [CompletedAnswer.model_validate_json(line) for line in text.split("\n") if line]
