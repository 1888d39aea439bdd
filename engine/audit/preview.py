"""What the data looks like to a reader: its first rows as the model reads them, how long rows are, what the outputs suggest."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from tuneproof.engine.audit.pii.masking import masked
from tuneproof.engine.audit.rows import TokenLengths
from tuneproof.engine.data.example import Example, Source, prompt_text
from tuneproof.engine.run import artifacts
from tuneproof.engine.scoring.output_inference import infer_output

ROWS_SHOWN = 5


def data_facts(
    examples: Sequence[Example], instruction: str, lengths: TokenLengths | None, left_out: Collection[Source] = ()
) -> artifacts.DataFacts:
    """The facts of the rows to learn from, before any is left out: in tokens where a base is chosen, else in characters.

    The rows are for a person to look at, so private data and secrets in them are masked; their lengths are those of the rows as they stand.
    Only the output format is drafted from the rows that go on, so that what was left out as wrong does not shape it.
    """
    read = row_measures(instruction, lengths)
    drafted = infer_output([e.output for e in examples if e.source not in left_out] or [e.output for e in examples])
    return artifacts.DataFacts(
        **dict(row_lengths(examples, instruction, lengths)),
        base=lengths and lengths.base,
        context=lengths and lengths.context,
        rows=[
            artifacts.PreviewRow(
                file=e.source.file,
                line=e.source.line,
                prompt=masked(read.render(e)),
                answer=masked(e.output),
                prompt_length=read.prompt(e),
                answer_length=read.answer(e),
            )
            for e in examples[:ROWS_SHOWN]
        ],
        drafted_output=drafted.output,
        drafted_why=drafted.why,
    )


def row_lengths(examples: Sequence[Example], instruction: str, lengths: TokenLengths | None) -> artifacts.RowLengths:
    """How long the rows are: in tokens where a base is chosen, else in characters."""
    read = row_measures(instruction, lengths)
    return artifacts.RowLengths(
        unit=read.unit,
        prompt=summary(map(read.prompt, examples)),
        answer=summary(map(read.answer, examples)),
    )


@dataclass(frozen=True)
class Measures:
    """A row as it is shown, and how long its prompt and its answer are."""

    unit: Literal["tokens", "characters"]
    render: Callable[[Example], str]
    prompt: Callable[[Example], int]
    answer: Callable[[Example], int]


def row_measures(instruction: str, lengths: TokenLengths | None) -> Measures:
    """How rows are measured: in tokens where a base is chosen, else in characters; `instruction` is for rows without one of their own."""

    def plain(example: Example) -> str:
        return prompt_text(replace(example, instruction=example.instruction or instruction))

    if lengths:
        return Measures("tokens", lengths.render, lengths.prompt, lengths.answer)
    return Measures("characters", plain, lambda e: len(plain(e)), lambda e: len(e.output))


def summary(lengths: Iterable[int]) -> artifacts.LengthSummary:
    """Median, 99th percentile and longest, each the length of a row that is there (nearest rank); zeros where there is no row."""
    return summary_of(Counter(lengths))


def summary_of(lengths: Counter[int]) -> artifacts.LengthSummary:
    """The same of how often each length comes."""
    if not lengths:
        return artifacts.LengthSummary(median=0, p99=0, longest=0)
    ordered = sorted(lengths)
    ranks = list(accumulate(lengths[length] for length in ordered))
    median, p99 = (ordered[bisect_left(ranks, math.ceil(share * ranks[-1]))] for share in (0.5, 0.99))
    return artifacts.LengthSummary(median=median, p99=p99, longest=ordered[-1])
