"""Columns of Parquet with times, decimals and bytes have a text form or are left out; rows can be grouped by them, and can be stored."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from tuneproof.engine.case.data import SplitShares
from tuneproof.engine.data.freeze import examples_from_jsonl, examples_to_jsonl
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.data.split import split

DAYS = [datetime(2026, 3, 1 + at % 20, 8, 30, tzinfo=UTC) for at in range(40)]
COLUMNS: dict[str, list[Any]] = {
    "timestamp": DAYS,
    "naive timestamp": [day.replace(tzinfo=None) for day in DAYS],
    "date": [date(2026, 3, day.day) for day in DAYS],
    "decimal": [Decimal(f"{day.day}.50") for day in DAYS],
    "duration": [timedelta(minutes=day.day) for day in DAYS],
    "struct": [{"day": day, "note": None} for day in DAYS],
    "bytes": [bytes([0xFF, day.day]) for day in DAYS],
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_rows_with_a_typed_column_are_read_split_and_stored(tmp_path: Path, kind: str) -> None:
    asked = [f"Is parcel {at} late?" for at in range(40)]
    columns = {"input": asked, "output": ["yes", "no"] * 20, "at": COLUMNS[kind]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "rows.parquet")
    loaded = read_examples(str(tmp_path / "rows.parquet"))
    assert [example.input for example in loaded.examples] == asked
    stored = examples_from_jsonl(examples_to_jsonl(loaded.examples))
    assert [dict(example.metadata) for _, example in stored] == [dict(example.metadata) for example in loaded.examples]


@pytest.mark.parametrize("kind", [kind for kind in COLUMNS if kind != "bytes"])
def test_rows_of_one_value_of_a_typed_column_stay_in_one_part(tmp_path: Path, kind: str) -> None:
    columns = {"input": [f"Is parcel {at} late?" for at in range(40)], "output": ["yes", "no"] * 20, "at": COLUMNS[kind]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "rows.parquet")
    loaded = read_examples(str(tmp_path / "rows.parquet"))
    parts = split(loaded.examples, SplitShares(train=0.4, validation=0.2, eval=0.4, group_by="at"))
    days = [{str(example.metadata["at"]) for example in part} for part in (parts.train, parts.validation, parts.eval)]
    assert not days[0] & days[1] and not days[0] & days[2] and not days[1] & days[2] and len(set().union(*days)) == 20
