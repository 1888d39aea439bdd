"""A preview of the data: its first rows as the model reads them, the lengths of rows, and the output format drafted from the outputs."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from tuneproof.engine.audit.pii.masking import masked
from tuneproof.engine.audit.rows import TokenLengths
from tuneproof.engine.data.example import Example, Source, prompt_text, rows_without_instruction
from tuneproof.engine.data.parts import Part
from tuneproof.engine.run import artifacts
from tuneproof.engine.scoring.output_inference import infer_output

ROWS_SHOWN = 5
REQUEST_CHARACTERS = 400
"""Enough to recognise a row by."""


def data_facts(
    examples: Sequence[Example],
    instruction: str,
    lengths: TokenLengths | None,
    left_out: Collection[Source] = (),
    parts_by_name: Mapping[Part, list[str]] | None = None,
) -> artifacts.DataFacts:
    """The facts of the examples before any is left out, with lengths in tokens if a base model is chosen, else in characters.

    The rows are for a person to look at, so private data and secrets in them are masked; the lengths are those of the unmasked rows. The
    output format is drafted from the rows that are not left out.
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
                request=masked(e.input)[:REQUEST_CHARACTERS],
                prompt_length=read.prompt(e),
                answer_length=read.answer(e),
            )
            for e in examples[:ROWS_SHOWN]
        ],
        drafted_output=drafted.output,
        drafted_why=drafted.why,
        rows_without_instruction=rows_without_instruction(examples),
        parts_by_name=dict(parts_by_name or {}),
    )


def row_lengths(examples: Sequence[Example], instruction: str, lengths: TokenLengths | None) -> artifacts.RowLengths:
    """The lengths of rows, in tokens if a base model is chosen, else in characters."""
    read = row_measures(instruction, lengths)
    return artifacts.RowLengths(
        unit=read.unit,
        prompt=length_summary(map(read.prompt, examples)),
        answer=length_summary(map(read.answer, examples)),
    )


@dataclass(frozen=True)
class RowMeasures:
    """How a row is shown, and how the lengths of its prompt and its answer are measured."""

    unit: Literal["tokens", "characters"]
    render: Callable[[Example], str]
    prompt: Callable[[Example], int]
    answer: Callable[[Example], int]


def row_measures(instruction: str, lengths: TokenLengths | None) -> RowMeasures:
    """How rows are measured: in tokens if a base model is chosen, else in characters; `instruction` is for rows without their own."""

    def plain(example: Example) -> str:
        return prompt_text(replace(example, instruction=instruction) if instruction and not example.instruction else example)

    if lengths:
        return RowMeasures("tokens", lengths.render, lengths.prompt, lengths.answer)
    return RowMeasures("characters", plain, lambda e: len(plain(e)), lambda e: len(e.output))


def length_summary(lengths: Iterable[int]) -> artifacts.LengthSummary:
    """Median, 99th percentile and maximum by nearest rank, so that each is the length of a row; zeros if there are no rows."""
    return summary_of_counts(Counter(lengths))


def summary_of_counts(lengths: Counter[int]) -> artifacts.LengthSummary:
    """The same from how often each length occurs."""
    if not lengths:
        return artifacts.LengthSummary(median=0, p99=0, longest=0)
    ordered = sorted(lengths)
    ranks = list(accumulate(lengths[length] for length in ordered))
    median, p99 = (ordered[bisect_left(ranks, math.ceil(share * ranks[-1]))] for share in (0.5, 0.99))
    return artifacts.LengthSummary(median=median, p99=p99, longest=ordered[-1])
