"""Check: training rows and eval rows of the same conversation, document, user or group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tuneproof.engine.audit.counts import Size
from tuneproof.engine.audit.groups.fields import ROWS_A_VALUE, GroupFields, are_groups, group_value
from tuneproof.engine.audit.groups.numbering import restarts
from tuneproof.engine.audit.groups.openings import Openings
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.groups import Grouping, opening_of


@dataclass(frozen=True)
class SharedKey:
    """Something that training rows and eval rows share: its name, and the first eval row of each value."""

    name: str
    first: Mapping[str, Source]


@check("group-leakage", severity=Severity.WARN)
def group_leakage(table: Table) -> Iterator[Finding]:
    """Training rows of the same conversation, document, user or group as eval rows: the eval rows are easier than new ones.

    Rows of one conversation or document share names, facts and style, so a model trained on some of them does better on the others.
    Groups are read from fields such as conversation_id, user_id or document that have many different values, and from conversations
    that open with the same question and the same answer. Numbers that begin again in each file are no shared groups. Only for a separate
    eval file, and for the parts of a split.
    """
    size = table.count(Size)
    if not size.examples or not size.eval:
        return
    fields = list(_shared_fields(table))
    opening = _shared_openings(table)
    if not fields and opening is None:
        return
    names = ", ".join([*(shared.name for shared in fields), *([opening.name] if opening else [])])
    group_by = fields[0].name if fields else Grouping.FIRST_TURNS
    rows = tuple(_rows(table.examples, fields, opening))
    eval_rows = sum(_shared(example, fields, opening) is not None for example in table.eval)
    yield Finding(
        f"{eval_rows} of {size.eval} eval rows share their {names} with {len(rows)} training {plural(len(rows), 'row', 'rows')}",
        f"keep the rows of a group in one part (data.split.group_by={group_by}, if one file is divided), or leave the training rows out; "
        "the eval rows stay",
        rows,
    )


def _rows(examples: Rows, fields: list[SharedKey], opening: SharedKey | None) -> Iterator[FlaggedRow]:
    for example in examples:
        shared = _shared(example, fields, opening)
        if shared is not None:
            yield FlaggedRow(example.source, of=shared[1], note=shared[0])


def _shared(example: Example, fields: list[SharedKey], opening: SharedKey | None) -> tuple[str, Source] | None:
    """What a row shares with the other part, in words, and the first eval row that has it."""
    for key in fields:
        value = group_value(example, key.name)
        if value is not None and value in key.first:
            return f"{key.name} {value[:80]}", key.first[value]
    if opening is not None:
        begins = opening_of(example)
        if begins is not None and begins in opening.first:
            return f"the conversation begins: {begins[:80]}", opening.first[begins]
    return None


def _shared_fields(table: Table) -> Iterator[SharedKey]:
    fields = table.count(GroupFields)
    ours, theirs = fields.examples, fields.eval
    for name in sorted(ours.names & theirs.names & ours.values.keys() & theirs.values.keys()):
        one, other = ours.values[name], theirs.values[name]
        rows, different = one.counts.total() + other.counts.total(), len(one.counts.plus(other.counts))
        if not are_groups(name, rows, different) or restarts(one.plus(other).numberings.values()):
            continue
        counts = one.counts.each(fields.first[name])
        first = {value: source for value, source in fields.first[name].items() if counts[value]}
        if first:
            yield SharedKey(name, first)


def _shared_openings(table: Table) -> SharedKey | None:
    """Openings of conversations that occur in both parts, at least once with a turn after them."""
    openings = table.count(Openings)
    if not openings.any_history:
        return None
    examples, eval_rows, continued = (counts.each(openings.first) for counts in (openings.examples, openings.eval, openings.continued))
    # An opening that many rows have is a worked example in the prompt, not a conversation.
    first = {
        begins: source
        for begins, source in openings.first.items()
        if examples[begins] and continued[begins] and examples[begins] + eval_rows[begins] <= ROWS_A_VALUE
    }
    return SharedKey("first turns", first) if first else None
