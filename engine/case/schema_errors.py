"""What pydantic found wrong with a case, as one error with file, line, key and what to do."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from tuneproof.engine.case.key_origins import KeyOrigins, KeyPath, origin_of
from tuneproof.engine.case.scalars import plain_scalar
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import CaseError

# Parts of a location that pydantic adds for validators and unions; the case file has no such keys.
NOT_KEYS = ("function-", "list[", "dict[", "str", "ScriptMetric")

BOOLEANS = {"yes": "true", "on": "true", "y": "true", "true": "true", "no": "false", "off": "false", "n": "false", "false": "false"}
"""Words that earlier versions of YAML read as booleans, or that people mean as such."""

NUMBER = re.compile(r"[-+]?[0-9]{1,15}(\.[0-9]{1,15})?([eE][-+]?[0-9]{1,2})?")

MOST_MESSAGE = 600
"""Characters of what a validator says; a pattern of a case is part of it."""


def first_schema_error(path: Path, error: ValidationError, origins: KeyOrigins) -> CaseError:
    """The first error of a case file, unknown keys first; a misspelt key is named with the key that was probably meant."""
    found = min(error.errors(), key=lambda e: (e["type"] != "extra_forbidden", str(origin_of(e["loc"], origins))))
    keys = tuple(found["loc"])
    key = _shortened(".".join(str(part) for part in keys if not str(part).startswith(NOT_KEYS)))
    # A password may be under a wrong key, so no value under `endpoint` is shown.
    hides_value = "endpoint" in keys[:2]
    where = _where(path, keys, origins, hides_value=hides_value)
    if found["type"] == "extra_forbidden":
        allowed = _keys_of_section(keys[:-1])
        close = difflib.get_close_matches(str(keys[-1])[:100], allowed, n=1, cutoff=0.5)
        fix = f"did you mean `{close[0]}`?" if close else f"allowed here: {', '.join(allowed)}"
        return CaseError(f"unknown key `{key}`", where=where, fix=fix)
    if found["type"] == "missing":
        section = ".".join(map(str, keys[:-1]))
        return CaseError(
            f"`{key}` is missing",
            where=where,
            fix=f"add `{keys[-1]}:` under `{section}`" if section else f"add `{keys[-1]}:` at the top level",
        )
    if found["type"] in ("model_type", "dict_type"):
        fix = f"its keys are {', '.join(allowed)}" if (allowed := _keys_of_section(keys)) else ""
        return CaseError(f"`{key}` needs keys below it", where=where, fix=fix)
    message = found["msg"].removeprefix("Value error, ").removeprefix("Input ")
    shows_value = not hides_value and not isinstance(found["input"], dict | list)
    given = f", not {_shortened(json.dumps(found['input'], default=str))}" if shows_value else ""
    fix = _meant(found["type"], found["input"]) if shows_value else ""
    return CaseError(f"`{key}`: {_shortened(message, MOST_MESSAGE)}{given}" if key else message, where=where, fix=fix)


def _meant(kind: str, given: Any) -> str:
    """What was probably meant by a value of another type than its key has; empty if nothing can be said."""
    if kind == "bool_type" and isinstance(given, str) and given.lower() in BOOLEANS:
        return f"write {BOOLEANS[given.lower()]}"
    if kind == "string_type" and isinstance(given, bool | int | float):
        return "put it in quotes"
    if kind in ("int_type", "float_type") and isinstance(given, str | float):
        digits = str(given).replace("_", "").replace(",", "").replace(" ", "")
        number = plain_scalar(digits) if NUMBER.fullmatch(digits) else None
        if isinstance(number, float) and number.is_integer() and abs(number) < 1e15:
            number = int(number)
        fits = isinstance(number, int) or (isinstance(number, float) and kind == "float_type")
        return f"write {number}, without quotes" if fits and isinstance(given, str) else f"write {number}" if fits else ""
    return ""


def _shortened(text: str, most: int = 120) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _where(path: Path, keys: KeyPath, origins: KeyOrigins, *, hides_value: bool) -> str:
    origin = origin_of(keys, origins)
    if isinstance(origin, str):
        return f"--set {origin.partition('=')[0] if hides_value else _shortened(origin, 200)}"
    return str(path) if origin is None else f"{path}:{origin}"


def _keys_of_section(section: KeyPath) -> list[str]:
    """The keys that the schema allows in a section."""
    model: Any = Case
    for part in section:
        if str(part).startswith(NOT_KEYS):
            continue
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        model = None if field is None else next(_sections_in(field.annotation), None)
        if model is None:
            return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The sections that an annotation allows, also inside a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _sections_in(inner)
