"""Which screen shows which step."""

from __future__ import annotations

from importlib import import_module

from tuneproof.engine.session.steps import Step
from tuneproof.screens.step import StepScreen

SCREENS = {
    Step.DECIDE: ("decide", "DecideScreen"),
    Step.DATA: ("data", "DataScreen"),
    Step.AUDIT: ("audit", "AuditScreen"),
    Step.TASK: ("task", "TaskScreen"),
    Step.BASELINES: ("baselines", "BaselinesScreen"),
    Step.METHOD: ("method", "MethodScreen"),
    Step.TRAIN: ("train", "TrainScreen"),
    Step.CARD: ("card", "CardScreen"),
}


def screen_of(step: Step) -> type[StepScreen]:
    """The screen of a step, imported when it is first wanted."""
    module, name = SCREENS[step]
    screen: type[StepScreen] = getattr(import_module(f"tuneproof.screens.{module}"), name)
    return screen
