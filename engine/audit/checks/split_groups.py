"""Check: rows that belong together, and that a split by rows would put into several parts."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.counts import Size
from tuneproof.engine.audit.groups.found import FoundGroups, groups_of
from tuneproof.engine.audit.registry import Finding, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.groups import Grouping


@check("split-groups", severity=Severity.WARN)
def split_groups(table: Table) -> Iterator[Finding]:
    """Rows of the same conversation, document, user or group, which the split puts into train and eval: the score is then too good.

    Groups are read from fields such as conversation_id, user_id or document that have many different values, from conversations that
    begin with the same turns, and else from many small files. `data.split.group_by` keeps the rows of a group in one part. Only if the
    eval set is cut from the examples, and `group_by` is not set.
    """
    size = table.count(Size)
    if size.eval or table.group_by is not None:
        return
    found = groups_of(table)
    if not found:
        return
    first, *others = found
    also = f"; so do {', '.join(f'{_name(each)} ({each.groups:,} groups)' for each in others)}" if others else ""
    yield Finding(
        f"{_name(first)} joins {first.rows:,} of {size.examples:,} rows in {first.groups:,} groups, and a split by rows puts rows of one"
        f" group into train and into eval{also}",
        f"set data.split.group_by={first.group_by}, which keeps the rows of a group in one part",
        (),
        group_by=first.group_by,
    )


def _name(found: FoundGroups) -> str:
    match found.group_by:
        case Grouping.FIRST_TURNS:
            return "a common beginning"
        case Grouping.FILE:
            return "the file"
    return f"`{found.group_by}`"
