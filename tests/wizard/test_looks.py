"""What stays in sight: the GPU of a training, the status line under notices, and the size notice only where it is true."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from textual.widgets._toast import Toast

from tests.snapshots.scenes import STEPS
from tests.wizard.driving import picture, until, until_shown
from tuneproof.engine.core import hardware
from tuneproof.engine.core.hardware import Gpu
from tuneproof.screens import train
from tuneproof.tui.widgets.key_line import KeyLine


@pytest.mark.asyncio
async def test_the_use_temperature_and_memory_of_the_gpu_are_live_while_a_training_runs(
    stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [Gpu("H200", total_gib=139.0, free_gib=97.8, utilization=97, celsius=62)]
    monkeypatch.setattr(hardware, "first_gpu", lambda: now[-1])
    monkeypatch.setattr(train, "GPU_SECONDS", 0.05)
    scene = STEPS["train-running"]
    async with scene.app().run_test(size=(80, 24)) as pilot:
        await scene.go(pilot)
        await until_shown(pilot, "GPU 97 % 62 °C", "41.2 of 139 GiB")
        now.append(Gpu("H200", total_gib=139.0, free_gib=3.5, utilization=99, celsius=88))
        await until_shown(pilot, "GPU 99 % ▲ 88 °C", "135.5 of 139 GiB", "checkpoint 24 is saved")


@pytest.mark.asyncio
async def test_a_notice_covers_neither_the_status_nor_the_keys_and_the_size_notice_goes_as_the_terminal_grows(stage: Path) -> None:
    scene = STEPS["baselines"]
    async with scene.app().run_test(size=(60, 20), notifications=True) as pilot:
        await scene.go(pilot)
        await until_shown(pilot, "smaller than 80×24")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "smaller than" not in picture(pilot), "no size notice")
        pilot.app.notify("the data cannot be read: " + "so it is " * 30, severity="error", markup=False)
        await until(pilot, lambda: bool(pilot.app.screen.query(Toast)), "the notice")
        toast = pilot.app.screen.query_one(Toast).region
        assert toast.area
        for below in (pilot.app.screen.query_one("#status"), pilot.app.screen.query_one(KeyLine)):
            assert not toast.overlaps(below.region)


def test_the_first_screen_waits_for_no_library_that_only_a_case_needs() -> None:
    code = "import sys, tuneproof.tui.app; print(*{'pydantic', 'psutil', 'numpy', 'yaml'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []
