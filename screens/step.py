"""What every step's screen has: the title, the rail, its own panels, the evidence so far, and the way to the other steps."""

from __future__ import annotations

from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

from tuneproof.engine.core.errors import ExitCode, TuneproofError
from tuneproof.engine.run.process import log_tail
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.run.store import WORKER_LOG
from tuneproof.engine.session.steps import Step
from tuneproof.engine.session.workbench import Workbench
from tuneproof.screens.reading import ReadingScreen
from tuneproof.screens.wizard import Wizard
from tuneproof.tui.messages import DryRunChanged, RunChanged
from tuneproof.tui.widgets.evidence_panel import EvidencePanel
from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content
from tuneproof.tui.widgets.step_rail import StepRail

LOG_LINES = 200
WIDE = 120
"""Columns from which the evidence so far stands beside the step, as `app.tcss` has it."""


class TooSmall(Static):
    """The notice below 80×24: everything is still there, by scrolling."""

    DEFAULT_CSS = "TooSmall { display: none; height: 1; background: $warning; color: $text; }"

    def __init__(self) -> None:
        super().__init__("smaller than 80×24: ctrl+arrows move about", id="too-small")


class StepScreen(Screen[None]):
    """One step: shows the workbench and the state, posts intents, holds no rule."""

    STEP: ClassVar[Step]
    HELP_TEXT: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "next_step", "Continue"),
        Binding("backspace", "previous_step", "Back", show=False),
        Binding("escape", "leave_field", "Leave the field", show=False),
        *(Binding(f"ctrl+{way}", f"scroll_step('{way}')", show=False) for way in ("up", "down", "left", "right")),
        Binding("l", "log", "The worker's log", show=False),
    ]

    _session: Workbench | None = None
    _stood: object = None
    _drawn_for: Size | None = None

    @property
    def wizard(self) -> Wizard:
        """What the step can ask of the app."""
        return cast(Wizard, self.app)

    @property
    def session(self) -> Workbench:
        """The case under way; for a screen that is on its way out, the one that was."""
        self._session = self.wizard.session or self._session
        assert self._session is not None
        return self._session

    @property
    def state(self) -> RunState:
        """How the run stands; as new where there is none."""
        return self.wizard.state

    def compose(self) -> ComposeResult:
        yield MemoizedStatic(id="title")
        yield StepRail(id="rail")
        yield TooSmall()
        with Horizontal(id="columns"):
            with VerticalScroll(id="step", can_focus=False), Vertical(id="panels"):
                yield from self.compose_step()
            yield EvidencePanel(id="evidence")
        yield MemoizedStatic(id="said")
        yield KeyLine()

    def compose_step(self) -> ComposeResult:
        """The panels of the step."""
        raise NotImplementedError

    def show(self) -> None:
        """Draws the step anew from the workbench and the state."""
        raise NotImplementedError

    def on_resize(self) -> None:
        # The evidence is drawn only where there is room for it. A screen that was not drawn yet is about to be.
        if self._drawn_for not in (None, self.app.size):
            self.refresh_all()

    def show_machine(self) -> None:
        """Draws the title, with the machine where there is room for it."""
        self.query_one("#title", MemoizedStatic).update(self._title(), layout=False)

    def on_screen_resume(self) -> None:
        self.refresh_all()

    def on_run_changed(self, message: RunChanged) -> None:
        self.refresh_all()

    def on_dry_run_changed(self, message: DryRunChanged) -> None:
        self.refresh_all()

    def refresh_all(self) -> None:
        """Draws everything anew; nothing where the case was put away meanwhile, and word of it was still on its way."""
        if not self.is_mounted or self.wizard.session is None:
            return
        self._drawn_for = self.app.size
        done = [step for step in Step if self.session.done(step, self.state)]
        self.show_machine()
        self.query_one("#rail", StepRail).show(self.STEP, done)
        self._refresh_keys()
        route = self.session.route()
        shown = self.state if self.session.is_frozen else self.wizard.dry_run_state
        panel = self.query_one("#evidence", EvidencePanel)
        if self.app.size.width >= WIDE:
            panel.show(self.session.draft.content, shown, route.value if route else None, is_frozen=self.session.is_frozen)
        self.show()

    def _refresh_keys(self) -> None:
        """Shows the keys that work now; making the footer anew is dear, so only where they can have changed."""
        state, session = self.state, self.session
        stands = (state.status, state.stage, state.tuned.started is None, state.card is None, session.is_frozen, session.route())
        if stands != self._stood:
            self._stood = stands
            self.refresh_bindings()

    def say(self, text: str, *, error: bool = False) -> None:
        """Puts one line above the keys, until the next one."""
        self.query_one("#said", Static).update(sanitized_content(("✗ " if error else "") + text, "bold" if error else "", one_line=True))

    def attempt(self, step: str, error: TuneproofError) -> None:
        """Tells what could not be done and what to do about it."""
        self.complain(str(error), title=step)

    def complain(self, text: str, title: str = "") -> None:
        """Tells that something asked for was not done; it stays although the screen is drawn anew when a dialog closes."""
        self.notify(sanitize(text), title=title, severity="error", markup=False, timeout=12)

    def action_next_step(self) -> None:
        self.wizard.go_to(list(Step)[min(self.STEP.number, len(Step) - 1)])

    def action_previous_step(self) -> None:
        if self.STEP.number > 1:
            self.wizard.go_to(list(Step)[self.STEP.number - 2])

    def action_leave_field(self) -> None:
        self.focus_first()

    def action_scroll_step(self, way: str) -> None:
        """Moves the step about in a terminal that is too small for it."""
        step = self.query_one("#step", VerticalScroll)
        {"up": step.scroll_up, "down": step.scroll_down, "left": step.scroll_left, "right": step.scroll_right}[way](animate=False)

    def action_log(self) -> None:
        store = self.session.store
        if store is None:
            self.say("there is no run yet, so there is no log")
        else:
            text = log_tail(store.path, LOG_LINES) or "the log is empty: nothing went wrong so far"
            self.app.push_screen(ReadingScreen(str(store.path / WORKER_LOG), text))

    def end_of_log(self) -> Content | None:
        """The end of the log of a worker that is gone without a word, or by a defect; none for any other."""
        store, state = self.session.store, self.state
        defect = state.failure is not None and state.failure.exit_code == ExitCode.DEFECT
        if store is None or not (state.status is RunStatus.CRASHED or defect):
            return None
        return sanitized_content(log_tail(store.path) or "the log is empty: something killed the process, perhaps because memory ran out")

    def focus_first(self) -> None:
        """Gives the keys back to the step's own list."""
        self.screen.set_focus(None)
        self.screen.focus_next()

    def _title(self) -> Content:
        name = sanitize(self.session.draft.content.name, one_line=True, max_length=30)
        where = _where(self.session, self.state)
        machine = self.wizard.machine_line
        left = f" tuneproof  {name}  {where}"
        gap = self.size.width - len(left) - len(machine) - 1
        return Content(left + " " * gap + machine if gap > 0 else left)


def _where(session: Workbench, state: RunState) -> str:
    if session.store is None:
        return "draft"
    status = "" if state.status is RunStatus.NEW else state.status.value
    if state.status is RunStatus.FINISHED and state.card is None:
        # The worker has done what it was asked for; the case has not come to its end.
        status = "waits for you"
    at = f" ({state.stage})" if state.stage and state.status is RunStatus.RUNNING else ""
    return f"{sanitize(session.store.path.name, one_line=True, max_length=30)} {status}{at}"
