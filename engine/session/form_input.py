"""Text that a person types into a form of the wizard, read into values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tuneproof.engine.case.data import Columns
from tuneproof.engine.case.schema import SAMPLE
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.folder_check import check_named_folder


class InputError(ValueError):
    """The typed text cannot be read; the message says what is expected."""


def parse_percent(text: str) -> float | None:
    """A percentage as a share of 1, None if the text is empty. Raises InputError if it is not a number."""
    number = text.strip().rstrip("%").strip()
    if not number:
        return None
    try:
        return round(float(number) / 100, 6)
    except ValueError:
        raise InputError("type a number between 0 and 100") from None


def parse_shares(text: str) -> tuple[float, float, float]:
    """The shares of train, validation and eval, separated by spaces or commas. Raises InputError if there are not three numbers."""
    try:
        train, validation, scored = (float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise InputError("type three numbers that add up to 1") from None
    return train, validation, scored


def parse_schema(text: str) -> dict[str, Any] | None:
    """A JSON Schema, None if the text is empty. Raises InputError if it is not a JSON object, or cannot be used as a schema."""
    if not text.strip():
        return None
    # Loaded with the first schema that is typed: the wizard starts without it.
    from tuneproof.engine.scoring.json_schema import SchemaValidator

    try:
        schema = json.loads(text)
    except ValueError as error:
        raise InputError(f"the schema is not changed: it is not valid JSON: {error}") from None
    if not isinstance(schema, dict):
        raise InputError("the schema is not changed: it has to be a JSON object")
    try:
        SchemaValidator(schema)
    except CaseError as error:
        raise InputError(f"the schema is not changed: {error.what}; {error.fix}".rstrip("; ")) from None
    return schema


def parse_bounds(text: str) -> dict[str, Any]:
    """Bounds by the path of a part. Raises InputError if the text is not a JSON object of objects."""
    try:
        bounds = json.loads(text or "{}")
    except ValueError as error:
        raise InputError(f"the bounds are not changed: they are not valid JSON: {error}") from None
    if not isinstance(bounds, dict) or not all(isinstance(bound, dict) for bound in bounds.values()):
        raise InputError('the bounds are not changed: write them as {"summary": {"max_length": 80}}')
    return bounds


def parse_choices(text: str) -> list[str] | None:
    """One label a line without empty lines, None if there are no labels."""
    return [line.strip() for line in text.split("\n") if line.strip()] or None


def parse_columns(text: str) -> Columns | None:
    """The input and the output column, separated by a comma; None if the text is empty. Raises InputError if one is missing."""
    if not text.strip():
        return None
    input_column, _, output_column = (part.strip() for part in text.partition(","))
    if not (input_column and output_column):
        raise InputError("type two column names, separated by a comma")
    return Columns(input=input_column, output=output_column)


def parse_number(name: str, text: str) -> float | None:
    """The value of a numeric setting, None if the text is empty. Raises InputError if it is not a number."""
    try:
        return float(text) if text.strip() else None
    except ValueError:
        raise InputError(f"{name} has to be a number") from None


def path_or_hub_name(text: str) -> str:
    """An absolute path if there is such a file or folder; any other text is a name on the hub and stays as it is."""
    path = Path(text.strip()).expanduser()
    return str(path.resolve()) if path.exists() else text.strip()


def base_model(text: str) -> str:
    """A base model as the case names it: `sample`, an absolute folder, or a name on the hub.

    Raises InputError if its folder is not whole.
    """
    base = text.strip() if text.strip() == SAMPLE else path_or_hub_name(text)
    try:
        check_named_folder(base)
    except CaseError as error:
        raise InputError(f"the base model is not changed: {error}") from None
    return base
