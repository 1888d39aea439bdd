"""Pages in headless Chromium: pictures of them, and what axe-core says of their accessibility."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")

NARROWEST = 500
"""Pixels: Chromium makes no window narrower than this, so that a page for a phone is shown in a frame."""

TALLEST = 16_000
"""Pixels of a page that a picture can have."""

BELOW = 40
"""Pixels of paper that a picture keeps below the last line."""

MILLISECONDS = 30_000
"""Time that a page has, by its own clock."""

SERIOUS = ("serious", "critical")


def browser() -> str | None:
    """The command of an installed Chromium; None if there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def axe_core() -> Path | None:
    """The script of axe-core: the file that TUNEPROOF_AXE names, or the one of `npm install --no-save axe-core`; None if there is none."""
    named = os.environ.get("TUNEPROOF_AXE")
    path = Path(named) if named else ROOT / "node_modules" / "axe-core" / "axe.min.js"
    return path if path.is_file() else None


@dataclass(frozen=True)
class View:
    """How a page is looked at."""

    width: int
    dark: bool

    @property
    def name(self) -> str:
        """The part of a file name that tells it from the others."""
        return f"{self.width}-{'dark' if self.dark else 'light'}"


VIEWS = tuple(View(width, dark) for width in (390, 1280) for dark in (False, True))


def photograph(page: Path, view: View, target: Path, *, most: int = TALLEST) -> None:
    """Writes a PNG of the page, of its first `most` pixels, in few colours so that it is small."""
    import numpy as np
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder) / "taken.png"
        _run(_framed(page.read_text(encoding="utf-8"), view, Path(folder), most), view, most, f"--screenshot={taken}")
        picture = Image.open(taken).convert("RGB").crop((0, 0, view.width, most))
    pixels = np.asarray(picture).astype(int)
    written = np.flatnonzero((abs(pixels - pixels[-1, 0]).sum(axis=2) > 0).any(axis=1))
    height = min(int(written[-1]) + BELOW, most)
    target.parent.mkdir(parents=True, exist_ok=True)
    picture.crop((0, 0, view.width, height)).quantize(48, dither=Image.Dither.NONE).save(target, optimize=True)


def serious_findings(page: str, view: View, axe: Path) -> list[str]:
    """What axe-core finds in the page with everything unfolded, and calls serious or critical: rule, element and reason."""
    with tempfile.TemporaryDirectory() as folder:
        script = f"""<script>{axe.read_text(encoding="utf-8")}</script><script>
            addEventListener("load", () => {{
                document.querySelectorAll("details").forEach(each => each.open = true);
                axe.run().then(found => parent.document.title = JSON.stringify([found.passes.length, found.violations]));
            }})</script></body>"""
        allowed = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page).replace("</body>", script)
        printed = _run(_framed(allowed, view, Path(folder), TALLEST), view, TALLEST, f"--virtual-time-budget={MILLISECONDS}", "--dump-dom")
    found = re.search(r"<title>(.*?)</title>", printed, re.DOTALL)
    if found is None:
        raise RuntimeError("axe-core has not come to an end")
    passed, violations = json.loads(html.unescape(found[1]))
    assert passed, "axe-core has looked at nothing"
    return _described(violations)


def _described(violations: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"{each['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for each in violations
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


def _framed(page: str, view: View, folder: Path, height: int) -> Path:
    """A page that shows another one in a frame of the width of the view."""
    path = folder / "framed.html"
    size = f"border: 0; width: {view.width}px; height: {height}px"
    path.write_text(f'<body style="margin: 0"><iframe style="{size}" srcdoc="{html.escape(page)}"></iframe>', encoding="utf-8")
    return path


def _run(path: Path, view: View, height: int, *options: str) -> str:
    command = browser()
    if command is None:
        raise FileNotFoundError(f"none of {', '.join(BROWSERS)} is installed")
    # 0 is dark, 1 is light.
    theme = f"--blink-settings=preferredColorScheme={0 if view.dark else 1}"
    size = f"--window-size={max(view.width, NARROWEST)},{height}"
    done = subprocess.run(
        [command, *OPTIONS, theme, size, *options, path.as_uri()], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout
