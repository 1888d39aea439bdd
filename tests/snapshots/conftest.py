"""What the pictures share: the folder that the program stands in, with the recorded runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.snapshots.scenes import set_stage


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder that the program stands in."""
    return set_stage(monkeypatch, tmp_path)
