"""Rows with bytes that are not UTF-8."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.encodings import Form
from tuneproof.engine.data.problems import NotUtf8


@check("encoding", severity=Severity.WARN, always_leaves_out=True)
def wrong_encoding(table: Table) -> Iterator[Finding]:
    """Rows that are not UTF-8: each is named with the bad bytes and what they look like, and left out, never repaired by guessing.

    CESU-8 comes from programs that write emoji as two surrogates, single bytes from Latin-1 or Windows-1252, characters that are cut
    off from limits in bytes. Read in the wrong encoding, one such place spoils every accent in the file.
    """
    problems = table.problems_of(NotUtf8)
    if not problems:
        return
    forms = Counter(problem.form for _, problem in problems)
    count = len(problems)
    told = ", ".join(f"{form} in {number}" for form, number in forms.most_common())
    action = "write them again as UTF-8 where the file is made"
    if forms.keys() == {Form.SINGLE_BYTE}:
        action += "; where the whole file is Windows-1252: iconv -f WINDOWS-1252 -t UTF-8"
    rows = tuple(Row(source, note=problem.told) for source, problem in problems)
    yield Finding(f"{count} {several(count, 'row is', 'rows are')} not UTF-8: {told}", action, rows)
