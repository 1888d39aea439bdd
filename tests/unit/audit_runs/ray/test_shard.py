"""What shards find together is what all rows at once give, whatever is wrong with them and however they are divided."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.defect_factory import DEFECTS
from tuneproof.engine.audit.checks import CHECKS, label_error
from tuneproof.engine.audit.near.settings import Shingle
from tuneproof.engine.audit.report import Report
from tuneproof.engine.audit.rows import Rows, TokenLengths
from tuneproof.engine.audit.run_checks import audit
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit_runs.ray.selection import select_rows
from tuneproof.engine.audit_runs.ray.shard import AuditRequest, Shard, ShardRows, ShardSummary, pickled, population_of, read_shard
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.readers import read_examples

TESTED_ELSEWHERE = {"format", "unreadable"}
CHECKS_OF_SHARDS = [
    name for name, check in CHECKS.items() if (not check.compares or name in ("template-leakage", "label-error")) and name in DEFECTS
]
NO_RELATED_ROWS = np.zeros(0, np.int64)


@pytest.mark.parametrize("check", [name for name in CHECKS_OF_SHARDS if name not in TESTED_ELSEWHERE])
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 4), cuts=st.lists(st.integers(0, 60), min_size=2, max_size=2))
def test_checks_find_in_shards_what_they_find_in_all_rows(check: str, seed: int, count: int, cuts: list[int]) -> None:
    world = DEFECTS[check](Random(seed), count)
    with TemporaryDirectory() as folder:
        ends = [0, *sorted(cuts), len(world.examples)]
        parts = [world.examples[start:end] for start, end in pairwise(ends)]
        shards = [*written(Path(folder), parts, is_eval=False), *written(Path(folder), [world.eval], is_eval=True, number=len(parts))]
        request = RequestWithLengths(Shingle.W3, None) if check.startswith("context") else AuditRequest(Shingle.W3, None)
        # The check for label errors needs all rows if they are few, and then no other check would be tested.
        with pytest.MonkeyPatch.context() as patch:
            if check != "label-error":
                patch.setattr(label_error, "MOST_ROWS", 0)
            read = [read_shard(shard, request) for shard in shards]
            assert findings_in_shards(read, request, check) == findings_in_all(shards, request, check)


class RequestWithLengths(AuditRequest):
    """The length of a row is its number of words."""

    def lengths(self) -> TokenLengths:
        return TokenLengths(lambda e: e.input, lambda e: len(e.input.split()), lambda e: len(e.output.split()), "words", "", 40)


def findings_in_all(shards: Sequence[Shard], request: AuditRequest, check: str) -> list[str]:
    train_rows, eval_rows = ([e for s in shards if s.is_eval is is_eval for e in rows_of(s)] for is_eval in (False, True))
    return findings_of(audit(Table(Rows(train_rows), Rows(eval_rows), [], lengths=request.lengths()), (), {}), check)


def findings_in_shards(read: Sequence[tuple[ShardRows, ShardSummary]], request: AuditRequest, check: str) -> list[str]:
    population = population_of([seen for _, seen in read])
    named = [select_rows(kept, request, population, frozenset(), NO_RELATED_ROWS) for kept, _ in read]
    train_rows, eval_rows = (
        [e for n, (k, _) in zip(named, read, strict=True) if k.shard.is_eval is s for e in n.examples] for s in (False, True)
    )
    return findings_of(audit(Table(Rows(train_rows), Rows(eval_rows), [], lengths=request.lengths(), population=population), (), {}), check)


def findings_of(report: Report, check: str) -> list[str]:
    return [finding.model_dump_json() for finding in report.findings if finding.check == check]


def written(folder: Path, parts: Sequence[Sequence[Example]], *, is_eval: bool, number: int = 0) -> Iterator[Shard]:
    for at, rows in enumerate(parts, number):
        path = folder / f"{at}.jsonl"
        path.write_text("".join(json.dumps({"input": e.input, "output": e.output, **e.metadata}) + "\n" for e in rows))
        yield Shard(at, path.name, path, is_eval)


def rows_of(shard: Shard) -> list[Example]:
    if not shard.path.read_text():
        return []
    return [replace(e, source=replace(e.source, file=shard.label)) for e in read_examples(str(shard.path)).examples]


def test_the_reason_why_a_shard_cannot_be_read_survives_pickling(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"x": 1}\n')
    with pytest.raises(DataRefused) as here:
        read_examples(str(path))
    _, seen = read_shard(Shard(0, "rows.jsonl", path, False), AuditRequest(Shingle.W3, None))
    error = pickle.loads(pickled(seen)).error
    assert type(error) is type(here.value) and str(error) == str(here.value)
