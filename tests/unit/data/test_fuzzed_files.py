"""Whatever bytes a data file has, reading it gives rows that a run can store, findings, or a refusal with the file's name, at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.unit.data.fuzzed_files import mutated_files
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.freeze import examples_from_jsonl, examples_to_jsonl
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.data.source_rows import source_row_text

LONGEST_SECONDS = 5


def check(folder: Path, ending: str, content: bytes) -> None:
    path = folder / f"rows{ending}"
    path.write_bytes(content)
    begun = time.monotonic()
    try:
        loaded = read_examples(str(path))
    except DataRefused as refused:
        assert path.name in refused.where + refused.what and len(str(refused)) < 2000
    else:
        # A message is written to the report, and a row is shown where it was found.
        assert all(len(str(problem)) < 2000 for _, problem in loaded.problems)
        stored = examples_to_jsonl(loaded.examples)
        stored.encode("utf-8")
        assert [example for _, example in examples_from_jsonl(stored)] == loaded.examples
        source_row_text(path, loaded.examples[0].source.line)
    assert time.monotonic() - begun < LONGEST_SECONDS


@settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated_files())
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, file: tuple[str, bytes]) -> None:
    check(tmp_path_factory.getbasetemp(), *file)


@pytest.mark.long
@settings(max_examples=60_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated_files())
def test_tens_of_thousands_of_files_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, file: tuple[str, bytes]) -> None:
    check(tmp_path_factory.getbasetemp(), *file)
