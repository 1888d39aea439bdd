"""The step rail: the current step, the steps that are done, and the digit that goes to each."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content

from tuneproof.engine.session.progress import StepStatus
from tuneproof.engine.session.steps import WizardStep
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.memoized_static import MemoizedStatic

OF_STEP = {StepStatus.OPEN: Meaning.WAITING, StepStatus.CHECKED_AGAIN: Meaning.AGAIN, StepStatus.DONE: Meaning.DONE}


class StepRail(MemoizedStatic):
    """One line with all steps; signs mark their status, not only colours."""

    def show(self, current: WizardStep, statuses: Mapping[WizardStep, StepStatus]) -> None:
        """Draws the rail."""
        self.update(rail(current, statuses), layout=False)


def rail(current: WizardStep, statuses: Mapping[WizardStep, StepStatus]) -> Content:
    """The line, 76 cells wide."""
    return Content(" ").join([Content(""), *(_step(step, statuses[step], is_here=step is current) for step in WizardStep)])


def _step(step: WizardStep, status: StepStatus, *, is_here: bool) -> Content:
    if is_here:
        return Content.styled(f"{step.number}{Meaning.RUNNING.sign} {step}", "reverse bold $heading")
    mark = OF_STEP[status]
    name = Content(step.value) if status is not StepStatus.OPEN else Meaning.MUTED.text(step.value)
    return Content.assemble(Meaning.MUTED.text(str(step.number)), mark.text(mark.sign), " ", name)
