"""The parser of `--set KEY=VALUE`: a dotted key of the case file and a YAML value."""

from __future__ import annotations

from typing import Any

from tuneproof.engine.case.case_text import MOST_DEPTH, CaseTextError, read_case_text
from tuneproof.engine.case.key_origins import KeyPath
from tuneproof.engine.core.errors import CaseError

MOST_SHOWN = 200
"""Characters of an override that an error shows."""


def apply_override(content: dict[str, Any], override: str) -> KeyPath:
    """Sets the value in the content of a case file, adding the sections that are not there, and returns the key.

    Raises CaseError if the override is not `KEY=VALUE`, if its value is none that a case file can hold, or if a section of its key is not
    a mapping.
    """
    where = f"--set {override[:MOST_SHOWN]}"
    dotted, equals, text = override.partition("=")
    keys = tuple(dotted.split("."))
    if not equals or not all(keys) or len(keys) > MOST_DEPTH:
        raise CaseError("not of the form KEY=VALUE", where=where, fix="write --set training.epochs=1")
    try:
        value = read_case_text(text).value
    except CaseTextError as error:
        raise CaseError(f"the value cannot be read: {error.what}", where=where, fix=error.fix) from None
    section = content
    for key in keys[:-1]:
        if section.get(key) is None:
            section[key] = {}
        section = section[key]
        if not isinstance(section, dict):
            raise CaseError(f"`{key}` has no keys below it", where=where)
    section[keys[-1]] = value
    return keys
