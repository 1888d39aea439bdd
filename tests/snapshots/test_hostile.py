"""Text from data is shown and does nothing, whatever it contains."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import OptionList

from tests.snapshots.hostile import ESCAPES, EVERYTHING, MARKUP, NAME, poison_every_text, poison_run, write_case
from tests.snapshots.scenes import DIALOGS, FINISHED_RUN, ON_DRAFT, STEPS, TRAINING_RUN, WALKS, Scene, on_draft, still, until
from tests.wizard.driving import strips
from tuneproof.screens import data as data_screen
from tuneproof.screens.ask import AskChoice, AskLine, AskText
from tuneproof.screens.pick import PickScreen
from tuneproof.screens.reading import ReadingScreen

Compare = Callable[..., bool]

BUTTON = "[@click=app.quit]"

RENAMED = {FINISHED_RUN: Path("runs") / NAME, TRAINING_RUN: Path("runs") / f"{NAME} 2"}

HOSTILE_DIALOGS: list[Callable[[], Screen[Any]]] = [
    lambda: AskLine(NAME, EVERYTHING, NAME, EVERYTHING),
    lambda: AskText(NAME, EVERYTHING, EVERYTHING),
    lambda: AskChoice(NAME, EVERYTHING, [(NAME, EVERYTHING)]),
    lambda: ReadingScreen(NAME, EVERYTHING),
    lambda: PickScreen(NAME, (".yaml",)),
]


@pytest.fixture
def hostile_stage(stage: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stage with a hostile case on it, and runs with hostile text in every file."""
    write_case(stage)
    for run in RENAMED:
        poison_run(run)
    # The folder of the test differs from run to run.
    monkeypatch.setattr(data_screen, "named_files", lambda examples: f"/data/{Path(examples).name}")
    return stage


@pytest.mark.parametrize("name", ["data", "audit", "failures"])
def test_hostile_data_looks_harmless(name: str, hostile_stage: Path, snap_compare: Compare) -> None:
    scene = {**DIALOGS, **ON_DRAFT}[name]
    assert snap_compare(scene.app(), terminal_size=(80, 24), run_before=scene.go)


def test_both_rows_of_a_conflict_are_side_by_side(hostile_stage: Path, snap_compare: Compare) -> None:
    scene = ON_DRAFT["conflict"]
    assert snap_compare(scene.app(), terminal_size=(120, 40), run_before=scene.go)


@pytest.mark.asyncio
@pytest.mark.parametrize("name", WALKS)
async def test_hostile_text_does_nothing(name: str, hostile_stage: Path) -> None:
    await _walk(WALKS[name])


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["home", "finished", "training"])
async def test_a_hostile_folder_with_hostile_texts_does_nothing(name: str, hostile_stage: Path) -> None:
    for run, path in RENAMED.items():
        poison_every_text(run)
        run.rename(path)
    walk = WALKS[name]
    await _walk(replace(walk, opens=RENAMED[walk.opens]) if walk.opens else walk)


@pytest.mark.asyncio
async def test_hostile_text_in_a_dialog_does_nothing(hostile_stage: Path) -> None:
    (hostile_stage / f"{NAME}.yaml").touch()
    home = STEPS["home"]
    async with home.app().run_test(size=(80, 24)) as pilot:
        await home.go(pilot)
        for dialog in HOSTILE_DIALOGS:
            await pilot.app.push_screen(dialog())
            await still(pilot)
            await check(pilot)


@pytest.mark.long
@pytest.mark.asyncio
async def test_a_task_with_hostile_labels_does_nothing(stage: Path) -> None:
    """On its step, and in the dialog of each of its fields."""
    rows = [{f"ask {NAME}": f"Where is {number}? {EVERYTHING}", "tell": f"{NAME}{number % 3}", MARKUP: NAME} for number in range(60)]
    (stage / "tickets.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    output = {"kind": "choice", "choices": [f"{NAME}{number}" for number in range(3)]}
    case = {
        "name": f"{NAME} {ESCAPES}",
        "decision": {"private_facts": False, "format_drift": True, "stable_task": True},
        "task": {"instruction": EVERYTHING, "output": output},
        "data": {"examples": "tickets.jsonl", "columns": {"input": f"ask {NAME}", "output": "tell"}, "split": {"group_by": MARKUP}},
    }
    (stage / "tickets.yaml").write_text(yaml.safe_dump(case), encoding="utf-8")
    scene = on_draft(("3", "AuditScreen"), ("4", "TaskScreen"))
    async with scene.app().run_test(size=(80, 24), notifications=True) as pilot:
        await scene.go(pilot, look=check)
        form, listed = pilot.app.screen, pilot.app.screen.query_one("#form", OptionList)
        for row in range(listed.option_count):
            await pilot.press("home", *["down"] * row, "enter")
            await until(pilot, lambda: pilot.app.screen is not form)
            await still(pilot)
            await check(pilot)
            await pilot.press("escape")
            await until(pilot, lambda: pilot.app.screen is form)
        assert pilot.app.is_running


async def _walk(scene: Scene) -> None:
    async with scene.app().run_test(size=(80, 24)) as pilot:
        await scene.go(pilot, look=check)
        await _click_on_markup(pilot)
        assert pilot.app.is_running and pilot.app.return_code is None


async def check(pilot: Pilot[None]) -> None:
    """Nothing that is drawn acts on the terminal, or is a link or a button."""
    drawn, screen = strips(pilot), type(pilot.app.screen).__name__
    assert not [(screen, strip.text) for strip in drawn if any(map(_is_control, strip.text))]
    styles = [segment.style for strip in drawn for segment in strip if segment.style]
    assert not [(screen, style) for style in styles if style.link or "app.quit" in str(style.meta)]


async def _click_on_markup(pilot: Pilot[None]) -> None:
    """Clicks on the text that would be a button if markup were parsed; that may open or highlight its row."""
    for y, strip in enumerate(strips(pilot)):
        at = strip.text.find(BUTTON)
        if at >= 0:
            await pilot.click(offset=(at + len(BUTTON), y))


def _is_control(character: str) -> bool:
    """Whether a terminal would do anything but draw it."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
