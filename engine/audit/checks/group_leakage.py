"""Rows to learn from and eval rows that come from the same conversation, document, user or group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tuneproof.engine.audit.counts import Size, aggregate
from tuneproof.engine.audit.group_fields import GroupFields, value_of
from tuneproof.engine.audit.near.digests import DigestCounts
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Source

FEWEST_VALUES = 10
ROWS_A_VALUE = 50
"""A field tells groups apart where it has ten values or more, and a value fifty rows or fewer on average; `source: web` does not."""

WORDS_OF_AN_OPENING = 5
"""Shorter first turns are greetings, with which strangers begin as well."""


@dataclass(frozen=True)
class Shared:
    """What rows of both parts have in common: its name, its values, and the first eval row of each."""

    name: str
    first: Mapping[str, Source]


@check("group-leakage", severity=Severity.WARN)
def rows_of_one_group(table: Table) -> Iterator[Finding]:
    """Rows to learn from of the same conversation, document, user or group as eval rows, so the model knows more than it should.

    Rows of one conversation or document share names, facts and style: a model that has seen some of them does better on the others than on
    new ones. Told by fields such as conversation_id, user_id or document that have many different values, and by conversations that open
    with the same question and the same answer. Only for a separate eval file.
    """
    size = table.count(Size)
    if not size.examples or not size.eval:
        return
    fields = list(_shared_fields(table))
    opening = _shared_openings(table)
    if not fields and opening is None:
        return
    kinds = [*(shared.name for shared in fields), *([opening.name] if opening else [])]
    rows = tuple(_rows(table.examples, fields, opening))
    scored = sum(_common(example, fields, opening) is not None for example in table.eval)
    count = len(rows)
    told = several(count, "row", "rows")
    yield Finding(
        f"{scored} of {size.eval} eval rows share their {', '.join(kinds)} with {count} {told} to learn from",
        "put all rows of a group into one part (data.split.group_by), or leave the rows to learn from out; the eval rows stay",
        rows,
    )


def _rows(learned: Rows, fields: list[Shared], opening: Shared | None) -> Iterator[Row]:
    for example in learned:
        common = _common(example, fields, opening)
        if common is not None:
            yield Row(example.source, of=common[1], note=common[0])


def _common(example: Example, fields: list[Shared], opening: Shared | None) -> tuple[str, Source] | None:
    """What the row shares with the other part, in words, and the first eval row that has it."""
    for shared in fields:
        value = value_of(example, shared.name)
        if value is not None and value in shared.first:
            return f"{shared.name} {value[:80]}", shared.first[value]
    if opening is not None:
        began = _opening(example)
        if began is not None and began in opening.first:
            return f"the conversation begins: {began[:80]}", opening.first[began]
    return None


def _shared_fields(table: Table) -> Iterator[Shared]:
    fields = table.count(GroupFields)
    for name in sorted(fields.learned.names & fields.scored.names & fields.learned.values.keys() & fields.scored.values.keys()):
        learned, scored = fields.learned.values[name], fields.scored.values[name]
        rows, different = learned.counts.total() + scored.counts.total(), len(learned.counts.plus(scored.counts))
        if different < FEWEST_VALUES or rows > ROWS_A_VALUE * different or (learned.are_numbered and scored.are_numbered):
            continue
        known = learned.counts.each(fields.first[name])
        common = {value: first for value, first in fields.first[name].items() if known[value]}
        if common:
            yield Shared(name, common)


@aggregate
@dataclass(frozen=True)
class Openings:
    """How often conversations of either part open in each way, the first eval row of each, and the openings that a turn follows.

    `histories` says whether there are conversations at all.
    """

    learned: DigestCounts
    scored: DigestCounts
    first: Mapping[str, Source]
    gone_on: DigestCounts
    histories: bool

    @classmethod
    def of(cls, table: Table) -> Openings:
        histories = any(example.history for part in table.parts for example in part)
        # In other parts of the whole there may be conversations that open as rows here do.
        learned, scored = table.parts if histories or table.is_part else ((), ())
        first: dict[str, Source] = {}
        for example in scored:
            if (began := _opening(example)) is not None:
                first.setdefault(began, example.source)
        return cls(_openings(learned), _openings(scored), first, _openings(e for p in table.parts for e in p if e.history), histories)

    def plus(self, later: Openings) -> Openings:
        return Openings(
            self.learned.plus(later.learned),
            self.scored.plus(later.scored),
            {**later.first, **self.first},
            self.gone_on.plus(later.gone_on),
            self.histories or later.histories,
        )


def _openings(rows: Iterable[Example]) -> DigestCounts:
    return DigestCounts.of(began for example in rows if (began := _opening(example)) is not None)


def _shared_openings(table: Table) -> Shared | None:
    """Openings of conversations that stand in both parts, in one of them at least with a turn after it."""
    all_ = table.count(Openings)
    if not all_.histories:
        return None
    learned, scored, gone_on = (counts.each(all_.first) for counts in (all_.learned, all_.scored, all_.gone_on))
    # What many rows open with is an example given to the model, not a conversation.
    common = {
        began: first
        for began, first in all_.first.items()
        if learned[began] and gone_on[began] and learned[began] + scored[began] <= ROWS_A_VALUE
    }
    return Shared("first turns", common) if common else None


def _opening(example: Example) -> str | None:
    """The first question and the first answer of the conversation, where the question is longer than a greeting."""
    if not example.history:
        question, answer = example.input, example.output
    elif len(example.history) > 1:
        question, answer = example.history[0].content, example.history[1].content
    else:
        return None
    return f"{question.strip()} / {answer.strip()}" if len(question.split()) >= WORDS_OF_AN_OPENING else None
