"""Check: outputs that repeat the input."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain
from unicodedata import normalize

from tuneproof.engine.audit.counts import aggregate
from tuneproof.engine.audit.pii.masking import quoted
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import Example, Source


@aggregate
@dataclass(frozen=True)
class EchoedOutputs:
    """The outputs that repeat their input."""

    outputs: frozenset[str]

    @classmethod
    def of(cls, table: Table) -> EchoedOutputs:
        return cls(frozenset(e.output.strip() for e in table.once(_echoes)))

    def plus(self, later: EchoedOutputs) -> EchoedOutputs:
        return EchoedOutputs(self.outputs | later.outputs)


def _other_inputs(table: Table) -> Iterator[Source]:
    """For each echoed output, a row that has it for another input."""
    first: dict[str, Source] = {}
    for e in _answers_to_other_inputs(table.count(EchoedOutputs).outputs, table):
        first.setdefault(e.output.strip(), e.source)
    return iter(first.values())


@check("echo", severity=Severity.WARN, also_needs=_other_inputs)
def echoes(table: Table) -> Iterator[Finding]:
    """Outputs that repeat the input, ignoring white space: the model learns to repeat what it is asked.

    An output that other inputs have too is a label, and does not count; nor does one that changes the case, which is an answer.
    """
    same = table.once(_echoes)
    labels = {e.output.strip() for e in _answers_to_other_inputs({e.output.strip() for e in same}, table)}
    rows = tuple(FlaggedRow(e.source, note=quoted(e.output, 80)) for e in same if e.output.strip() not in labels)
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'output repeats', 'outputs repeat')} the input",
            "write the answers; keep a row if its output should equal its input; or leave these rows out",
            rows,
        )


def _is_echo(question: str, answer: str) -> bool:
    if question.isascii() and answer.isascii() and question.lstrip()[:1] != answer.lstrip()[:1]:
        return False
    return bool(answer.strip()) and _spaced(question) == _spaced(answer)


def _spaced(text: str) -> str:
    return " ".join(normalize("NFKC", text).split())


def _echoes(table: Table) -> list[Example]:
    return [e for e in chain(table.examples, table.eval) if _is_echo(e.input, e.output)]


def _answers_to_other_inputs(outputs: Collection[str], table: Table) -> Iterator[Example]:
    """The rows with one of these outputs whose input is another text."""
    rows = chain(table.examples, table.eval) if outputs else iter(())
    return (e for e in rows if e.output.strip() in outputs and not _is_echo(e.input, e.output))
