"""The step rail: the current step, the steps that are done, and the digit that goes to each."""

from __future__ import annotations

from collections.abc import Collection

from textual.content import Content

from tuneproof.engine.session.steps import WizardStep
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.memoized_static import MemoizedStatic


class StepRail(MemoizedStatic):
    """One line with all steps; signs mark their status, not only colours."""

    def show(self, current: WizardStep, done: Collection[WizardStep]) -> None:
        """Draws the rail."""
        self.update(rail(current, done), layout=False)


def rail(current: WizardStep, done: Collection[WizardStep]) -> Content:
    """The line, 76 cells wide."""
    return Content(" ").join([Content(""), *(_step(step, is_here=step is current, is_done=step in done) for step in WizardStep)])


def _step(step: WizardStep, *, is_here: bool, is_done: bool) -> Content:
    if is_here:
        return Content.styled(f"{step.number}{Meaning.RUNNING.sign} {step}", "reverse bold $heading")
    status = Meaning.DONE if is_done else Meaning.WAITING
    name = Content(step.value) if is_done else Meaning.MUTED.text(step.value)
    return Content.assemble(Meaning.MUTED.text(str(step.number)), status.text(status.sign), " ", name)
