"""The fixture of all snapshots: a current folder with the recorded runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.snapshots.scenes import set_stage


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The current folder, with the recorded runs in it."""
    return set_stage(monkeypatch, tmp_path)
