"""Step 4: the task, how an answer is graded, how much data is set aside; then the eval set is frozen."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.scoring.power import detects, needed_cases_text
from tuneproof.engine.session.eval_size import EvalSize, is_small, larger_eval_sets
from tuneproof.engine.session.freeze_status import FreezeStatus, freeze_status
from tuneproof.engine.session.steps import WizardStep
from tuneproof.engine.session.task_form import (
    Sections,
    TaskField,
    doubt_about_freezing,
    fields_of,
    instruction_warning,
    suggested_sections,
    task_of,
    with_output,
)
from tuneproof.engine.session.task_values import value_line, whole_value, whole_with_example
from tuneproof.engine.session.wizard_words import in_wizard
from tuneproof.screens.ask import AskChoice, AskYesNo
from tuneproof.screens.reading import ReadingScreen
from tuneproof.screens.step import FROZEN_NOTICE, StepScreen
from tuneproof.screens.task_dialogs import TaskDialogs
from tuneproof.tui.messages import DryRunChanged
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

FIELD_WIDTH = max(len(field) for field in TaskField)


class TaskScreen(StepScreen):
    """A form for the task, the target, the base model and the split; and the freeze."""

    STEP = WizardStep.TASK
    HELP_TEXT = """
**How will you know that it got better?** Every system answers the same cases, and every answer is graded by the same rules.

- **Output kind**: what an answer has to look like. It was drafted from your examples; check it before you trust it.
- **Schema**: for JSON, the fields and the values they may have. An answer that breaks the schema is *not format-valid*.
- **Bounds**: how long and of what form the parts of a *constrained* answer may be, proposed from your training rows, so that an open
  string ends. They never change how an answer is graded.
- **Metric**: what is counted. **Compared**: when an answer equals the expected one, for example as a number or in any order.
- **Target**: the score that would be good enough. If an untuned system reaches it, no training is needed.
- **Split**: the model trains on *train*; *validation* is scored during training and picks the best checkpoint; *eval* is used
  only to score.
- **Show a true difference of 16 points four times in five**: if two systems really differ by so much, four of five such eval sets show
  it. Four times as many cases halve it. It depends on how often the two disagree, which is assumed until they have run. **s** moves rows
  from train into eval.
- **Freeze** (f): writes the eval set and stores its SHA-256 in the manifest. From then on neither the eval set nor the task can change
  in this run, so nobody can later pick the cases that suit the result.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "freeze", "Freeze"),
        Binding("s", "enlarge_eval", "Eval size"),
        Binding("d", "draft_again", "Redraft"),
        Binding("i", "read_whole", "Read whole", show=False),
        Binding("E", "open_editor", "Editor"),
        Binding("r", "resume_freeze", "Resume"),
        Binding("e", "start_new_run", "Change (new run)"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._dialogs = TaskDialogs(self, self._choose)

    def compose_step(self) -> ComposeResult:
        yield OptionList(id="form")
        with VerticalScroll(id="whole", classes="panel fill"):
            yield MemoizedStatic(id="whole-text", markup=False)
        yield MemoizedStatic(id="split", classes="panel")

    def on_mount(self) -> None:
        self.query_one("#split").border_title = "Eval set"
        self.query_one("#whole").border_subtitle = "i shows it on the whole screen"
        self.query_one("#form").focus()

    def on_screen_resume(self) -> None:
        self._complete_draft()

    def on_dry_run_changed(self, message: DryRunChanged) -> None:
        if self.wizard.session is not None and self._content.task is None:
            self._complete_draft()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "start_new_run":
                return self.session.is_frozen
            case "resume_freeze":
                return self._freeze_status is FreezeStatus.BROKE_OFF
            case "freeze" | "draft_again" | "open_editor":
                return not self.session.is_frozen
            case "enlarge_eval":
                return bool(self._larger_eval_sets)
        return True

    def show(self) -> None:
        form = self.query_one("#form", OptionList)
        form.border_title = "Task" if self.session.is_frozen else "Task: enter changes the highlighted field"
        highlighted = form.highlighted or 0
        fields = self._fields
        form.clear_options()
        form.add_options([Option(self._line(field), id=field.value) for field in fields])
        form.highlighted = min(highlighted, len(fields) - 1)
        self.query_one("#split", Static).update(self._split_text())
        self._show_whole()
        self._show_freeze_status()
        self.refresh_bindings()

    def _line(self, field: TaskField) -> Content:
        value = value_line(field, self._content, self._dialogs.bounds(), self.session.data_facts)
        return Content.assemble(f" {field:<{FIELD_WIDTH}}  ", (sanitize(value, one_line=True, max_length=200), "bold"))

    @on(OptionList.OptionHighlighted, "#form")
    def _show_whole(self) -> None:
        """Shows the whole value of the highlighted field, with its lines."""
        field = self._highlighted
        panel = self.query_one("#whole", VerticalScroll)
        text = self._whole_value(field)
        lines = len(whole_value(field, self._content, self._dialogs.bounds()).splitlines())
        panel.border_title = f"{field}, {lines} lines" if lines > 1 else str(field)
        self.query_one("#whole-text", Static).update(sanitized_content(text))

    def _whole_value(self, field: TaskField) -> str:
        return whole_with_example(field, self._content, self._dialogs.bounds(), self.session.data_facts)

    @property
    def _highlighted(self) -> TaskField:
        """The highlighted field; the first one if none is."""
        fields = self._fields
        return fields[min(self.query_one("#form", OptionList).highlighted or 0, len(fields) - 1)]

    @property
    def _content(self) -> DraftCase:
        return self.session.draft.content

    @property
    def _fields(self) -> list[TaskField]:
        return fields_of(task_of(self._content).output)

    @property
    def _freeze_status(self) -> FreezeStatus:
        session = self.session
        is_current = session.dry_run_is_current
        return freeze_status(
            self.state, self.wizard.dry_run_state, session.report, is_frozen=session.is_frozen, dry_run_is_current=is_current
        )

    def _split_text(self) -> Content:
        warning = instruction_warning(self._content, self.session.data_facts)
        lines = [self._counts_text(), *([Meaning.WARN.signed(in_wizard(warning, says_where=False))] if warning else [])]
        return Content("\n").join(lines)

    @property
    def _larger_eval_sets(self) -> list[EvalSize]:
        """The larger eval sets that can be chosen now."""
        split = self.wizard.dry_run_state.frozen
        return [] if self.session.is_frozen or split is None else larger_eval_sets(self._content, split, self.session.data_facts)

    def _counts_text(self) -> Content:
        state = self.state if self.session.is_frozen else self.wizard.dry_run_state
        now = state.frozen
        frozen = now or (None if state.failure else self.session.last_known(state).split)
        if frozen is None:
            return Content("the number of eval cases is known once the audit has passed")
        again = "" if now else "  (checking again …)"
        lines = [
            Content(f"{frozen.train} training cases, {frozen.validation} validation cases, {frozen.eval} eval cases{again}"),
            Content(detects(frozen.eval, frozen.minimum_detectable_effect)),
        ]
        if is_small(frozen) and self._larger_eval_sets:
            lines.append(Meaning.WARN.signed("few eval cases: press s to move rows from train into eval"))
        if self.session.is_frozen and now is not None:
            lines.insert(1, Meaning.DONE.signed(f"frozen, sha256 {frozen.eval_sha256}"))
        return Content("\n").join(lines)

    def _show_freeze_status(self) -> None:
        if (why := self.session.why_no_dry_run) is not None and not self.session.is_frozen:
            self.show_status(str(why), error=True)
            return
        match self._freeze_status:
            case FreezeStatus.REFUSED:
                self.show_status(f"{self._freeze_failure()}; press e to start a new run", error=True)
            case FreezeStatus.BROKE_OFF:
                self.show_status(f"{self._freeze_failure()}; press r to resume", error=True)
            case FreezeStatus.FROZEN:
                self.show_status("frozen; press c to continue to the baselines")
            case FreezeStatus.FREEZING:
                self.show_status("freezing …")
            case FreezeStatus.DRY_RUN_FAILED if (failure := self.wizard.dry_run_state.failure) is not None:
                self.show_status(failure.message, error=True)
            case FreezeStatus.AUDIT_BLOCKS:
                self.show_status("the audit blocks the data with this task: press 3 to go back to it")
            case FreezeStatus.READY:
                self.show_status("press f to freeze: then neither the eval set nor the task can change")
            case _:
                self.show_status("reading the data with this task …")

    def _freeze_failure(self) -> str:
        failure = self.state.failure
        if failure is not None and failure.is_a(GateClosed):
            return failure.problem
        return failure.message if failure is not None else f"the worker {self.state.status.value} before the eval set was frozen"

    def action_freeze(self) -> None:
        if self._freeze_status is not FreezeStatus.READY:
            self.show_error("not yet: the data has not passed the audit with this task")
            return
        doubt = doubt_about_freezing(self._content, self.session.data_facts)
        if doubt is None:
            self._freeze(True)
        else:
            self.app.push_screen(AskYesNo("Freeze all the same?", doubt, "freeze", "go back, and write it"), self._freeze)

    def _freeze(self, is_sure: bool | None) -> None:
        if is_sure:
            self.wizard.freeze()
        self.refresh_all()

    def action_resume_freeze(self) -> None:
        if self.wizard.start_worker(Stage.SPLIT):
            self.show_status("starting the worker …")

    def action_enlarge_eval(self) -> None:
        sizes = {f"{size.eval_share:g}": size for size in self._larger_eval_sets}

        def chosen(share: str | None) -> None:
            if share is not None:
                self._choose(sizes[share].sections(self._content))

        meanings = [
            (share, f"about {size.eval} cases, which show {100 * size.effect:.0f} points; {size.train} rows to train on")
            for share, size in sizes.items()
        ]
        why = "The share of the rows that goes into eval; the more there are to score on, the fewer there are to train on."
        why = f"{why} {needed_cases_text()}"
        self.app.push_screen(AskChoice("More eval cases", why, meanings, next(iter(sizes))), chosen)

    def action_draft_again(self) -> None:
        found = self.session.data_facts
        if found is not None:
            self._choose(with_output(self._content, found.drafted_output))
            self.notify(found.drafted_why, markup=False)

    @on(OptionList.OptionSelected, "#form")
    def _edit(self, event: OptionList.OptionSelected) -> None:
        field = TaskField(str(event.option.id))
        if self.session.is_frozen:
            self.show_error(FROZEN_NOTICE)
        else:
            self._dialogs.ask(field)

    def action_open_editor(self) -> None:
        if self.session.is_frozen:
            self.show_error(FROZEN_NOTICE)
        else:
            self._dialogs.edit(self._highlighted)

    def action_read_whole(self) -> None:
        """Shows the whole value of the highlighted field."""
        field = self._highlighted
        self.app.push_screen(ReadingScreen(str(field), self._whole_value(field)))

    def _complete_draft(self) -> None:
        """Adds what the draft does not have yet, or else reads the data with the draft as it is now."""
        if self.session.is_frozen:
            return
        suggested = suggested_sections(self._content, self.session.data_facts)
        if suggested:
            self._choose(suggested)
        elif not self.session.dry_run_is_current:
            self.wizard.start_dry_run()

    def _choose(self, sections: Sections) -> None:
        if not self.save_sections(**sections):
            return
        if not self.session.dry_run_is_current:
            self.wizard.start_dry_run()
        self.refresh_all()
