"""The audit step shows what a user needs for each kind of finding: both rows, masked data, the reason, or that there are no rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.snapshots.findings import KEY, write_dirty_case
from tests.snapshots.scenes import ON_DRAFT, Scene, app_of, still, until
from tests.wizard.driving import strips
from tuneproof.screens import data as data_screen

Compare = Callable[..., bool]

KINDS = ("near-leakage", "private-data", "imbalance")
"""With two rows, with masked data, and about the data as a whole."""


@pytest.fixture
def dirty_stage(stage: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_dirty_case(stage)
    monkeypatch.setattr(data_screen, "named_files", lambda examples: f"/data/{Path(examples).name}")
    return stage


async def mark(pilot: Pilot[None], check: str) -> None:
    """Highlights the finding of a check with the keys."""
    listed = pilot.app.screen.query_one("#findings", OptionList)
    lines = [str(listed.get_option_at_index(at).prompt) for at in range(listed.option_count)]
    at = next(number for number, line in enumerate(lines) if f" {check} " in line)
    await pilot.press("home", *["down"] * at)
    await until(pilot, lambda: listed.highlighted == at)
    await still(pilot)


@pytest.mark.parametrize("check", KINDS)
def test_a_kind_of_finding(check: str, dirty_stage: Path, snap_compare: Compare) -> None:
    scene: Scene = ON_DRAFT["audit"]

    async def go(pilot: Pilot[None]) -> None:
        await scene.go(pilot)
        await mark(pilot, check)

    assert snap_compare(scene.app(), terminal_size=(80, 24), run_before=go)


@pytest.mark.asyncio
async def test_no_finding_shows_a_key_whole_and_one_without_rows_cannot_be_left_out(dirty_stage: Path) -> None:
    scene = ON_DRAFT["audit"]
    async with scene.app().run_test(size=(120, 40), notifications=True) as pilot:
        await scene.go(pilot)
        report = app_of(pilot).session.report  # type: ignore[union-attr]
        assert report is not None and {*KINDS, "secret", "conflict"} <= {finding.check for finding in report.findings}
        for check in dict.fromkeys(finding.check for finding in report.findings):
            await mark(pilot, check)
            drawn = "".join(strip.text for strip in strips(pilot))
            assert KEY not in drawn and "ann.smith" not in drawn
        assert KEY not in report.model_dump_json() and "ann.smith" not in report.model_dump_json()
        await mark(pilot, "imbalance")
        await pilot.press("x")
        await until(pilot, lambda: any("imbalance has no rows" in strip.text for strip in strips(pilot)))
