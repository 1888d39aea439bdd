"""The step rail: the current step, the steps that are done, and the digit that goes to each."""

from __future__ import annotations

from collections.abc import Collection

from textual.content import Content

from tuneproof.engine.session.steps import WizardStep
from tuneproof.tui.widgets.memoized_static import MemoizedStatic

DONE, HERE, OPEN = "✓", "●", "○"


class StepRail(MemoizedStatic):
    """One line with all steps; signs mark their status, not only colours."""

    def show(self, current: WizardStep, done: Collection[WizardStep]) -> None:
        """Draws the rail."""
        self.update(rail(current, done), layout=False)


def rail(current: WizardStep, done: Collection[WizardStep]) -> Content:
    """The line, 72 cells wide."""
    parts = []
    for step in WizardStep:
        mark = HERE if step is current else DONE if step in done else OPEN
        style = "reverse bold" if step is current else "" if step in done else "dim"
        parts.append(Content.styled(f"{step.number}{mark}{step}", style))
    return Content(" ").join([Content(""), *parts])
