"""Text that a person types into a form of the wizard, read into values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tuneproof.engine.case.data import Columns
from tuneproof.engine.case.schema import SAMPLE
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.sample_models import SAMPLE_MODELS

WHOLE_PERCENT = 100
SUM_TOLERANCE = 1e-6


class InputError(ValueError):
    """The typed text cannot be read; the message says what is expected."""

    def __init__(self, message: str, *, line: int | None = None, column: int = 1) -> None:
        super().__init__(message)
        self.line, self.column = line, column
        """Where the text stops making sense, from 1; no line if that is nowhere in particular."""


class InputDoubt(InputError):
    """The typed text can be read, but is probably not what was meant: a person may say that it is."""


def parse_percent(text: str) -> float | None:
    """A percentage as a share of 1, None if the text is empty.

    Without a percent sign, a number up to 1 is read as the share itself: 0.9 and 90 are the same. Raises InputError if it is no
    percentage.
    """
    number = text.strip().removesuffix("%").strip()
    if not number:
        return None
    try:
        value = float(number.replace(",", ".") if "." not in number else number)
    except ValueError:
        raise InputError(f"`{_shown(number)}` is not a number: type a number between 0 and 100, such as 90") from None
    is_share = 0 < value <= 1 and not text.strip().endswith("%")
    share = value if is_share else value / WHOLE_PERCENT
    if not 0 < share <= 1:
        raise InputError(f"{value:g} is not a percentage: type a number above 0 and up to 100, such as 90")
    return round(share, 6)


def parse_shares(text: str) -> tuple[float, float, float]:
    """The shares of train, validation and eval, separated by spaces or commas, as shares or in percent.

    Raises InputError if there are not three numbers that add up to 1 or to 100.
    """
    expected = "type three numbers that add up to 1, such as 0.6 0.15 0.25"
    try:
        numbers = [float(part.removesuffix("%")) for part in text.replace(",", " ").replace(" %", "%").split()]
    except ValueError:
        raise InputError(expected) from None
    if len(numbers) != len(("train", "validation", "eval")):
        raise InputError(f"{expected}; here {'is' if len(numbers) == 1 else 'are'} {len(numbers)}")
    total = sum(numbers)
    if abs(total - WHOLE_PERCENT) <= WHOLE_PERCENT * SUM_TOLERANCE:
        numbers = [round(number / WHOLE_PERCENT, 8) for number in numbers]
    elif not abs(total - 1) <= SUM_TOLERANCE:
        raise InputError(f"these add up to {total:g}: {expected}")
    train, validation, scored = numbers
    return train, validation, scored


def parse_schema(text: str) -> dict[str, Any] | None:
    """A JSON Schema, None if the text is empty. Raises InputError if it is not a JSON object, or cannot be used as a schema."""
    if not text.strip():
        return None
    # Loaded with the first schema that is typed: the wizard starts without it.
    from tuneproof.engine.scoring.json_schema import SchemaValidator

    schema = _parse_json(text)
    if not isinstance(schema, dict):
        raise InputError('a schema is a JSON object, such as {"type": "object"}')
    try:
        SchemaValidator(schema)
    except CaseError as error:
        raise InputError(f"{error.what}; {error.fix}".rstrip("; ")) from None
    return schema


def parse_bounds(text: str) -> dict[str, Any]:
    """Bounds by the path of a part. Raises InputError if the text is not a JSON object of objects."""
    bounds = _parse_json(text or "{}")
    if not isinstance(bounds, dict) or not all(isinstance(bound, dict) for bound in bounds.values()):
        raise InputError('write the bounds as {"summary": {"max_length": 80}}')
    return bounds


def _parse_json(text: str) -> Any:
    """The JSON value of a text. Raises InputError with the place where it stops being JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        what = error.msg[:1].lower() + error.msg[1:]
        raise InputError(f"not valid JSON, line {error.lineno}: {what}", line=error.lineno, column=error.colno) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid JSON: {error}") from None


def parse_choices(text: str) -> list[str] | None:
    """One label a line without empty lines, None if there are no labels. Raises InputError for a label that is listed twice."""
    labels: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        label = line.strip()
        if label and label in labels:
            raise InputError(f"line {number} has the label of line {labels[label]} again: `{_shown(label)}`", line=number)
        if label:
            labels[label] = number
    return list(labels) or None


def parse_columns(text: str) -> Columns | None:
    """The input and the output column, separated by a comma; None if the text is empty. Raises InputError if one is missing."""
    if not text.strip():
        return None
    input_column, _, output_column = (part.strip() for part in text.partition(","))
    if not (input_column and output_column):
        raise InputError("type two column names, separated by a comma")
    return Columns(input=input_column, output=output_column)


EXAMPLES = {"learning_rate": "2e-4", "warmup": "0.05"}
"""Values of the settings that are below one; the others count something."""


def parse_number(name: str, text: str) -> float | None:
    """The value of a numeric setting, None if the text is empty. Raises InputError if it is not a number."""
    try:
        return float(text) if text.strip() else None
    except ValueError:
        raise InputError(f"{name} has to be a number, such as {EXAMPLES.get(name, '3')}") from None


def number_text(value: float) -> str:
    """A number as a person reads it: 1,000,000 and 0.0002."""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) >= 1 else f"{value:g}"


HUB_PREFIX = "hub:"


def path_or_hub_name(text: str) -> str:
    """An absolute path if there is such a file or folder; any other text is a name on the hub and stays as it is."""
    path = Path(text.strip()).expanduser()
    return str(path.resolve()) if path.exists() else text.strip()


def examples_named(text: str) -> str:
    """A file or folder as an absolute path, or the name of a data set on the hub, which may be written as `hub:owner/name`.

    Raises InputError for a path that leads nowhere.
    """
    named = path_or_hub_name(text.strip().removeprefix(HUB_PREFIX))
    is_path = named.startswith((".", "/", "~")) or Path(named).suffix != "" or named.count("/") > 1
    if is_path and not Path(named).exists():
        raise InputError(f"there is no file or folder {_shown(named)}; paths start at {Path.cwd()}")
    return named


def base_model(text: str) -> str:
    """A base model as the case names it: `sample`, an absolute folder, or a name on the hub; `check_base` looks at it."""
    return text.strip() if text.strip() in (SAMPLE, *SAMPLE_MODELS) else path_or_hub_name(text)


def _shown(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
