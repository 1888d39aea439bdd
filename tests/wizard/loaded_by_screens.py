"""Opens a new case in the wizard with every screen imported, then prints the heavy libraries that this loaded.

`python -m tests.wizard.loaded_by_screens`, in a process of its own and in an empty folder.
"""

from __future__ import annotations

import asyncio
import importlib
import sys

from tuneproof.engine.session.steps import WizardStep
from tuneproof.screens.steps import screen_of
from tuneproof.tui.app import TuneproofApp

HEAVY = ("torch", "transformers", "datasets", "trl", "peft", "accelerate")
DIALOGS = ("ask", "case_file", "columns", "failures", "key_dialogs", "pick", "quit", "reading", "task_dialogs", "trace")


async def answer_questions() -> str:
    """Answers the questions of a new case, and returns the name of the screen that is shown then."""
    app = TuneproofApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n", *"a", "enter", "n", "y", "y", "9", "9")
        await pilot.pause()
        return type(app.screen).__name__


if __name__ == "__main__":
    for name in DIALOGS:
        importlib.import_module(f"tuneproof.screens.{name}")
    for step in WizardStep:
        screen_of(step)
    print(asyncio.run(answer_questions()), "loaded", *(name for name in HEAVY if name in sys.modules))
