"""A recorded run with a tuned model, as the source of exports."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tuneproof.engine.export.source import ExportSource
from tuneproof.engine.run.store import RunStore


@pytest.fixture(scope="session")
def source() -> ExportSource:
    """The recorded run of the sample case: its answers and its base, without the weights that were trained."""
    return ExportSource(RunStore(ROOT / "tests/snapshots/recorded/support-tickets-1"))
