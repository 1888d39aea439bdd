"""A snapshot of a run reads each file once, and sees what is wrong with it as the run folder itself does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tuneproof.engine.case.schema import Case, DecisionAnswers
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.split import Part, SplitParts
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.store import MANIFEST, RunStore


class CountingStore(RunStore):
    """A run folder that counts how often each file is read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.reads: Counter[str] = Counter()

    def read(self, name: str) -> str:
        self.reads[name] += 1
        return super().read(name)


@pytest.fixture
def store(tmp_path: Path) -> CountingStore:
    """A run with a frozen split of one row each."""
    answers = DecisionAnswers(private_facts=False, format_drift=True, stable_task=True)
    made = RunStore.create(tmp_path / "run", Case(name="tickets", decision=answers))
    rows = {part: [Example("", f"{part} input", "output", Source("rows.jsonl", line))] for line, part in enumerate(Part)}
    made.write_parts(Inputs(), SplitParts(rows[Part.TRAIN], rows[Part.VALIDATION], rows[Part.EVAL], []))
    return CountingStore(made.path)


def test_each_file_is_read_once(store: CountingStore) -> None:
    snapshot = RunSnapshot(store)
    for _ in range(3):
        assert [example.input for _, example in snapshot.part(Part.EVAL)] == ["eval input"]
        assert snapshot.manifest == snapshot.manifest and snapshot.digest("splits/eval.jsonl") == snapshot.check("splits/eval.jsonl")
    assert store.reads == {MANIFEST: 1, "splits/eval.jsonl": 1}


def test_a_frozen_part_that_was_changed_is_refused(store: CountingStore) -> None:
    (store.path / "splits" / "train.jsonl").write_text("")
    with pytest.raises(GateClosed, match="the file is not what the run wrote"):
        RunSnapshot(store).part(Part.TRAIN)
