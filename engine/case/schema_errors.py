"""What pydantic found wrong with a case, as one error with file, line, key and what to do."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from tuneproof.engine.case.key_lines import KeyOrigins, KeyPath, origin_of
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import CaseError

# Parts of a location that pydantic adds for validators and unions; the case file has no such keys.
NOT_KEYS = ("function-", "list[", "dict[", "str")


def first_schema_error(path: Path, error: ValidationError, origins: KeyOrigins) -> CaseError:
    """The first error of a case file, unknown keys first; a misspelt key is named with the key that was probably meant."""
    found = min(error.errors(), key=lambda e: (e["type"] != "extra_forbidden", str(origin_of(e["loc"], origins))))
    keys = tuple(found["loc"])
    key = ".".join(str(part) for part in keys if not str(part).startswith(NOT_KEYS))
    # A password may be under a wrong key, so no value under `endpoint` is shown.
    hides_value = keys[:1] == ("endpoint",)
    where = _where(path, keys, origins, hides_value=hides_value)
    if found["type"] == "extra_forbidden":
        allowed = _keys_of_section(keys[:-1])
        close = difflib.get_close_matches(str(keys[-1]), allowed, n=1, cutoff=0.5)
        fix = f"did you mean `{close[0]}`?" if close else f"allowed here: {', '.join(allowed)}"
        return CaseError(f"unknown key `{key}`", where=where, fix=fix)
    if found["type"] == "missing":
        section = ".".join(map(str, keys[:-1]))
        return CaseError(
            f"`{key}` is missing",
            where=where,
            fix=f"add `{keys[-1]}:` under `{section}`" if section else f"add `{keys[-1]}:` at the top level",
        )
    message = found["msg"].removeprefix("Value error, ").removeprefix("Input ")
    shows_value = not hides_value and not isinstance(found["input"], dict | list)
    given = f", not {json.dumps(found['input'], default=str)}" if shows_value else ""
    return CaseError(f"`{key}`: {message}{given}" if key else message, where=where)


def _where(path: Path, keys: KeyPath, origins: KeyOrigins, *, hides_value: bool) -> str:
    origin = origin_of(keys, origins)
    if isinstance(origin, str):
        return f"--set {origin.partition('=')[0] if hides_value else origin}"
    return str(path) if origin is None else f"{path}:{origin}"


def _keys_of_section(section: KeyPath) -> list[str]:
    """The keys that the schema allows in a section."""
    model: Any = Case
    for part in section:
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        candidates = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if model is None:
            return []
    return [field.alias or name for name, field in model.model_fields.items()]
