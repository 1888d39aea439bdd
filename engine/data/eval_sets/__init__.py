"""Eval sets of other programs, each recognised by its keys."""

from __future__ import annotations

from tuneproof.engine.case.data import Columns
from tuneproof.engine.data.eval_sets.openai_evals import SAMPLES, openai_items
from tuneproof.engine.data.eval_sets.promptfoo import promptfoo_table, promptfoo_tests
from tuneproof.engine.data.row_shape import RowShape


def eval_sets(columns: Columns | None = None) -> tuple[RowShape, ...]:
    """The shapes of eval sets; `data.columns` of the case, where it is given, names values inside their rows."""
    return (promptfoo_tests(columns), promptfoo_table(columns), SAMPLES, openai_items(columns))
