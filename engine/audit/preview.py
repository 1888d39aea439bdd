"""What the data looks like to a reader: its first rows as the model reads them, how long rows are, what the outputs suggest."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from tuneproof.engine import facts
from tuneproof.engine.audit.masking import masked
from tuneproof.engine.audit.table import Lengths
from tuneproof.engine.data.example import Example, Source, prompt_text
from tuneproof.engine.scoring.drafting import draft_output

ROWS_SHOWN = 5


def data_facts(
    examples: Sequence[Example], instruction: str, lengths: Lengths | None, left_out: Collection[Source] = ()
) -> facts.DataFacts:
    """The facts of the rows to learn from, before any is left out: in tokens where a base is chosen, else in characters.

    The rows are for a person to look at, so private data and secrets in them are masked; their lengths are those of the rows as they stand.
    Only the output format is drafted from the rows that go on, so that what was left out as wrong does not shape it.
    """
    read = _reading(instruction, lengths)
    drafted = draft_output([e.output for e in examples if e.source not in left_out] or [e.output for e in examples])
    return facts.DataFacts(
        **dict(row_lengths(examples, instruction, lengths)),
        base=lengths and lengths.base,
        context=lengths and lengths.context,
        rows=[
            facts.PreviewRow(
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


def row_lengths(examples: Sequence[Example], instruction: str, lengths: Lengths | None) -> facts.RowLengths:
    """How long the rows are: in tokens where a base is chosen, else in characters."""
    read = _reading(instruction, lengths)
    return facts.RowLengths(
        unit="tokens" if lengths else "characters",
        prompt=summary(map(read.prompt, examples)),
        answer=summary(map(read.answer, examples)),
    )


@dataclass(frozen=True)
class _Reading:
    """A row as it is shown, and how long its prompt and its answer are."""

    render: Callable[[Example], str]
    prompt: Callable[[Example], int]
    answer: Callable[[Example], int]


def _reading(instruction: str, lengths: Lengths | None) -> _Reading:
    def plain(example: Example) -> str:
        return prompt_text(replace(example, instruction=example.instruction or instruction))

    if lengths:
        return _Reading(lengths.render, lengths.prompt, lengths.answer)
    return _Reading(plain, lambda e: len(plain(e)), lambda e: len(e.output))


def summary(lengths: Iterable[int]) -> facts.LengthSummary:
    """Median, 99th percentile and longest, each the length of a row that is there (nearest rank); zeros where there is no row."""
    ordered = sorted(lengths)
    if not ordered:
        return facts.LengthSummary(median=0, p99=0, longest=0)
    median, p99 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.99))
    return facts.LengthSummary(median=median, p99=p99, longest=ordered[-1])
