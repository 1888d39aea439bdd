"""Check: rows with bytes that are not UTF-8."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.encodings import InvalidBytesKind
from tuneproof.engine.data.problems import NotUtf8Row


@check("encoding", severity=Severity.WARN, always_leaves_out=True)
def wrong_encoding(table: Table) -> Iterator[Finding]:
    """Rows that are not UTF-8. Each is shown with the bad bytes and what they probably are, and the file with the
    encoding that it probably has. They are left out, never repaired by guessing.

    CESU-8 comes from programs that write an emoji as two surrogates, single bytes come from Latin-1 or Windows-1252, and cut-off
    characters come from length limits in bytes.
    """
    problems = table.problems_of(NotUtf8Row)
    if not problems:
        return
    forms = Counter(problem.kind for _, problem in problems)
    counted = ", ".join(f"{form} in {number}" for form, number in forms.most_common())
    action = "export the file again as UTF-8"
    encodings = sorted({problem.encoding for _, problem in problems if problem.encoding})
    if encodings:
        action += "".join(f"; if it is {name}: iconv -f {name} -t UTF-8" for name in encodings)
    elif forms.keys() == {InvalidBytesKind.SINGLE_BYTE}:
        action += "; if the whole file is Windows-1252: iconv -f WINDOWS-1252 -t UTF-8"
    rows = tuple(FlaggedRow(source, note=problem.message) for source, problem in problems)
    yield Finding(f"{len(rows)} {plural(len(rows), 'row is', 'rows are')} not UTF-8: {counted}", action, rows)
