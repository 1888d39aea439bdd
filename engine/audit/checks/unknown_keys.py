"""Check: keys of turns that no known format has."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.notes import UnknownTurnKey

MOST_NAMED = 12
"""Keys that the finding names."""


@check("unknown-keys", severity=Severity.INFO)
def unknown_keys(table: Table) -> Iterator[Finding]:
    """Keys of turns that no known format of conversations has, such as a language or a time: they are left out.

    Other columns of a row are kept as its metadata; a turn has no place for more than role, content, calls of tools and reasoning.
    """
    keys = {note.key: rows for note, rows in table.notes_of(UnknownTurnKey)}
    if keys:
        by_row = {row: None for rows in keys.values() for row in rows}
        named = ", ".join(f"`{key[:60]}`" for key in list(keys)[:MOST_NAMED])
        more = f" and {len(keys) - MOST_NAMED:,} more" if len(keys) > MOST_NAMED else ""
        yield Finding(
            f"turns of {len(by_row):,} {plural(len(by_row), 'row', 'rows')} have keys that are not read: {named}{more}",
            "nothing, if they only describe the turn; if one is a part of the text, move it into the content",
            tuple(map(FlaggedRow, by_row)),
        )
