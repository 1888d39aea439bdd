"""The app: which screen is shown, the case and the run they are about, and the keys that work everywhere."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import Screen

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.session.steps import Step
from tuneproof.screens.home import HomeScreen
from tuneproof.tui.error_toast import ErrorToast
from tuneproof.tui.widgets.sanitize import SanitizingFilter, sanitize

if TYPE_CHECKING:
    from tuneproof.engine.run.state import RunState
    from tuneproof.engine.session.workbench import Workbench
    from tuneproof.screens.step import StepScreen
    from tuneproof.tui.run_feed import RunFeed

MACHINE_SECONDS = 10.0
IDLE_SECONDS = 0.2
HARMLESS = SanitizingFilter()
PLAIN_THEME = "textual-dark"
"""Without colour, Textual greys the theme; an ANSI theme then comes out black on black."""


class TuneproofApp(App[None]):
    """The wizard; what a screen may ask of it is `screens.wizard.Wizard`."""

    TITLE = "tuneproof"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-normal"), (120, "-wide")]  # noqa: RUF012  Textual types it as of the instance
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "Quit"),
        Binding("question_mark,f1", "help", "Help", key_display="?"),
        Binding("h", "home", "Home", show=False),
        Binding("ctrl+z", "suspend_process", show=False),
        Binding("ctrl+q", "leave", show=False, priority=True),
        *(Binding(str(step.number), f"step({step.number})", show=False) for step in Step),
    ]

    def __init__(self, opens: Path | None = None) -> None:
        super().__init__()
        self.session: Workbench | None = None
        self.machine_line = ""
        self.farewell: str | None = None
        self._opens = opens
        self._feed: RunFeed | None = None
        self._dry_run_feed: RunFeed | None = None
        self._nothing: RunState | None = None
        if self.no_color:
            self.theme = PLAIN_THEME
        if "SSH_CONNECTION" in os.environ:
            self.animation_level = "none"

    @property
    def state(self) -> RunState:
        """How the run of the case stands; as new where there is none."""
        return self._feed.state if self._feed is not None else self._as_new()

    @property
    def dry_run_state(self) -> RunState:
        """How the trial of the draft stands; as new where there is none."""
        return self._dry_run_feed.state if self._dry_run_feed is not None else self._as_new()

    def _as_new(self) -> RunState:
        # Imported only now: the events it is made of take longer to import than the first picture takes to paint.
        from tuneproof.engine.run.state import RunState

        if self._nothing is None:
            self._nothing = RunState()
        return self._nothing

    def on_mount(self) -> None:
        home = HomeScreen()
        self.push_screen(home)
        self.call_after_refresh(self._after_first_paint, home)

    def _after_first_paint(self, home: HomeScreen) -> None:
        """What the first picture does not need: what was asked to be opened, the runs, and the machine."""
        if self._opens is not None:
            self._open(self._opens)
        home.action_read_runs()
        self._look_at_machine()
        self.set_interval(MACHINE_SECONDS, self._look_at_machine)

    def watch_theme(self, theme_name: str) -> None:
        if self.no_color and self.available_themes[theme_name].ansi:
            self.theme = PLAIN_THEME

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), HARMLESS]

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield from super().get_system_commands(screen)
        yield SystemCommand("Home", "New case, open a case, recent runs", self.action_home)
        if self.session is not None:
            for step in Step:
                yield SystemCommand(f"Go to {step}", f"Step {step.number} of the case", lambda step=step: self.go_to(step))

    def open_case(self, path: Path, *, copy: bool = False) -> None:
        from tuneproof.engine.case.draft import Draft
        from tuneproof.engine.session.workbench import Workbench

        with self._told("Open"):
            self._take(Workbench.of_case(Draft.open_copy(path, Path.cwd()) if copy else Draft.open(path)))

    def open_run(self, path: Path) -> None:
        from tuneproof.engine.session.workbench import Workbench

        with self._told("Open"):
            self._take(Workbench.of_run(path))

    def new_case(self, name: str) -> None:
        from tuneproof.engine.case.draft import Draft
        from tuneproof.engine.session.workbench import Workbench

        with self._told("New case"):
            self._take(Workbench(Draft.new(Path.cwd(), name)))

    def go_to(self, step: Step) -> None:
        if self.session is None:
            return
        refused = self.session.may_enter(step, self.state)
        if refused:
            self.notify(f"{step}: {refused}", severity="warning", markup=False)
            return
        from tuneproof.screens.steps import screen_of

        self._close_dialogs()
        if isinstance(self.screen, screen_of(step)):
            return
        # Kept while the case is open: going back to a step takes half of what making it anew takes.
        if not self.is_screen_installed(step.value):
            self.install_screen(screen_of(step)(), step.value)
        if isinstance(self.screen, HomeScreen):
            self.push_screen(step.value)
        else:
            self.switch_screen(step.value)

    def start_dry_run(self) -> None:
        from tuneproof.tui.run_feed import RunFeed

        assert self.session is not None
        self._end_dry_run_feed()
        with self._told("Data"):
            trial = self.session.try_data()
            self._dry_run_feed = RunFeed(self, trial.store.path, self._post_dry_run_changed)
            self._dry_run_feed.start()

    def freeze(self) -> None:
        assert self.session is not None
        with self._told("Freeze"):
            store = self.session.freeze()
            self._end_dry_run_feed()
            self._follow(store.path)
            self._tell_waiting()

    def go_on(self, until: Stage) -> bool:
        assert self.session is not None
        with self._told("Run"):
            self.session.go_on(until)
            self._tell_waiting()
            return True
        return False

    def stop_run(self) -> None:
        from tuneproof.engine.run.launch import stop_run
        from tuneproof.engine.run.state import RunStatus

        with self._told("Stop"):
            if self.state.launched is not None and self.state.status is RunStatus.RUNNING and stop_run(self.state.launched):
                self.notify("asked to stop: at the next step it saves a checkpoint and ends")
            elif self.session is not None and self.session.stop_waiting():
                self.notify("taken out of the queue")
            else:
                self.notify("no worker is at work on this run", severity="warning")

    def _tell_waiting(self) -> None:
        if self.session is not None and (waiting := self.session.waiting):
            self.notify(waiting)

    def leave_running(self) -> None:
        self._leave("still running")

    def start_anew(self) -> None:
        assert self.session is not None
        self._end_feed()
        self.session.thaw()
        if self.session.draft.content.data is not None:
            self.start_dry_run()
        self.go_to(Step.DECIDE)

    async def action_leave(self) -> None:
        """Leaves; asks first what to do with a run that is under way."""
        if not self._is_at_work():
            self._leave(None)
            return
        from tuneproof.screens.quit import QuitScreen

        assert self.session is not None and self.session.store is not None
        if not isinstance(self.screen, QuitScreen):
            self.push_screen(QuitScreen(_word(self.session.store.path)), self._leave_as)

    def _is_at_work(self) -> bool:
        """Whether a worker is at the run of the case now."""
        if self.session is None or self.session.store is None:
            return False
        from tuneproof.engine.run.state import RunStatus

        return self.state.status is RunStatus.RUNNING

    def action_help(self) -> None:
        from tuneproof.screens.reading import HelpScreen

        text = getattr(self.screen, "HELP_TEXT", "")
        if text:
            title = getattr(self.screen, "STEP", None)
            self.push_screen(HelpScreen(str(title or "Home"), text))

    def action_home(self) -> None:
        self._close_dialogs()
        if not isinstance(self.screen, HomeScreen):
            self._put_away()
            self.pop_screen()
            self._forget_steps()

    def action_step(self, number: int) -> None:
        self.go_to(list(Step)[number - 1])

    def on_unmount(self) -> None:
        self._put_away()

    def _open(self, path: Path) -> None:
        from tuneproof.screens.home import samples_folder

        if path.is_dir():
            self.open_run(path)
        else:
            # A case that ships is nobody's to write to.
            self.open_case(path, copy=path.resolve().parent == samples_folder().resolve())

    def _take(self, session: Workbench) -> None:
        """Makes a case the one under way, and goes to where it stands."""
        self._put_away()
        self._forget_steps()
        self.session = session
        if session.store is not None:
            self._follow(session.store.path, catch_up=True)
        elif not session.draft.unanswered() and session.draft.content.data is not None:
            self.start_dry_run()
        self.go_to(self._first_step(session))
        self._import_soon(list(Step))

    def _import_soon(self, steps: list[Step]) -> None:
        """Imports the screens of the other steps one by one while nothing else is to do, so that the first visit to each is quick."""
        from tuneproof.screens.steps import screen_of

        if steps:
            first, *rest = steps
            screen_of(first)
            self.set_timer(IDLE_SECONDS, lambda: self._import_soon(rest))

    def _first_step(self, session: Workbench) -> Step:
        step = session.step_of(self.state)
        if session.draft.content.data is None:
            return Step.DECIDE
        # A trial that has only begun says nothing yet: the data is looked at first.
        return Step.DATA if step in (Step.AUDIT, Step.TASK) and not session.is_frozen else step

    def _follow(self, run: Path, *, catch_up: bool = False) -> None:
        from tuneproof.tui.run_feed import RunFeed

        self._end_feed()
        self._feed = RunFeed(self, run, self._post_run_changed)
        if catch_up:
            self._feed.catch_up()
        self._feed.start()

    def _post_run_changed(self, state: RunState) -> None:
        from tuneproof.tui.messages import RunChanged

        for screen in self._steps():
            screen.post_message(RunChanged(state))

    def _post_dry_run_changed(self, state: RunState) -> None:
        from tuneproof.tui.messages import DryRunChanged

        for screen in self._steps():
            screen.post_message(DryRunChanged(state))

    def _steps(self) -> list[StepScreen]:
        from tuneproof.screens.step import StepScreen

        return [screen for screen in self.screen_stack if isinstance(screen, StepScreen)]

    def _close_dialogs(self) -> None:
        from textual.screen import ModalScreen

        while isinstance(self.screen, ModalScreen):
            self.pop_screen()

    def _forget_steps(self) -> None:
        """Removes the screens that were kept for a case."""
        for step in Step:
            if self.is_screen_installed(step.value):
                screen = self.get_screen(step.value)
                self.uninstall_screen(screen)
                if screen.is_attached and screen not in self.screen_stack:
                    screen.remove()

    def _put_away(self) -> None:
        """Follows nothing any more, and throws the trial away; a run goes on."""
        self._end_feed()
        self._end_dry_run_feed()
        if self.session is not None:
            self.session.end_trial()
        self.session = None

    def _end_feed(self) -> None:
        if self._feed is not None:
            self._feed.stop()
            self._feed = None

    def _end_dry_run_feed(self) -> None:
        if self._dry_run_feed is not None:
            self._dry_run_feed.stop()
            self._dry_run_feed = None

    def _leave_as(self, choice: object) -> None:
        from tuneproof.screens.quit import Leave

        if choice is Leave.STOP:
            self.stop_run()
            self._leave("stopping at the next checkpoint")
        elif choice is Leave.RUNNING:
            self._leave("still running")

    def _leave(self, what: str | None) -> None:
        """Ends the app; the shell then says how to come back."""
        run = _word(self.session.store.path) if self.session and self.session.store else None
        if run is not None and what is not None:
            self.farewell = f"{run} is {what}; come back with: tuneproof attach {run}"
        elif run is not None:
            self.farewell = f"look at it again with: tuneproof attach {run}"
        elif self.session is not None and self.session.draft.path is not None and self.session.draft.path.is_file():
            self.farewell = f"the case is kept; go on with: tuneproof {_word(_shown(self.session.draft.path))}"
        self.exit()

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

    def _told(self, doing: str) -> ErrorToast:
        return ErrorToast(self, doing)


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path


def _word(path: Path) -> str:
    """A path as one would type it into a shell."""
    return sanitize(shlex.quote(str(path)), one_line=True)
