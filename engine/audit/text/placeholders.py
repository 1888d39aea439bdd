"""Placeholders: text that only says that there is no text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import chain

from tuneproof.engine.audit.counts import Size, aggregate, fewest_frequent
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, norm
from tuneproof.engine.scoring.choice_grader import ChoiceGrader
from tuneproof.engine.scoring.labels_grader import LabelsGrader

LONGEST = 60
"""Characters of the longest placeholder, except filler text."""

_OPEN, _CLOSE = r"[\s<\[({\"'`*_#]*", r"[\s>\])}\"'`*_.!;:]*"

_MAYBE_INTENDED = re.compile(
    rf"{_OPEN}(?:none|null|nil|n/a|n\.\ ?a|not\ (?:applicable|available|provided|specified)|(?-i:NaN|nan|NA)){_CLOSE}"
    r"|\s*(?:-{1,3}|[–—…]|\.{2,}|_{2,}|\?{2,})\s*|\\N",
    re.IGNORECASE | re.VERBOSE,
)
"""Text for "nothing", which may be the right answer."""

_NEVER_INTENDED = re.compile(
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
"""Text that someone forgot to fill in."""

_FILLER = "lorem ipsum dolor"


@dataclass(frozen=True)
class Candidate:
    """A row with text that looks like a placeholder, and which of its two texts does."""

    example: Example
    in_input: bool
    in_output: bool


@aggregate
@dataclass(frozen=True)
class MaybeIntended:
    """How often each output occurs, under `norm`, that looks like a placeholder and may be an answer."""

    counts: Counter[str]

    @classmethod
    def of(cls, table: Table) -> MaybeIntended:
        outputs = (c.example.output for c in table.once(candidates) if c.in_output)
        return cls(Counter(norm(output) for output in outputs if _MAYBE_INTENDED.fullmatch(output)))

    def plus(self, later: MaybeIntended) -> MaybeIntended:
        return MaybeIntended(self.counts + later.counts)


def candidates(table: Table) -> list[Candidate]:
    """The rows with an input or output that looks like a placeholder."""
    found = (Candidate(e, _is_placeholder(e.input), _is_placeholder(e.output)) for e in chain(table.examples, table.eval))
    return [candidate for candidate in found if candidate.in_input or candidate.in_output]


def intended_outputs(table: Table) -> set[str]:
    """The outputs, under `norm`, that look like a placeholder and are an answer: they are frequent, or a choice of the task."""
    counts = table.count(MaybeIntended).counts
    fewest = fewest_frequent(table.count(Size).rows)
    choices = table.grader.choices if isinstance(table.grader, ChoiceGrader | LabelsGrader) else []
    return {text for text, count in counts.items() if count >= fewest} | {norm(choice) for choice in choices}


def placeholder_note(candidate: Candidate, intended: set[str]) -> str:
    """Which texts of a row are placeholders; empty if none is."""
    example = candidate.example
    # In a conversation, "none" and "..." are things that people say.
    said = bool(example.history) and bool(_MAYBE_INTENDED.fullmatch(example.input))
    in_output = candidate.in_output and norm(example.output) not in intended
    fields = (("input", example.input, candidate.in_input and not said), ("output", example.output, in_output))
    return "; ".join(f"{field}: {text.strip()[:40]}" for field, text, wrong in fields if wrong)


def _is_placeholder(text: str) -> bool:
    if len(text) > LONGEST:
        return text[:LONGEST].lstrip()[: len(_FILLER)].lower() == _FILLER
    return bool(_MAYBE_INTENDED.fullmatch(text) or _NEVER_INTENDED.fullmatch(text))
