"""Draws the pictures of the documentation from the recorded run: `python -m tests.snapshots.pictures`.

With `--all FOLDER`, all steps in both sizes and both themes instead, to be looked at: as SVG and, where Chromium is installed, as PNG.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pytest
from textual._doc import take_svg_screenshot

from tests.conftest import ROOT
from tests.snapshots.browser import BROWSERS, OPTIONS, browser
from tests.snapshots.scenes import STEPS, Scene, set_stage
from tuneproof.tui.theme_choice import SHORT_NAMES, VARIABLE

PICTURES = ROOT / "pictures"
SIZE = (100, 30)
SHOWN = {"decide": "decide", "baselines": "baselines", "train": "train-running", "card": "card"}
SIZES = ((80, 24), (120, 40))

# Some fonts draw the `<|` of a chat template as one glyph.
LIGATURES = "font-variant-ligatures: none;"


def main() -> None:
    """Writes the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", metavar="FOLDER", type=Path, help="draw all steps, sizes and themes into this folder")
    folder: Path | None = parser.parse_args().all
    if folder is None:
        draw_documentation()
    else:
        write_png(draw_all(folder))


def draw_documentation() -> None:
    """Writes the pictures of the documentation."""
    PICTURES.mkdir(exist_ok=True)
    for name, scene in SHOWN.items():
        path = PICTURES / f"{name}.svg"
        path.write_text(picture(STEPS[scene], SIZE, "dark"), encoding="utf-8")
        print(path.relative_to(ROOT))


def draw_all(folder: Path) -> list[Path]:
    """Writes every step in both sizes and both themes, and returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for (name, scene), (columns, rows), theme in product(STEPS.items(), SIZES, SHORT_NAMES):
        path = folder / f"{name}-{columns}x{rows}-{theme}.svg"
        path.write_text(picture(scene, (columns, rows), theme), encoding="utf-8")
        drawn.append(path)
        print(path)
    return drawn


def picture(scene: Scene, size: tuple[int, int], theme: str) -> str:
    """The scene as SVG."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        set_stage(patch, Path(folder))
        patch.setenv(VARIABLE, theme)
        svg = take_svg_screenshot(scene.app(), terminal_size=size, run_before=scene.go)
    return svg.replace("font-family: Fira Code, monospace;", f"font-family: Fira Code, monospace; {LIGATURES}")


def write_png(pictures: Iterable[Path]) -> None:
    """Writes a PNG beside each picture; says so if there is no browser for it."""
    command = browser()
    if command is None:
        print(f"no PNG: none of {', '.join(BROWSERS)} is installed")
        return
    for path in pictures:
        width, height = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', path.read_text(encoding="utf-8"))[0])
        window = f"--window-size={int(width)},{int(height)}"
        target = path.with_suffix(".png")
        subprocess.run([command, *OPTIONS, window, f"--screenshot={target}", path.as_uri()], capture_output=True, check=True)


if __name__ == "__main__":
    main()
