"""Which field of a labelling task is the text: exports have no key that says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuneproof.engine.data.cells import RowError

TEXT_NAMES = (
    "text",
    "input",
    "prompt",
    "instruction",
    "question",
    "query",
    "content",
    "body",
    "message",
    "review",
    "sentence",
    "document",
    "comment",
    "utterance",
    "tweet",
    "description",
    "title",
)
"""Names of a field that is the text of a task, in the order in which they are tried."""


def text_field(fields: Mapping[str, Any]) -> str:
    """The name of the field with the text: one of `TEXT_NAMES`, or else the only field that is a text.

    Raises RowError if there is none, or if it cannot be known which it is.
    """
    texts = [name for name, value in fields.items() if isinstance(value, str)]
    # An empty text is one too: else the rows of a file would have their texts from different fields.
    by_lower = {name.lower(): name for name in reversed(texts)}
    found = next((by_lower[name] for name in TEXT_NAMES if name in by_lower), None)
    if found is None and len(texts) == 1:
        found = texts[0]
    if found is None:
        have = f"it is one of {', '.join(f'`{name[:60]}`' for name in texts[:12])}" if texts else "no field is a text"
        raise RowError(f"it cannot be known which field is the text: {have}; name it under data.columns")
    return found
