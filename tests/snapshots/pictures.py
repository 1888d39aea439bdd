"""Draws the pictures of the README from the recorded run: `python -m tests.snapshots.pictures`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from textual._doc import take_svg_screenshot

from tests.conftest import ROOT
from tests.snapshots.scenes import STEPS, Scene, set_stage

PICTURES = ROOT / "pictures"
SIZE = (100, 30)
SHOWN = {"decide": "decide", "baselines": "baselines", "train": "train-running", "card": "card"}

# Some fonts draw the `<|` of a chat template as one glyph.
LIGATURES = "font-variant-ligatures: none;"


def main() -> None:
    """Writes all pictures."""
    PICTURES.mkdir(exist_ok=True)
    for name, scene in SHOWN.items():
        path = PICTURES / f"{name}.svg"
        path.write_text(picture(STEPS[scene]), encoding="utf-8")
        print(path.relative_to(ROOT))


def picture(scene: Scene) -> str:
    """The scene as SVG."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        set_stage(patch, Path(folder))
        svg = take_svg_screenshot(scene.app(), terminal_size=SIZE, run_before=scene.go)
    return svg.replace("font-family: Fira Code, monospace;", f"font-family: Fira Code, monospace; {LIGATURES}")


if __name__ == "__main__":
    main()
