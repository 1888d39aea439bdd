"""Which screen shows which step."""

from __future__ import annotations

from importlib import import_module

from tuneproof.engine.session.steps import WizardStep
from tuneproof.screens.step import StepScreen

SCREENS = {
    WizardStep.DECIDE: ("decide", "DecideScreen"),
    WizardStep.DATA: ("data", "DataScreen"),
    WizardStep.AUDIT: ("audit", "AuditScreen"),
    WizardStep.TASK: ("task", "TaskScreen"),
    WizardStep.BASELINES: ("baselines", "BaselinesScreen"),
    WizardStep.METHOD: ("method", "MethodScreen"),
    WizardStep.TRAIN: ("train", "TrainScreen"),
    WizardStep.CARD: ("card", "CardScreen"),
}


def screen_of(step: WizardStep) -> type[StepScreen]:
    """The screen of a step, imported when it is first wanted."""
    module, name = SCREENS[step]
    screen: type[StepScreen] = getattr(import_module(f"tuneproof.screens.{module}"), name)
    return screen
