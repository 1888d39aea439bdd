"""What each key of the case file means: the text under its field in the schema, read from the source when it is first wanted."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import lru_cache
from itertools import pairwise

from tuneproof.engine.case.route import QUESTIONS
from tuneproof.engine.case.schema import DraftDecisionAnswers
from tuneproof.engine.case.section import CaseSection


def meaning_of(section: type[CaseSection], field: str) -> str:
    """The meaning of a field in a sentence or two; empty if the schema does not say."""
    if issubclass(section, DraftDecisionAnswers):
        return next((question.text for question in QUESTIONS if question.key == field), "")
    for model in section.__mro__:
        if isinstance(model, type) and issubclass(model, CaseSection) and field in (texts := _texts(model)):
            return texts[field]
    return ""


@lru_cache
def _texts(section: type[CaseSection]) -> dict[str, str]:
    """The text under each field of a class."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(section)))
    except (OSError, TypeError, SyntaxError):
        # An installation without its source has no texts, and the keys still have their names.
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    texts = {}
    for field, text in pairwise(body):
        is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text:
            assert isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            texts[field.target.id] = " ".join(str(text.value.value).split())
    return texts
