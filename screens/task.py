"""Step 4: the task, how an answer is judged, how much data is set aside; then the eval set is frozen."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.case.output_bounds import BoundsChoice
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.task import METRICS, Metric, OutputFormat, OutputKind
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.scoring.power import detects, needed_cases_text
from tuneproof.engine.session.eval_size import EvalSize, is_small, larger_eval_sets
from tuneproof.engine.session.form_input import InputError, parse_bounds
from tuneproof.engine.session.steps import WizardStep
from tuneproof.engine.session.task_form import (
    BOUNDS_CHOICES,
    CODE_CHOICES,
    OWN_BOUNDS,
    TYPED_FIELDS,
    FreezeStatus,
    Sections,
    TaskField,
    bounds_text,
    describe_chosen_bounds,
    describe_target,
    drafted_task,
    fields_of,
    freeze_status,
    instruction_warning,
    question_about_code,
    split_of,
    suggested_sections,
    task_of,
    with_answer_about_code,
    with_bounds,
    with_kind,
    with_metric,
)
from tuneproof.screens.ask import AskChoice, AskLine, AskText
from tuneproof.screens.step import FROZEN_NOTICE, StepScreen
from tuneproof.tui.messages import DryRunChanged
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize

KIND_MEANINGS = {
    OutputKind.JSON: "a JSON object; a schema says which fields it has",
    OutputKind.CHOICE: "one of a few labels",
    OutputKind.PATTERN: "a text in which a regular expression finds the answer",
    OutputKind.TEXT: "free text; only an exact match is correct",
}

METRIC_MEANINGS = {
    Metric.EXACT_MATCH: "the whole answer is right",
    Metric.FIELD_ACCURACY: "the share of JSON fields that are right",
    Metric.CHOICE_ACCURACY: "the label is right",
    Metric.MACRO_F1: "F1 averaged over the labels, so that rare labels count as much as common ones",
    Metric.PATTERN_MATCH: "what the pattern finds is right",
}

FIELD_WIDTH = max(len(field) for field in TaskField)


class TaskScreen(StepScreen):
    """A form for the task, the target, the base model and the split; and the freeze."""

    STEP = WizardStep.TASK
    HELP_TEXT = """
**How will you know that it got better?** Every system answers the same cases, and every answer is judged by the same rule.

- **Output kind**: what an answer has to look like. It was drafted from your examples; check it before you trust it.
- **Schema**: for JSON, the fields and the values they may have. An answer that breaks the schema is *not format-valid*.
- **Bounds**: how long and of what form the parts of a *constrained* answer may be, proposed from your training rows, so that an open
  string ends. They never change how an answer is judged.
- **Metric**: what is counted. **Target**: the score that would be good enough. If an untuned system reaches it, no training
  is needed.
- **Split**: the model trains on *train*; *validation* is scored during training and picks the best checkpoint; *eval* is used
  only to score.
- **Detect 16 points four times in five**: if two systems really differ by so much, four of five such eval sets show it. Four times as
  many cases halve it. It depends on how often the two disagree, which is assumed until they have run. **m** moves rows from train into
  eval.
- **Freeze** (f): writes the eval set and stores its SHA-256 in the manifest. From then on neither the eval set nor the task can change
  in this run, so nobody can later pick the cases that suit the result.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "freeze", "Freeze the eval set"),
        Binding("m", "enlarge_eval", "More eval cases"),
        Binding("d", "draft_again", "Draft again"),
        Binding("r", "resume_freeze", "Resume"),
        Binding("e", "start_new_run", "Change (new run)"),
    ]

    def compose_step(self) -> ComposeResult:
        yield OptionList(id="form")
        yield MemoizedStatic(id="split", classes="panel")

    def on_mount(self) -> None:
        self.query_one("#split").border_title = "Eval set"
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
            case "freeze" | "draft_again":
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
        self._show_freeze_status()
        self.refresh_bindings()

    def _line(self, field: TaskField) -> Content:
        value = _value(field, self._content, self._bounds())
        return Content.assemble(f" {field:<{FIELD_WIDTH}}  ", (sanitize(value, one_line=True, max_length=200), "bold"))

    def _bounds(self) -> str:
        """The bounds of constrained decoding, or what is wrong with those of the case."""
        try:
            return describe_chosen_bounds(task_of(self._content).output.bounds, self.session.grammar_bounds)
        except CaseError as error:
            return f"{error.what}; {error.fix}"

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
        lines = [self._counts_text(), *([Content.styled(warning, "bold")] if warning else [])]
        return Content("\n").join(lines)

    @property
    def _larger_eval_sets(self) -> list[EvalSize]:
        """The larger eval sets that can be chosen now."""
        split = self.wizard.dry_run_state.frozen
        return [] if self.session.is_frozen or split is None else larger_eval_sets(self._content, split)

    def _counts_text(self) -> Content:
        state = self.state if self.session.is_frozen else self.wizard.dry_run_state
        frozen = state.frozen
        if frozen is None:
            return Content("the number of eval cases is known once the audit has passed")
        lines = [
            Content(f"{frozen.train} training cases, {frozen.validation} validation cases, {frozen.eval} eval cases"),
            Content(detects(frozen.eval, frozen.minimum_detectable_effect)),
            Content(needed_cases_text()),
        ]
        if is_small(frozen) and self._larger_eval_sets:
            lines.append(Content.styled("few eval cases: press m to move rows from train into eval", "bold"))
        if self.session.is_frozen:
            lines.append(Content.styled(f"frozen, sha256 {frozen.eval_sha256}", "bold"))
        return Content("\n").join(lines)

    def _show_freeze_status(self) -> None:
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
        return failure.message if failure is not None else f"the worker {self.state.status.value} before the eval set was frozen"

    def action_freeze(self) -> None:
        if self._freeze_status is not FreezeStatus.READY:
            self.show_error("not yet: the data has not passed the audit with this task")
            return
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
            (share, f"about {size.eval} cases, which detect {100 * size.effect:.0f} points; {size.train} rows to train on")
            for share, size in sizes.items()
        ]
        why = "The share of the rows that goes into eval; the more there are to score on, the fewer there are to train on."
        self.app.push_screen(AskChoice("More eval cases", why, meanings, next(iter(sizes))), chosen)

    def action_draft_again(self) -> None:
        found = self.session.data_facts
        if found is not None:
            self._choose({"task": drafted_task(self._content, found)})
            self.notify(found.drafted_why, markup=False)

    def action_start_new_run(self) -> None:
        self.wizard.start_new_run()

    @on(OptionList.OptionSelected, "#form")
    def _edit(self, event: OptionList.OptionSelected) -> None:
        field = TaskField(str(event.option.id))
        if self.session.is_frozen:
            self.show_error(FROZEN_NOTICE)
        elif field is TaskField.OUTPUT_KIND:
            self._ask_kind()
        elif field is TaskField.METRIC:
            self._ask_metric()
        elif field is TaskField.BOUNDS:
            self._ask_bounds()
        else:
            self._ask_text(field)

    def _ask_kind(self) -> None:
        found = self.session.data_facts

        def chosen(word: str | None) -> None:
            if word is not None:
                self._choose(with_kind(self._content, OutputKind(word), found.drafted_output if found else None))

        why = f"What an answer has to look like. {found.drafted_why if found else ''}"
        choices = [(kind.value, meaning) for kind, meaning in KIND_MEANINGS.items()]
        self.app.push_screen(AskChoice("Output kind", why, choices, task_of(self._content).output.kind), chosen)

    def _ask_metric(self) -> None:
        def chosen(word: str | None) -> None:
            if word is not None:
                self._choose(with_metric(self._content, Metric(word)))

        task = task_of(self._content)
        choices = [(metric.value, METRIC_MEANINGS[metric]) for metric in METRICS[task.output.kind]]
        self.app.push_screen(AskChoice("Metric", "What is counted over the eval cases.", choices, task.primary_metric), chosen)

    def _ask_bounds(self) -> None:
        def chosen(word: str | None) -> None:
            if word == OWN_BOUNDS:
                self._ask_own_bounds()
            elif word is not None:
                self._choose(with_bounds(self._content, BoundsChoice(word)))

        now = task_of(self._content).output.bounds
        why = f"What constrained decoding may write where the format leaves it open. {self._bounds()}"
        word = now.value if isinstance(now, BoundsChoice) else OWN_BOUNDS
        self.app.push_screen(AskChoice("Bounds", why, list(BOUNDS_CHOICES.items()), word), chosen)

    def _ask_own_bounds(self) -> None:
        def entered(text: str | None) -> None:
            if text is None:
                return
            try:
                self._choose(with_bounds(self._content, parse_bounds(text)))
            except InputError as error:
                self.show_error(str(error))

        own = task_of(self._content).output.bounds
        try:
            now = own if isinstance(own, dict) else self.session.grammar_bounds or {}
        except CaseError:
            now = {}
        why = "For each part its values, pattern, max_length, max_items, max_digits or decimals. A part that is not listed is open."
        self.app.push_screen(AskText("Bounds", why, bounds_text(now)), entered)

    def _ask_text(self, field: TaskField) -> None:
        typed = TYPED_FIELDS[field]

        def entered(text: str | None) -> None:
            if text is None:
                return
            try:
                sections = typed.sections(self._content, text)
            except InputError as error:
                self.show_error(str(error))
                return
            question = question_about_code(sections)
            if question is None:
                self._choose(sections)
            else:
                self._ask_about_code(sections, question)

        now = typed.text(self._content)
        ask = AskText(typed.title, typed.why, now) if typed.has_lines else AskLine(typed.title, typed.why, now, typed.placeholder)
        self.app.push_screen(ask, entered)

    def _ask_about_code(self, sections: Sections, question: str) -> None:
        def answered(word: str | None) -> None:
            self._choose(with_answer_about_code(sections, word))

        self.app.push_screen(AskChoice("Code of the base model", question, CODE_CHOICES, CODE_CHOICES[0][0]), answered)

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


def _value(field: TaskField, content: DraftCase, bounds: str) -> str:
    """The value of a field as the form shows it; `bounds` is what it shows for those."""
    task = task_of(content)
    match field:
        case TaskField.INSTRUCTION:
            return task.instruction or "none: the model gets only the input"
        case TaskField.OUTPUT_KIND:
            return f"{task.output.kind}: {KIND_MEANINGS[task.output.kind]}"
        case TaskField.SCHEMA:
            return _schema_line(task.output)
        case TaskField.CHOICES:
            return ", ".join(task.output.choices) if task.output.choices else "the labels in the training rows"
        case TaskField.PATTERN:
            return task.output.pattern or ""
        case TaskField.BOUNDS:
            return bounds
        case TaskField.METRIC:
            return f"{task.primary_metric}: {METRIC_MEANINGS[task.primary_metric]}"
        case TaskField.TARGET:
            return describe_target(content.target)
        case TaskField.BASE:
            return content.model.base if content.model else "none"
        case TaskField.SHARES:
            split = split_of(content)
            scored = "a separate eval file" if content.data and content.data.eval else f"eval {split.eval:g}"
            return f"train {split.train:g}, validation {split.validation:g}, {scored}"
        case TaskField.KEEP_TOGETHER:
            return split_of(content).group_by or "rows with the same request"


def _schema_line(output: OutputFormat) -> str:
    schema = output.json_schema
    if not isinstance(schema, dict):
        return "any JSON"
    names = list(schema.get("properties", {}))
    return f"{len(names)} fields: {', '.join(names)}" if names else "a JSON Schema"
