"""Whether what a person typed can be saved: asked by every dialog before it closes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuneproof.engine.case.draft import Draft
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.session.doubts import doubt_about
from tuneproof.engine.session.form_input import InputDoubt, InputError


def check_case_name(text: str) -> str:
    """The name of the file that a new case will have. Raises InputError for a name that a case cannot have."""
    if not text.strip():
        raise InputError("a case needs a name: type a word or two, such as support tickets")
    try:
        path = Draft.new(Path.cwd(), text).path
    except CaseError as error:
        raise InputError(error.what) from None
    return f"saved as {path.name}" if path else ""


def checked(draft: Draft, sections: Mapping[str, Any], train_rows: int | None = None) -> DraftCase:
    """The draft as it would be with these sections; nothing is saved.

    Raises InputError if they do not fit the case, and InputDoubt if they do, but are hardly meant (`doubts.doubt_about`).
    """
    try:
        changed = draft.changed(**sections)
    except CaseError as error:
        raise InputError(f"{error.what}; {error.fix}".rstrip("; ")) from None
    doubt = doubt_about(draft.content, changed, train_rows)
    if doubt is not None:
        raise InputDoubt(doubt)
    return changed
