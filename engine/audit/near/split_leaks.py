"""Parts of one file, cut without regard to near rows, with the near leaks taken out."""

from __future__ import annotations

from dataclasses import replace

from tuneproof.engine.audit.near.table import join_rows
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import Parts


def without_near_leaks(parts: Parts, *, cut_from_one_file: bool) -> Parts:
    """The parts without those rows of train that are nearly a row of validation or eval, and of validation that are nearly in eval.

    They count as straddling. A separate eval file has been held against the examples by the audit, and is not looked at again.
    """
    scored = parts.eval if cut_from_one_file else []
    train, leaked_train = _apart(parts.train, [*parts.validation, *scored])
    validation, leaked_validation = _apart(parts.validation, scored)
    return replace(parts, train=train, validation=validation, straddling=[*parts.straddling, *leaked_train, *leaked_validation])


def _apart(learned: list[Example], scored: list[Example]) -> tuple[list[Example], list[Example]]:
    """The rows that are near no scored one, and those that are."""
    if not learned or not scored:
        return learned, []
    near = {found.row for found in join_rows(Rows(learned), Rows(scored)).examples_near_eval()}
    return [e for at, e in enumerate(learned) if at not in near], [learned[at] for at in sorted(near)]
