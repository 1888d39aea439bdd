"""A whole case asks no other machine for anything: no library reports its use, and nothing is looked up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import ROOT, sample_case, set_options, tuneproof
from tuneproof.engine.core.telemetry import OFF

DECIDES_TELEMETRY = ("CI", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "DISABLE_TELEMETRY", *OFF)
"""Variables that would turn telemetry off in this test, and are not set on a user's machine."""


@pytest.mark.long
@pytest.mark.parametrize("processes", [1, 2])
def test_a_case_with_a_training_asks_no_other_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    for name in DECIDES_TELEMETRY:
        monkeypatch.delenv(name, raising=False)
    asked = tmp_path / "asked"
    asked.touch()
    path = os.pathsep.join([str(ROOT / "tests" / "no_network"), os.environ.get("PYTHONPATH", "")])
    quick = set_options("training.max_steps=2", "training.probe_cases=2", "baselines=[zero_shot]", f"training.processes={processes}")
    env = {"PYTHONPATH": path, "TUNEPROOF_TEST_NETWORK_LOG": str(asked)}
    result = tuneproof("--replay", sample_case(), "--run-dir", tmp_path / "run", *quick, env=env)
    assert result.code == 0, result.err
    assert asked.read_text().splitlines() == []
