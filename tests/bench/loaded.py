"""The heavy libraries that the wizard has imported on its home screen and at the first step: `python -m tests.bench.loaded`."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time

HEAVY = ("torch", "transformers", "datasets", "trl", "peft", "accelerate", "pandas", "numpy", "pyarrow", "scipy", "pynvml", "textual_plot")


def loaded() -> str:
    """The names of the heavy libraries that are imported, joined by commas."""
    return ", ".join(name for name in HEAVY if name in sys.modules) or "none"


async def walk() -> None:
    """Home, then a new case up to the questions."""
    from tuneproof.tui.app import TuneproofApp

    app = TuneproofApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        print(f"home painted: {loaded()} of {', '.join(HEAVY)}")
        await pilot.press("n", *"bench", "enter")
        until = time.monotonic() + 10
        while type(app.screen).__name__ != "DecideScreen" and time.monotonic() < until:
            await pilot.pause(0.05)
        print(f"{type(app.screen).__name__} painted: {loaded()}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        asyncio.run(walk())
        os.chdir("/")


if __name__ == "__main__":
    main()
