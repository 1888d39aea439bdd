"""Values of Arrow as JSON has them."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tuneproof.engine.data.binary_text import BinaryText

MOST_SHOWN_BYTES = 1024
"""Bytes of a binary value that is kept as base64; of a longer one, only its digest and size."""


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with plain values; a column without a value stays, as null."""
    return {str(key): plain(value) for key, value in row.items()}


def plain(value: Any) -> Any:
    """A value of Arrow as JSON has it: dates and times in ISO 8601, decimals with all their digits, maps as objects.

    A number that is infinite or not a number is null, as data frames write a missing one. Bytes that are UTF-8 are text, others
    base64 or, if there are many, their digest. A field of a struct without a value is left out: a column of structs has every field in
    every row, and those that a row did not have when it was written are null.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        # Only the entries of a map are tuples.
        if value and all(isinstance(item, tuple) for item in value):
            return {str(key): plain(item) for key, item in value}
        return [plain(item) for item in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return _text_of(value)
    if isinstance(value, Decimal | UUID):
        return str(value)
    return str(value)


def _text_of(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return text
    if len(content) <= MOST_SHOWN_BYTES:
        return BinaryText(f"base64:{base64.b64encode(content).decode()}")
    return BinaryText(f"sha256:{hashlib.sha256(content).hexdigest()} of {len(content)} bytes")


def text_bytes(value: Any) -> int:
    """About how many bytes a plain value takes."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(text_bytes, value.values()))
    return sum(map(text_bytes, value)) if isinstance(value, list) else 8
