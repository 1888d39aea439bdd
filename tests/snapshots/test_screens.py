"""Every screen looks as in its snapshot. To update the snapshots: `pytest tests/snapshots --snapshot-update`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.color import blend_rgb
from rich.style import Style
from textual.pilot import Pilot

from tests.contrast import contrast_ratio
from tests.snapshots.record import FINISHED, TRAINING
from tests.snapshots.scenes import DIALOGS, STEPS, WALKS, Look, Scene
from tests.wizard.driving import shown, strips
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.store import RunStore
from tuneproof.tui.widgets.key_line import KeyLine

SMALL, WIDE = (80, 24), (120, 40)
Compare = Callable[..., bool]

LEAST_CONTRAST = 4.5
"""The contrast that WCAG 2.2 requires of text of any size."""


@pytest.mark.parametrize("run", [FINISHED, TRAINING], ids=lambda run: run.name)
def test_all_of_the_recording_can_be_read(run: Path) -> None:
    reader = EventReader(run / "events.jsonl")
    assert len(reader.read()) == len((run / "events.jsonl").read_text(encoding="utf-8").splitlines())
    assert RunStore.open(run).case.name == "support-tickets"


@pytest.mark.parametrize("size", [SMALL, WIDE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("name", STEPS)
def test_a_step(name: str, size: tuple[int, int], stage: Path, snap_compare: Compare) -> None:
    scene = STEPS[name]
    assert snap_compare(scene.app(), terminal_size=size, run_before=_whole_keys_after(scene))


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog(name: str, stage: Path, snap_compare: Compare) -> None:
    scene = DIALOGS[name]
    assert snap_compare(scene.app(), terminal_size=SMALL, run_before=_whole_keys_after(scene))


def _whole_keys_after(scene: Scene) -> Look:
    """Goes to the scene, and checks that every key which works there is in the last line."""

    async def go(pilot: Pilot[None]) -> None:
        await scene.go(pilot)
        drawn, screen = shown(pilot), pilot.app.screen
        for line in screen.query(KeyLine):
            keys = [f"{pilot.app.get_key_display(binding)} {binding.description}" for binding in line.works_now()]
            missing = [key for key in keys if key not in drawn]
            assert not missing, f"{type(screen).__name__}: no room for {missing}"

    return go


def test_a_terminal_without_colour(stage: Path, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    scene = STEPS["baselines"]
    assert snap_compare(scene.app(), terminal_size=SMALL, run_before=scene.go)


def test_a_terminal_that_is_too_small(stage: Path, snap_compare: Compare) -> None:
    scene = STEPS["train-running"]
    assert snap_compare(scene.app(), terminal_size=(60, 20), run_before=scene.go)


@pytest.mark.asyncio
async def test_all_text_has_enough_contrast(stage: Path) -> None:
    walk = WALKS["finished"]
    async with walk.app().run_test(size=SMALL) as pilot:
        await walk.go(pilot, look=_can_be_read)


async def _can_be_read(pilot: Pilot[None]) -> None:
    texts = [(s.text.strip(), contrast(s.style)) for strip in strips(pilot) for s in strip if s.style and any(map(str.isalnum, s.text))]
    faint = {text: round(ratio, 1) for text, ratio in texts if ratio < LEAST_CONTRAST}
    assert not faint, (type(pilot.app.screen).__name__, faint)


def contrast(style: Style) -> float:
    """The contrast ratio of a text, from 1 to 21; of dim text as a terminal that blends it half-way would draw it."""
    assert style.color is not None and style.bgcolor is not None
    text, ground = style.color.get_truecolor(), style.bgcolor.get_truecolor()
    if style.dim:
        text = blend_rgb(ground, text, 0.5)
    return contrast_ratio(text, ground)
