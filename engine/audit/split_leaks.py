"""Near leaks between the parts of a split, and rows that are equal but for words of courtesy, taken out."""

from __future__ import annotations

from dataclasses import replace

from tuneproof.engine.audit.courtesy import courtesy_keys
from tuneproof.engine.audit.near.table import join_rows
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.split import SplitParts


def without_near_leaks(parts: SplitParts, *, cut_from_one_file: bool) -> SplitParts:
    """The parts without the rows of train that are near a row of validation or eval, and those of validation that are near one of eval.

    They are added to the cross-split duplicates. The audit has already compared a separate eval file, which is not looked at again.
    """
    eval_rows = parts.eval if cut_from_one_file else []
    train, leaked_train = _apart(parts.train, [*parts.validation, *eval_rows])
    validation, leaked_validation = _apart(parts.validation, eval_rows)
    duplicates = [*parts.cross_split_duplicates, *leaked_train, *leaked_validation]
    return replace(parts, train=train, validation=validation, cross_split_duplicates=duplicates)


def _apart(rows: list[Example], eval_rows: list[Example]) -> tuple[list[Example], list[Example]]:
    """The rows that are not near any eval row, and those that are."""
    if not rows or not eval_rows:
        return rows, []
    near = {found.row for found in join_rows(Rows(rows), Rows(eval_rows)).examples_near_eval()}
    keys = courtesy_keys(Table(Rows(rows), Rows(eval_rows), []))
    known = {key for key in keys[len(rows) :] if key is not None}
    near |= {at for at, key in enumerate(keys[: len(rows)]) if key in known}
    return [e for at, e in enumerate(rows) if at not in near], [rows[at] for at in sorted(near)]
