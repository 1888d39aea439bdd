"""The screens of the steps, which the app keeps while a case is open: showing one again takes half the time of making it."""

from __future__ import annotations

from typing import Any

from textual.app import App

from tuneproof.engine.session.steps import WizardStep

IDLE_SECONDS = 0.2


def installed_screen(app: App[Any], step: WizardStep) -> str:
    """The name under which the app has the screen of a step; the screen is made if the app does not have it yet."""
    from tuneproof.screens.steps import screen_of

    if not app.is_screen_installed(step.value):
        app.install_screen(screen_of(step)(), step.value)
    return step.value


def remove_step_screens(app: App[Any]) -> None:
    """Removes the screens of the steps, so that the next case gets new ones."""
    for step in WizardStep:
        if app.is_screen_installed(step.value):
            screen = app.get_screen(step.value)
            app.uninstall_screen(screen)
            if screen.is_attached and screen not in app.screen_stack:
                screen.remove()


def import_while_idle(app: App[Any], steps: list[WizardStep]) -> None:
    """Imports the screens of the steps one by one between keys, so that the first visit to each is quick."""
    from tuneproof.screens.steps import screen_of

    if steps:
        first, *rest = steps
        screen_of(first)
        app.set_timer(IDLE_SECONDS, lambda: import_while_idle(app, rest))
