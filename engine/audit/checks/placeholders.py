"""Texts that only hold the place of a text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from tuneproof.engine.audit.counts import Size, aggregate
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, norm
from tuneproof.engine.scoring.judges import ChoiceJudge

FREQUENT = 0.05
"""The share of outputs from which an answer such as "none" counts as meant: one of the labels, or an empty answer on purpose."""

LONGEST = 60
"""Characters of the longest text that is taken for a placeholder, filler text aside."""

_OPEN, _CLOSE = r"[\s<\[({\"'`*_#]*", r"[\s>\])}\"'`*_.!;:]*"

_PERHAPS_MEANT = re.compile(
    rf"{_OPEN}(?:none|null|nil|n/a|n\.\ ?a|not\ (?:applicable|available|provided|specified)|(?-i:NaN|nan|NA)){_CLOSE}"
    r"|\s*(?:-{1,3}|[–—…]|\.{2,}|_{2,}|\?{2,})\s*|\\N",
    re.IGNORECASE | re.VERBOSE,
)
"""What stands for nothing, and may be the right answer."""

_NEVER_MEANT = re.compile(
    rf"""{_OPEN}(?:
        no[ _-]?(?:input|output|context)(?:[ ](?:is[ ])?(?:given|needed|provided|required|necessary|available))?
        |todo|tbd|tba|fixme|x{{3,}}|asdf\w*|lorem[ ]ipsum
        |to[ ]be[ ](?:determined|added|defined|filled(?:[ ]in)?|translated|announced|written|completed)
        |placeholder(?:[ ]text)?|(?:dummy|filler)[ ]text
        |(?:insert|enter|type|add|put|your)[ ](?:\w+[ ]){{0,2}}
            (?:text|input|output|answer|content|question|response|prompt|instruction|description)[ ](?:goes[ ])?here
        |value!|ref!|name\?|div/0!
    ){_CLOSE}
    |[\s"']*(?:<\s*(?:empty|blank|missing)\s*>|\[\s*(?:empty|blank|missing)\s*\]|\(\s*(?:empty|blank|missing)\s*\))[\s"']*
    |\s*(?:\$?\{{\{{?\s*|<|\[)(?:input|output|text|answer|question|instruction|prompt|response|context)(?:\s*\}}?\}}|>|\])\s*""",
    re.IGNORECASE | re.VERBOSE,
)
"""What was to be filled in and was not."""

_FILLER = "lorem ipsum dolor"


@check("placeholder", severity=Severity.WARN)
def placeholders(table: Table) -> Iterator[Finding]:
    """Inputs or outputs that only say that there is nothing, such as "<noinput>", "N/A", "todo", "???" or "lorem ipsum".

    The model learns to expect or to write them. An output such as "none" that is one of the labels, or that stands in at least 5 % of
    the outputs, is taken for an answer that is meant.
    """
    candidates = table.once(_candidates)
    meant = _meant_outputs(table)
    noted = [(e, _note(e, in_input, in_output and norm(e.output) not in meant)) for e, in_input, in_output in candidates]
    rows = tuple(Row(e.source, note=note) for e, note in noted if note)
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'row has', 'rows have')} a placeholder where text should be",
            "fill them in, or make an input that is not needed empty; or leave these rows out",
            rows,
        )


@aggregate
@dataclass(frozen=True)
class Doubtful:
    """How often each output stands there that looks like a placeholder and may be meant, under `norm`."""

    counts: Counter[str]

    @classmethod
    def of(cls, table: Table) -> Doubtful:
        found = (e.output for e, _, in_output in table.once(_candidates) if in_output)
        return cls(Counter(norm(output) for output in found if _PERHAPS_MEANT.fullmatch(output)))

    def plus(self, later: Doubtful) -> Doubtful:
        return Doubtful(self.counts + later.counts)


def _candidates(table: Table) -> list[tuple[Example, bool, bool]]:
    """Rows that have what looks like a placeholder, in the input, in the output."""
    return [
        (example, in_input, in_output)
        for example in chain(table.examples, table.eval)
        for in_input, in_output in [(_is_placeholder(example.input), _is_placeholder(example.output))]
        if in_input or in_output
    ]


def _is_placeholder(text: str) -> bool:
    if len(text) > LONGEST:
        return text[:LONGEST].lstrip()[: len(_FILLER)].lower() == _FILLER
    return bool(_PERHAPS_MEANT.fullmatch(text) or _NEVER_MEANT.fullmatch(text))


def _meant_outputs(table: Table) -> set[str]:
    """The outputs, under `norm`, that look like a placeholder and are an answer."""
    counts = table.count(Doubtful).counts
    fewest = fewest_frequent(table.count(Size).rows)
    choices = table.judge.choices if isinstance(table.judge, ChoiceJudge) else []
    return {text for text, count in counts.items() if count >= fewest} | {norm(choice) for choice in choices}


def fewest_frequent(outputs: int) -> float:
    """From how many rows on an answer is frequent: what stands once is never so, however few rows there are."""
    return max(2.0, FREQUENT * outputs)


def _note(example: Example, in_input: bool, in_output: bool) -> str:
    # In a conversation, "none" and "..." are things that people say.
    said = bool(example.history) and bool(_PERHAPS_MEANT.fullmatch(example.input))
    told = [
        f"{field}: {text.strip()[:40]}"
        for field, text, wrong in (("input", example.input, in_input and not said), ("output", example.output, in_output))
        if wrong
    ]
    return "; ".join(told)
