"""Files in which records are written in more than one way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Source
from tuneproof.engine.data.problems import OtherShape


@check("mixed-shapes", severity=Severity.WARN, always_leaves_out=True)
def mixed_shapes(table: Table) -> Iterator[Finding]:
    """Rows of another known shape than their file's: two data sets in one file, or an export that was changed half-way.

    The shape of a file is the one that most of its first 1,000 rows have. The other rows are left out: read as something they are not,
    they would teach something nobody wrote.
    """
    by_file: dict[str, list[tuple[Source, OtherShape]]] = {}
    for source, problem in table.problems_of(OtherShape):
        by_file.setdefault(source.file, []).append((source, problem))
    for file, problems in by_file.items():
        others = Counter(problem.row for _, problem in problems)
        told = ", ".join(f"{number:,} {several(number, 'is', 'are')} {shape}" for shape, number in others.most_common())
        yield Finding(
            f"{file} holds {len(others) + 1} shapes: most rows are {problems[0][1].file}, {told}",
            "put the rows of each shape into a file of their own",
            tuple(Row(source, note=problem.told) for source, problem in problems),
        )
