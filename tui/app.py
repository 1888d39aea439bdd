"""The app: the shown screen, the open case with its run, and the keys that work on every screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import ModalScreen, Screen

from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.session.steps import WizardStep
from tuneproof.screens.home import HomeScreen
from tuneproof.tui.error_toast import ErrorToast
from tuneproof.tui.farewell import farewell, shell_word
from tuneproof.tui.run_feeds import RunFeeds
from tuneproof.tui.step_screens import import_while_idle, installed_screen, remove_step_screens
from tuneproof.tui.themed_app import ThemedApp
from tuneproof.tui.widgets.sanitize import sanitize

if TYPE_CHECKING:
    from tuneproof.engine.run.state import RunState
    from tuneproof.engine.session.case_session import CaseSession
    from tuneproof.engine.session.next_runs import NextRun

MACHINE_SECONDS = 10.0


class TuneproofApp(ThemedApp):
    """The wizard; `screens.wizard.Wizard` says what a screen may ask of it."""

    TITLE = "tuneproof"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-normal"), (120, "-wide")]  # noqa: RUF012  Textual types it as of the instance
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-tall"), (32, "-roomy")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "Quit"),
        Binding("question_mark,f1", "help", "Help", key_display="?"),
        Binding("h", "home", "Home", show=False),
        Binding("ctrl+z", "suspend_process", show=False),
        Binding("ctrl+q", "leave", show=False, priority=True),
        *(Binding(str(step.number), f"step({step.number})", show=False) for step in WizardStep),
    ]

    def __init__(self, opens: Path | None = None) -> None:
        super().__init__()
        self.session: CaseSession | None = None
        self.machine_line = ""
        self.is_tour = False
        self.farewell: str | None = None
        self._opens = opens
        self._feeds = RunFeeds(self, self._post_to_steps)

    @property
    def state(self) -> RunState:
        """The state of the run of the open case; a new state if there is no run."""
        return self._feeds.run_state

    @property
    def dry_run_state(self) -> RunState:
        """The state of the dry run of the draft; a new state if there is no dry run."""
        return self._feeds.dry_run_state

    def on_mount(self) -> None:
        home = HomeScreen()
        self.push_screen(home)
        self.call_after_refresh(self._after_first_paint, home)

    def _after_first_paint(self, home: HomeScreen) -> None:
        """Does what the first screen does not need: opens the case, reads the recent runs, looks at the machine."""
        if self._opens is not None:
            self._open(self._opens)
        home.action_read_runs()
        self._look_at_machine()
        self.set_interval(MACHINE_SECONDS, self._look_at_machine)

    def on_unmount(self) -> None:
        self._close_case()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield from super().get_system_commands(screen)
        yield SystemCommand("Home", "New case, open a case, recent runs", self.action_home)
        if self.session is not None:
            yield SystemCommand("Case file", "Every key of the case, with its value and what it means", self.show_case_file)
            yield SystemCommand("Plan", "What to do and why, what it takes, and what it can show", self.show_plan)
            for step in WizardStep:
                yield SystemCommand(f"Go to {step}", f"Step {step.number} of the case", lambda step=step: self.go_to(step))

    # Opening and closing a case.

    def open_case(self, path: Path, *, copy: bool = False) -> None:
        from tuneproof.engine.case.draft import Draft
        from tuneproof.engine.run.store import MANIFEST
        from tuneproof.engine.session.case_session import CaseSession
        from tuneproof.engine.session.sample_cases import is_sample_case

        if (path.parent / MANIFEST).is_file():
            # The case of a run is part of its evidence: nothing writes to it.
            self.open_run(path.parent)
            return
        with ErrorToast(self, "Open"):
            self._show_case(CaseSession.of_case(Draft.open_copy(path, Path.cwd()) if copy or is_sample_case(path) else Draft.open(path)))

    def open_run(self, path: Path) -> None:
        from tuneproof.engine.session.case_session import CaseSession

        with ErrorToast(self, "Open"):
            self._show_case(CaseSession.of_run(path))

    def start_tour(self) -> None:
        from tuneproof.engine.case.draft import Draft
        from tuneproof.engine.session.case_session import CaseSession
        from tuneproof.engine.session.sample_cases import SAMPLE_CASES, TOUR

        with ErrorToast(self, "Tour"):
            sample = Draft.open(next(each.path for each in SAMPLE_CASES if each.name == TOUR))
            # A case file of its own, so that the tour begins at its beginning although the sample was opened before.
            draft = Draft.copy_to(sample, Path.cwd())
            draft.save()
            self._show_case(CaseSession(draft), first=WizardStep.DECIDE, is_tour=True)

    def new_case(self, name: str) -> None:
        from tuneproof.engine.case.draft import Draft
        from tuneproof.engine.session.case_session import CaseSession

        with ErrorToast(self, "New case"):
            self._show_case(CaseSession(Draft.new(Path.cwd(), name)))

    def _open(self, path: Path) -> None:
        if path.is_dir():
            self.open_run(path)
        else:
            self.open_case(path)

    def _show_case(self, session: CaseSession, first: WizardStep | None = None, *, is_tour: bool = False) -> None:
        """Closes the open case, opens another, and goes to a step: to the first that is not done if none is named."""
        self._close_case()
        remove_step_screens(self)
        self.session, self.is_tour = session, is_tour
        if session.store is not None:
            self._feeds.follow_run(session.store.path, catch_up=True)
        elif not session.draft.unanswered() and session.draft.content.data is not None:
            self.start_dry_run()
        self.go_to(first or self._first_step(session))
        import_while_idle(self, list(WizardStep))

    def _first_step(self, session: CaseSession) -> WizardStep:
        from tuneproof.engine.session.progress import current_step

        step = current_step(session, self.state)
        if session.draft.content.data is None:
            return WizardStep.DECIDE
        # The dry run has only just started: the audit has nothing to show yet.
        return WizardStep.DATA if step in (WizardStep.AUDIT, WizardStep.TASK) and not session.is_frozen else step

    def _close_case(self) -> None:
        """Stops following, and discards the dry run; a run continues."""
        self._feeds.stop()
        if self.session is not None:
            self.session.end_dry_run()
        self.session = None
        self.is_tour = False

    # Moving between screens.

    def go_to(self, step: WizardStep) -> None:
        if self.session is None:
            return
        from tuneproof.engine.session.progress import why_not_enter

        refused = why_not_enter(self.session, step, self.state, self.dry_run_state)
        if refused:
            self.notify(f"{step}: {refused}", severity="warning", markup=False)
            return
        from tuneproof.screens.steps import screen_of

        self._close_dialogs()
        if isinstance(self.screen, screen_of(step)):
            return
        name = installed_screen(self, step)
        if isinstance(self.screen, HomeScreen):
            self.push_screen(name)
        else:
            self.switch_screen(name)

    def action_step(self, number: int) -> None:
        self.go_to(list(WizardStep)[number - 1])

    def action_home(self) -> None:
        self._close_dialogs()
        if not isinstance(self.screen, HomeScreen):
            self._close_case()
            self.pop_screen()
            remove_step_screens(self)

    def action_help(self) -> None:
        from tuneproof.screens.reading import HelpScreen

        if isinstance(self.screen, HelpScreen):
            return
        # A dialog explains itself, and then the step that it was opened from.
        texts = [text for screen in reversed(self.screen_stack) if (text := getattr(screen, "HELP_TEXT", ""))]
        steps = [step for screen in self.screen_stack if (step := getattr(screen, "STEP", None))]
        title = steps[-1] if steps else "Home"
        shown = texts if isinstance(self.screen, ModalScreen) else texts[:1]
        self.push_screen(HelpScreen(str(title), "\n\n".join(shown[:2])))

    def show_case_file(self) -> None:
        """Shows every key of the case file, over the step that is open."""
        from tuneproof.screens.step import StepScreen

        self._close_dialogs()
        if isinstance(self.screen, StepScreen):
            self.screen.action_case_file()

    def show_plan(self) -> None:
        """Shows the plan of the case, over the step that is open."""
        from tuneproof.screens.step import StepScreen

        self._close_dialogs()
        if isinstance(self.screen, StepScreen):
            self.screen.action_plan()

    def action_help_quit(self) -> None:
        """Says how to leave: ctrl+c copies in a field, and would be pressed by mistake."""
        leave = "ctrl+q leaves tuneproof" if isinstance(self.screen, ModalScreen) else "q leaves tuneproof"
        first = "escape closes this dialog; " if isinstance(self.screen, ModalScreen) else ""
        self.notify(f"{first}{leave}; a run in progress continues", markup=False)

    def _close_dialogs(self) -> None:
        while isinstance(self.screen, ModalScreen):
            self.pop_screen()

    def _post_to_steps(self, message: Message) -> None:
        from tuneproof.screens.step import StepScreen

        for screen in self.screen_stack:
            if isinstance(screen, StepScreen):
                screen.post_message(message)

    # Working on the case.

    def start_dry_run(self) -> None:
        assert self.session is not None
        self._feeds.stop_dry_run()
        # The steps show why it could not start, as long as that holds.
        with ErrorToast(self, "Data"), suppress(TuneproofError):
            self._feeds.follow_dry_run(self.session.start_dry_run().store.path)

    def freeze(self) -> None:
        assert self.session is not None
        with ErrorToast(self, "Freeze"):
            store = self.session.freeze()
            self._feeds.stop_dry_run()
            self._feeds.follow_run(store.path)
            self._show_waiting()

    def start_worker(self, until: Stage) -> bool:
        assert self.session is not None
        with ErrorToast(self, "Run"):
            self.session.resume(until)
            self._show_waiting()
            return True
        return False

    def stop_run(self) -> None:
        from tuneproof.engine.run.launch import stop_run

        with ErrorToast(self, "Stop"):
            store, launched = self.session.store if self.session is not None else None, self.state.launched
            if store is not None and launched is not None and self._is_running() and stop_run(store.path, launched):
                # The worker says so in its log at once, and the status line shows it.
                return
            if self.session is not None and self.session.stop_waiting():
                self.notify("removed from the queue")
            else:
                self.notify("no worker is running", severity="warning")

    def start_new_run(self) -> None:
        assert self.session is not None
        self._feeds.stop_run()
        self.session.start_over()
        if self.session.draft.content.data is not None:
            self.start_dry_run()
        self.go_to(WizardStep.DECIDE)

    def start_next_run(self, chosen: NextRun) -> None:
        assert self.session is not None
        from tuneproof.engine.session.wizard_words import in_wizard

        with ErrorToast(self, "New run"):
            self.session.choose_next_run(chosen)
            self._feeds.stop_run()
            self.start_dry_run()
            self.go_to(WizardStep.DATA)
            change = in_wizard(chosen.change, says_where=False)
            self.notify(f"{change}. The data is read again; then f on step 4 freezes it for the new run", markup=False)

    def _show_waiting(self) -> None:
        if self.session is not None and (waiting := self.session.waiting):
            self.notify(sanitize(waiting, one_line=True), markup=False)

    def _is_running(self) -> bool:
        """Whether the run of the open case has a worker now."""
        if self.session is None or self.session.store is None:
            return False
        from tuneproof.engine.run.state import RunStatus

        return self.state.status is RunStatus.RUNNING

    # Leaving.

    async def action_leave(self) -> None:
        """Quits; asks first what to do with a run in progress."""
        if not self._is_running():
            self._leave(None)
            return
        from tuneproof.screens.quit import QuitScreen

        assert self.session is not None and self.session.store is not None
        if not isinstance(self.screen, QuitScreen):
            self.push_screen(QuitScreen(shell_word(self.session.store.path)), self._leave_as)

    def leave_running(self) -> None:
        self._leave("still running")

    def _leave_as(self, choice: object) -> None:
        from tuneproof.screens.quit import Leave

        if choice is Leave.STOP:
            self.stop_run()
            self._leave("stopping at the next checkpoint")
        elif choice is Leave.RUNNING:
            self.leave_running()

    def _leave(self, run_status: str | None) -> None:
        self.farewell = farewell(self.session, run_status)
        self.exit()

    # The line about the machine.

    def _look_at_machine(self) -> None:
        def look() -> None:
            from tuneproof.engine.core.hardware import detect_machine

            line = detect_machine().summary
            if line != self.machine_line:
                self.call_from_thread(self._show_machine, line)

        self.run_worker(look, thread=True, group="machine", exclusive=True)

    def _show_machine(self, line: str) -> None:
        self.machine_line = line
        for screen in self.screen_stack:
            show: Callable[[], None] | None = getattr(screen, "show_machine", None)
            if show is not None:
                show()
