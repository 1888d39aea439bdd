"""What all steps have in common: title, rail, panels, the evidence so far, the status line, and the keys to the other steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.core.errors import ExitCode, TuneproofError
from tuneproof.engine.run.killed import last_killed
from tuneproof.engine.run.process import worker_log_tail
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.run.store import EVENTS, WORKER_LOG
from tuneproof.engine.session.case_session import CaseSession
from tuneproof.engine.session.input_check import checked
from tuneproof.engine.session.progress import StepStatus, step_status
from tuneproof.engine.session.steps import WizardStep
from tuneproof.engine.session.tour import tour_text
from tuneproof.engine.session.wizard_words import in_wizard
from tuneproof.screens.ask import AskYesNo
from tuneproof.screens.panels import STAYS, maximise, next_panel, panel_with_focus, panels_of, scroll
from tuneproof.screens.reading import ReadingScreen
from tuneproof.screens.wizard import Wizard
from tuneproof.tui.meanings import OF_STATUS
from tuneproof.tui.messages import DryRunChanged, RunChanged
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.evidence_panel import EvidencePanel
from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content
from tuneproof.tui.widgets.step_rail import StepRail
from tuneproof.tui.widgets.work_bar import WorkBar
from tuneproof.tui.work_line import stopping_text, work_line

FROZEN_NOTICE = "the eval set is frozen; press e to start a new run with other answers"

LOG_LINES = 200
WIDE, EVIDENCE_WIDTH = 120, 38
"""Columns from which the evidence is shown beside the step, and those that it takes; `app.tcss` has the same numbers."""
LEAST_COLUMNS = 76
"""Columns that the panels have in any terminal, which scrolls if it has fewer; as in `app.tcss`."""


class TooSmall(Static):
    """The notice below 80×24: the whole step is reachable by scrolling."""

    DEFAULT_CSS = "TooSmall { display: none; height: 1; background: $warning; color: $text; }"

    def __init__(self) -> None:
        super().__init__("smaller than 80×24: scroll with ctrl+arrow keys", id="too-small")


class StepScreen(Screen[None]):
    """One step: shows the case and the state of its run, and posts what the user wants; the rules are in `engine.session`."""

    STEP: ClassVar[WizardStep]
    HELP_TEXT: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "next_step", "Continue"),
        Binding("backspace", "previous_step", "Back", show=False),
        Binding("escape", "leave_field", "Leave the field", show=False),
        *(Binding(f"ctrl+{direction}", f"scroll_step('{direction}')", show=False) for direction in ("up", "down", "left", "right")),
        Binding("l", "log", "The worker's log", show=False),
        Binding("k", "case_file", "All keys of the case file", show=False),
        Binding("P", "plan", "The plan", show=False),
        Binding("m", "maximise", "One panel", show=False),
        Binding("tab", "panel(1)", show=False),
        Binding("shift+tab", "panel(-1)", show=False),
        *(Binding(key.replace("_", ""), f"scroll_panel('{key}')", show=False) for key in ("up", "down", "page_up", "page_down")),
    ]
    ALLOW_IN_MAXIMIZED_VIEW = STAYS

    _session: CaseSession | None = None
    _shown_bindings: object = None
    _drawn_for: Size | None = None

    @property
    def wizard(self) -> Wizard:
        """What the step can ask of the app."""
        return cast(Wizard, self.app)

    @property
    def session(self) -> CaseSession:
        """The open case; for a screen that is being removed, the last one."""
        self._session = self.wizard.session or self._session
        assert self._session is not None
        return self._session

    @property
    def state(self) -> RunState:
        """The state of the run; a new state if there is no run."""
        return self.wizard.state

    @property
    def columns(self) -> int:
        """The columns that the panels of the step have."""
        width = max(self.app.size.width, LEAST_COLUMNS)
        return width - (EVIDENCE_WIDTH if width >= WIDE else 0)

    @property
    def _shown_state(self) -> RunState:
        """The state of the run, or of the dry run as long as there is no run."""
        return self.state if self.session.is_frozen else self.wizard.dry_run_state

    def compose(self) -> ComposeResult:
        yield MemoizedStatic(id="title")
        yield StepRail(id="rail")
        yield TooSmall()
        yield MemoizedStatic(id="tour")
        with Horizontal(id="columns"):
            with VerticalScroll(id="step", can_focus=False), Vertical(id="panels"):
                yield from self.compose_step()
            yield EvidencePanel(id="evidence")
        yield WorkBar(work_line)
        yield MemoizedStatic(id="status")
        yield KeyLine()

    def compose_step(self) -> ComposeResult:
        """The panels of the step."""
        raise NotImplementedError

    def show(self) -> None:
        """Draws the step from the session and the state."""
        raise NotImplementedError

    def on_resize(self) -> None:
        # The evidence is drawn only if there is room for it. A screen that was never drawn is about to be.
        if self._drawn_for not in (None, self.app.size):
            self.refresh_all()

    def on_screen_resume(self) -> None:
        self.refresh_all()

    def on_run_changed(self, message: RunChanged) -> None:
        self.refresh_all()

    def on_dry_run_changed(self, message: DryRunChanged) -> None:
        self.refresh_all()

    def refresh_all(self) -> None:
        """Draws the whole screen; does nothing if the case was closed in the meantime."""
        if not self.is_mounted or self.wizard.session is None:
            return
        self._drawn_for = self.app.size
        self.show_machine()
        self.query_one("#rail", StepRail).show(self.STEP, self._step_statuses())
        self._refresh_keys()
        self._show_tour()
        self._show_evidence()
        self.show()
        self.query_one("#work", WorkBar).show(self._shown_state)
        if self.state.stopping:
            self.show_status(stopping_text(self.state))

    def _step_statuses(self) -> dict[WizardStep, StepStatus]:
        return {step: step_status(self.session, step, self.state, self.wizard.dry_run_state) for step in WizardStep}

    def show_machine(self) -> None:
        """Draws the title, with the machine if there is room for it."""
        self.query_one("#title", MemoizedStatic).update(self._title(), layout=False)

    def show_status(self, text: str, *, error: bool = False) -> None:
        """Shows one line above the keys, until the next one."""
        line = sanitize(in_wizard(text), one_line=True)
        self.query_one("#status", Static).update(Meaning.ERROR.signed(line) if error else Content(line))

    def show_error(self, text: str, title: str = "") -> None:
        """Shows a toast that something was not done; unlike the status line it outlives the next redraw."""
        self.notify(sanitize(in_wizard(text)), title=title, severity="error", markup=False, timeout=12)

    def save_sections(self, **sections: Any) -> bool:
        """Saves sections of the draft, or shows why they do not fit together. Returns whether they were saved."""
        try:
            self.session.draft.choose(**sections)
        except TuneproofError as error:
            self.show_error(str(error), title=str(self.STEP))
            return False
        return True

    def check_sections(self, sections: Mapping[str, Any]) -> DraftCase:
        """The draft as it would be with these sections. Raises InputError if they cannot be saved, InputDoubt if they are hardly meant."""
        split = (self.state if self.session.is_frozen else self.wizard.dry_run_state).frozen
        return checked(self.session.draft, sections, split.train if split else None)

    def crash_log(self) -> Content | None:
        """The end of the worker's log if the worker crashed or met a defect, else None."""
        store, state = self.session.store, self.state
        defect = state.failure is not None and state.failure.exit_code == ExitCode.DEFECT
        if store is None or not (state.status is RunStatus.CRASHED or defect):
            return None
        killed = None if defect else last_killed(store.path / EVENTS)
        how = [str(killed.error(store.path))] if killed is not None else []
        return sanitized_content("\n".join([*how, worker_log_tail(store.path)]).strip() or "the log is empty")

    def focus_first(self) -> None:
        """Moves the focus back to the first list of the step."""
        self.screen.set_focus(None)
        self.screen.focus_next()

    def action_next_step(self) -> None:
        self.wizard.go_to(list(WizardStep)[min(self.STEP.number, len(WizardStep) - 1)])

    def action_previous_step(self) -> None:
        if self.STEP.number > 1:
            self.wizard.go_to(list(WizardStep)[self.STEP.number - 2])

    def action_leave_field(self) -> None:
        if self.maximized is not None:
            self.action_maximise()
        else:
            self.focus_first()

    def action_maximise(self) -> None:
        """Shows the panel with the focus alone, or all panels again."""
        if self.maximized is not None:
            maximise(self, None)
            self.focus_first()
            self.refresh_all()
            return
        maximise(self, panel_with_focus(self))
        self.show_status(f"one of {len(panels_of(self))} panels: tab shows the next, m all of them")

    def action_panel(self, by: int) -> None:
        """Goes to the next panel where one is maximised, else to the next one that takes the focus."""
        if self.maximized is not None:
            maximise(self, next_panel(self, by))
        elif by > 0:
            self.focus_next()
        else:
            self.focus_previous()

    def action_scroll_panel(self, direction: str) -> None:
        """Scrolls the maximised panel, where it has no keys of its own."""
        if self.maximized is not None:
            scroll(self.maximized, direction)

    def action_start_new_run(self) -> None:
        """Asks before the run is left as it is: the open screens then show another one."""
        if self.session.store is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.wizard.start_new_run()

        reason = new_run_question(self.session.store.path.name, self.state)
        self.app.push_screen(AskYesNo("A new run", reason, YES_NEW_RUN, NO_NEW_RUN), answered)

    def action_scroll_step(self, direction: str) -> None:
        """Scrolls the step in a terminal that is too small for it."""
        step = self.query_one("#step", VerticalScroll)
        scroll = {"up": step.scroll_up, "down": step.scroll_down, "left": step.scroll_left, "right": step.scroll_right}
        scroll[direction](animate=False)

    def action_case_file(self) -> None:
        """Shows every key of the case file."""
        from tuneproof.screens.case_file import CaseFileScreen

        self.app.push_screen(CaseFileScreen(self))

    def action_plan(self) -> None:
        """Shows the plan of the case as it stands."""
        from tuneproof.engine.session.plan_page import session_plan
        from tuneproof.screens.plan import PlanScreen

        try:
            self.app.push_screen(PlanScreen(session_plan(self.session)))
        except TuneproofError as error:
            self.show_error(str(error), title="Plan")

    def action_edit_key(self, name: str) -> None:
        """Asks for one key of the case file."""
        from tuneproof.screens.key_dialogs import KeyDialogs

        KeyDialogs(self, self.refresh_all, self.show_error).ask(tuple(name.split(".")))

    def action_trace(self) -> None:
        """Shows one request token by token."""
        self.show_trace()

    def show_trace(self, case_id: str | None = None, place: str | None = None) -> None:
        """Shows a case of the run, by its id, or a row of the data, as file:line, token by token; without either, the first example."""
        from tuneproof.screens.trace import open_trace

        open_trace(self, place=place, case_id=case_id)

    def action_log(self) -> None:
        store = self.session.store
        if store is None:
            self.show_status("there is no run yet, so there is no log")
        else:
            text = worker_log_tail(store.path, LOG_LINES) or "the log is empty: nothing has gone wrong so far"
            self.app.push_screen(ReadingScreen(str(store.path / WORKER_LOG), text))

    def _refresh_keys(self) -> None:
        """Shows the keys that work now. Only if they can have changed: drawing them is slow."""
        state, session = self.state, self.session
        depends_on = (state.status, state.stage, state.tuned.started is None, state.card is None, session.is_frozen, session.route())
        if depends_on != self._shown_bindings:
            self._shown_bindings = depends_on
            self.refresh_bindings()

    def _show_evidence(self) -> None:
        if self.app.size.width < WIDE:
            return
        session, route = self.session, self.session.route()
        panel = self.query_one("#evidence", EvidencePanel)
        panel.show(session.draft.content, self._shown_state, route.value if route else None, is_frozen=session.is_frozen)

    def _show_tour(self) -> None:
        panel = self.query_one("#tour", MemoizedStatic)
        panel.display = self.wizard.is_tour
        if self.wizard.is_tour:
            audited = self.session.report is not None
            panel.update(Content.assemble(("Tour  ", Meaning.HEADING.style), tour_text(self.STEP, self.state, audited=audited)))

    def _title(self) -> Content:
        name = sanitize(self.session.draft.content.name, one_line=True, max_length=30)
        machine = self.wizard.machine_line
        left = Content.assemble(" ", Meaning.HEADING.text("tuneproof"), f"  {name}  ", _run_label(self.session, self.state))
        gap = self.size.width - left.cell_length - len(machine) - 1
        return Content.assemble(left, " " * gap, Meaning.MUTED.text(machine)) if gap > 0 else left


YES_NEW_RUN, NO_NEW_RUN = "leave this run and prepare another", "stay with this run"


def new_run_question(name: str, state: RunState) -> str:
    """What a new run means for the one that is open."""
    measured = f"{len(state.arms)} measured here" if state.arms else "none measured yet"
    going = " Its worker goes on; tuneproof attach shows it again." if state.status is RunStatus.RUNNING else ""
    return (
        f"{name} stays as it is, with its frozen eval set and its card.{going}\n\n"
        "The answers, the data and the task become free again, and f freezes an eval set for the new run. "
        f"Arms that would be asked the same in it are taken over and not run again ({measured})."
    )


def _run_label(session: CaseSession, state: RunState) -> Content:
    """The run and its status for the title."""
    if session.store is None:
        return Meaning.MUTED.text("draft")
    meaning = OF_STATUS[state.status]
    status = "" if state.status is RunStatus.NEW else state.status.value
    if state.status is RunStatus.FINISHED and state.card is None:
        # The worker did the stages it was started for, but the case is not complete.
        status, meaning = "waiting for you", Meaning.INFO
    stage = f" ({state.stage})" if state.stage and state.status is RunStatus.RUNNING else ""
    name = sanitize(session.store.path.name, one_line=True, max_length=30)
    return Content.assemble(f"{name} ", meaning.signed(f"{status}{stage}") if status else "")
