"""What the screens may ask of the app, so that they need not import it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.state import RunState
from tuneproof.engine.session.case_session import CaseSession
from tuneproof.engine.session.next_runs import NextRun
from tuneproof.engine.session.steps import WizardStep


class Wizard(Protocol):
    """The app as its screens see it."""

    session: CaseSession | None
    state: RunState
    dry_run_state: RunState
    machine_line: str
    is_tour: bool
    """Whether a sentence at each step explains the sample case."""

    def go_to(self, step: WizardStep) -> None:
        """Shows a step, or a warning with the reason why it is not open yet."""

    def open_case(self, path: Path, *, copy: bool = False) -> None:
        """Opens a case file; with `copy`, a copy of it in the current folder."""

    def open_run(self, path: Path) -> None:
        """Opens a run folder and follows the run."""

    def start_tour(self) -> None:
        """Opens a new copy of a sample case, with a sentence at each step."""

    def new_case(self, name: str) -> None:
        """Starts a new case."""

    def start_dry_run(self) -> None:
        """Reads and audits the data of the draft as it is now."""

    def freeze(self) -> None:
        """Creates the run: the eval set is written and hashed, and cannot change from then on."""

    def start_worker(self, until: Stage) -> bool:
        """Starts the worker of the run up to a stage. Returns whether it was started."""

    def stop_run(self) -> None:
        """Asks the worker to stop at the next safe point."""

    def leave_running(self) -> None:
        """Leaves the wizard while the run continues."""

    def start_new_run(self) -> None:
        """Leaves the frozen run as it is, so that answers and data can change again."""

    def start_next_run(self, chosen: NextRun) -> None:
        """Leaves the frozen run as it is, and prepares a run in which one value is another."""
