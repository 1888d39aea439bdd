"""What the screens can ask of the app, so that they need not know it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.state import RunState
from tuneproof.engine.session.steps import Step
from tuneproof.engine.session.workbench import Workbench


class Wizard(Protocol):
    """The app as its screens see it."""

    session: Workbench | None
    state: RunState
    dry_run_state: RunState
    machine_line: str

    def go_to(self, step: Step) -> None:
        """Goes to a step, or says why that cannot be yet."""

    def open_case(self, path: Path, *, copy: bool = False) -> None:
        """Opens a case file; `copy` for a case that is not one's own."""

    def open_run(self, path: Path) -> None:
        """Opens a run folder and follows it."""

    def new_case(self, name: str) -> None:
        """Begins a case."""

    def start_dry_run(self) -> None:
        """Reads and audits the data of the draft as it stands."""

    def freeze(self) -> None:
        """Makes the run: the eval set is written, hashed, and can no longer change."""

    def go_on(self, until: Stage) -> bool:
        """Starts the run's worker up to a stage; whether that could be."""

    def stop_run(self) -> None:
        """Asks the worker to stop at the next safe place."""

    def leave_running(self) -> None:
        """Leaves the wizard and not the run."""

    def start_anew(self) -> None:
        """Lays the run aside, so that answers and data can be changed."""
