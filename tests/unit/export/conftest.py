"""A recorded run with a tuned model, as the source of exports."""

from __future__ import annotations

import shutil

import pytest

from tests.replay.test_earlier_version import RECORDED
from tuneproof.engine.export.source import ExportSource
from tuneproof.engine.run.store import RunStore


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> ExportSource:
    """A run of an earlier version with ten frozen cases. Do not change it."""
    return ExportSource.open(RunStore(shutil.copytree(RECORDED, tmp_path_factory.mktemp("export") / "run")))
