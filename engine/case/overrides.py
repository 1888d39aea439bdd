"""The parser of `--set KEY=VALUE`: a dotted key of the case file and a YAML value."""

from __future__ import annotations

from typing import Any

import yaml

from tuneproof.engine.case.key_lines import KeyPath
from tuneproof.engine.core.errors import CaseError


def apply_override(content: dict[str, Any], override: str) -> KeyPath:
    """Sets the value in the content of a case file, adding the sections that are not there, and returns the key.

    Raises CaseError if the override is not `KEY=VALUE`, or if a section of its key is not a mapping.
    """
    where = f"--set {override}"
    dotted, equals, text = override.partition("=")
    keys = tuple(dotted.split("."))
    if not equals or not all(keys):
        raise CaseError("not of the form KEY=VALUE", where=where, fix="write --set training.epochs=1")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise CaseError("the value is not YAML", where=where) from None
    section = content
    for key in keys[:-1]:
        if section.get(key) is None:
            section[key] = {}
        section = section[key]
        if not isinstance(section, dict):
            raise CaseError(f"`{key}` has no keys below it", where=where)
    section[keys[-1]] = value
    return keys
