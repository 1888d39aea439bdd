"""Outputs that decline, repeat the input, or say on purpose that there is nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain

from tuneproof.engine.audit.checks.placeholders import fewest_frequent
from tuneproof.engine.audit.counts import Size, aggregate
from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Source, norm
from tuneproof.engine.scoring.judges import REFUSAL_PATTERN

_SIGNS = ("as an ai", "can't", "cannot", "can not", "unable", "able to", "won't")

_CANNOT = r"\bi(?:'m| am)? (?:can(?:no|')t|can not|won't|unable to|not able to|won't be able to)"
_DECLINES = re.compile(
    r"\bas an ai(?: language)?(?: model| assistant| system| chatbot)?[,.;]|\bas an ai(?: language)? (?:model|assistant)\b"
    rf"|{_CANNOT} (?:fully )?(?:help (?:you|with|in)|assist|comply|fulfil\w*|answer (?:that|this|your)"
    r"|provide (?:that|this|you|any|info|assist)|do (?:that|this)"
    r"|(?:create|generate|produce|write|discuss|share|offer|support) (?:that|this|any|content|explicit|such))\b"
    rf"|\bsorry\b.{{0,40}}{_CANNOT}(?: help)?[.!]?\s*\Z"
)
"""Where what sounds like a refusal is one: an answer that apologises, or that cannot wait, is none."""

EMPTY_ANSWERS = frozenset(
    (
        "[]",
        "{}",
        "()",
        '""',
        "''",
        "null",
        "none",
        "none.",
        "nil",
        "n/a",
        "not applicable",
        "nothing",
        "nothing.",
        "no answer",
        "-",
        "empty",
    )
)
"""Explicit ways of answering with nothing, under `norm`."""

_LONGEST_EMPTY = 20


@check("refusal", severity=Severity.WARN)
def refusals(table: Table) -> Iterator[Finding]:
    """Outputs that decline to answer, as in "I'm sorry, but I can't help with that" or "As an AI language model".

    They come from data that another model wrote, and the model learns to decline. Apologies in an answer do not count.
    """
    rows = tuple(Row(e.source, note=found) for e in chain(table.examples, table.eval) if (found := _refusal(e.output)))
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'output declines', 'outputs decline')} to answer",
            "answer them, or keep them where declining is right; or leave these rows out",
            rows,
        )


def _refusal(output: str) -> str:
    # A refusal is several words.
    if " " not in output:
        return ""
    text = output.replace("\u2019", "'").lower()
    if not any(sign in text for sign in _SIGNS) or not REFUSAL_PATTERN.search(text):
        return ""
    match = _DECLINES.search(text)
    return output[match.start() : match.start() + 80].strip() if match else ""


@aggregate
@dataclass(frozen=True)
class Echoed:
    """The outputs that are the input again."""

    outputs: frozenset[str]

    @classmethod
    def of(cls, table: Table) -> Echoed:
        return cls(frozenset(e.output.strip() for e in table.once(_echoes)))

    def plus(self, later: Echoed) -> Echoed:
        return Echoed(self.outputs | later.outputs)


def _other_inputs(table: Table) -> Iterator[Source]:
    """A row for each echoed output that has it for another input."""
    first: dict[str, Source] = {}
    for e in _answering_otherwise(table.count(Echoed).outputs, table):
        first.setdefault(e.output.strip(), e.source)
    return iter(first.values())


@check("echo", severity=Severity.WARN, also=_other_inputs)
def echoes(table: Table) -> Iterator[Finding]:
    """Outputs that are the input again, case and white space aside: the model learns to repeat what it is asked.

    An output that other inputs have too is a label, and does not count.
    """
    same = table.once(_echoes)
    labels = {e.output.strip() for e in _answering_otherwise({e.output.strip() for e in same}, table)}
    rows = tuple(Row(e.source, note=quoted(e.output, 80)) for e in same if e.output.strip() not in labels)
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'output repeats', 'outputs repeat')} the input",
            "answer them; keep them where nothing was to be changed; or leave these rows out",
            rows,
        )


def _is_echo(asked: str, answered: str) -> bool:
    # Under `norm`, ASCII texts that begin differently stay different.
    if asked.isascii() and answered.isascii() and asked.lstrip()[:1].lower() != answered.lstrip()[:1].lower():
        return False
    return bool(answered.strip()) and norm(asked) == norm(answered)


def _echoes(table: Table) -> list[Example]:
    return [e for e in chain(table.examples, table.eval) if _is_echo(e.input, e.output)]


def _answering_otherwise(outputs: Collection[str], table: Table) -> Iterator[Example]:
    """The rows with one of these outputs that is not the input again."""
    rows = chain(table.examples, table.eval) if outputs else iter(())
    return (e for e in rows if e.output.strip() in outputs and not _is_echo(e.input, e.output))


@aggregate
@dataclass(frozen=True)
class Nothings:
    """How often each explicit empty answer stands there, under `norm`."""

    counts: Counter[str]

    @classmethod
    def of(cls, table: Table) -> Nothings:
        counts: Counter[str] = Counter()
        for output, count in table.once(_empty_answers).items():
            counts[norm(output)] += count
        return cls(counts)

    def plus(self, later: Nothings) -> Nothings:
        return Nothings(self.counts + later.counts)


def _empty_answers(table: Table) -> dict[str, int]:
    """The outputs that are an explicit empty answer, as they stand, and how often."""
    counts = Counter(e.output for e in chain(table.examples, table.eval) if len(e.output) <= _LONGEST_EMPTY)
    return {output: count for output, count in counts.items() if norm(output) in EMPTY_ANSWERS}


@check("empty-on-purpose", severity=Severity.INFO)
def empty_answers(table: Table) -> Iterator[Finding]:
    """Outputs that say that there is nothing, such as "[]", "null" or "none", in at least 5 % of the rows: told so that you can confirm it.

    The model learns to answer so as often. That is right where nothing is the answer, and wrong where an answer was missing.
    """
    counts = table.count(Nothings).counts
    total = table.count(Size).rows
    frequent = {answer for answer in EMPTY_ANSWERS if counts[answer] >= fewest_frequent(total)}
    spelled = {output for output in table.once(_empty_answers) if norm(output) in frequent}
    rows = tuple(Row(e.source, note=e.output.strip()) for e in chain(table.examples, table.eval) if e.output in spelled)
    if rows:
        named = ", ".join(f"`{answer}`" for answer in sorted(frequent))
        yield Finding(
            f"{len(rows)} of {total} outputs are an explicit empty answer: {named}",
            "confirm that nothing is the right answer there",
            rows,
        )
