"""Check: files whose rows have more than one shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import Source
from tuneproof.engine.data.problems import DifferentShape


@check("mixed-shapes", severity=Severity.WARN, always_leaves_out=True)
def mixed_shapes(table: Table) -> Iterator[Finding]:
    """Rows of another known shape than the rest of their file: two data sets in one file, or an export that changed half-way.

    The shape of a file is the one that most of its first 1,000 rows have. The other rows are left out, because reading them in the
    wrong shape would change what they say.
    """
    by_file: dict[str, list[tuple[Source, DifferentShape]]] = {}
    for source, problem in table.problems_of(DifferentShape):
        by_file.setdefault(source.file, []).append((source, problem))
    for file, problems in by_file.items():
        others = Counter(problem.row_shape for _, problem in problems)
        counted = ", ".join(f"{number:,} {plural(number, 'is', 'are')} {shape}" for shape, number in others.most_common())
        yield Finding(
            f"{file} has {len(others) + 1} shapes: most rows are {problems[0][1].file_shape}, {counted}",
            "put each shape into its own file",
            tuple(FlaggedRow(source, note=problem.message) for source, problem in problems),
        )
