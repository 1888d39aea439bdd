"""The dialogs of the task step: the right one for each field, and the user's editor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tuneproof.engine.case.output_bounds import BoundsChoice
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.task import METRICS, Metric, OutputKind
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.session.comparison_form import chosen_rule, rule_choices, with_rule
from tuneproof.engine.session.form_input import InputError, parse_bounds
from tuneproof.engine.session.judge_form import judge_entered
from tuneproof.engine.session.script_form import script_entered, script_text
from tuneproof.engine.session.task_form import (
    BOUNDS_CHOICES,
    CODE_CHOICES,
    OWN_BOUNDS,
    TYPED_FIELDS,
    Sections,
    TaskField,
    TypedField,
    bounds_text,
    describe_chosen_bounds,
    question_about_code,
    task_of,
    with_answer_about_code,
    with_bounds,
    with_kind,
    with_metric,
)
from tuneproof.engine.session.task_values import KIND_MEANINGS, METRIC_MEANINGS
from tuneproof.screens.ask import AskChoice, AskLine, AskText, Dialog
from tuneproof.screens.step import StepScreen
from tuneproof.tui.editor import EditorError, edited


class TaskDialogs:
    """Asks for the fields of the task, and saves what was entered."""

    def __init__(self, screen: StepScreen, save: Callable[[Sections], None]) -> None:
        self._screen, self._save = screen, save

    def ask(self, field: TaskField) -> None:
        """Opens the dialog of a field."""
        match field:
            case TaskField.OUTPUT_KIND:
                self._ask_kind()
            case TaskField.METRIC:
                self._ask_metric()
            case TaskField.COMPARED:
                self._ask_rule()
            case TaskField.BOUNDS:
                self._ask_bounds()
            case _:
                self._ask_text(field)

    def edit(self, field: TaskField) -> None:
        """Opens a text in the user's editor; what cannot be saved stays in a dialog."""
        typed = TYPED_FIELDS.get(field)
        if typed is None or not typed.has_lines:
            self._screen.show_status(f"{field} is chosen or has one line: press enter to change it")
            return
        try:
            text = edited(self._screen.app, typed.text(self._content), typed.suffix)
        except EditorError as error:
            self._screen.show_error(str(error), title="Editor")
            return
        try:
            self._check_text(typed, text)
        except InputError as error:
            self._ask_text(field, text, error)
            return
        self._text_entered(typed, text)

    def bounds(self) -> str:
        """The bounds of constrained decoding, or what is wrong with those of the case."""
        try:
            return describe_chosen_bounds(task_of(self._content).output.bounds, self._screen.session.grammar_bounds)
        except CaseError as error:
            return f"{error.what}; {error.fix}"

    @property
    def _content(self) -> DraftCase:
        return self._screen.session.draft.content

    def _ask_kind(self) -> None:
        found = self._screen.session.data_facts

        def chosen(word: str | None) -> None:
            if word is not None:
                self._save(with_kind(self._content, OutputKind(word), found.drafted_output if found else None))

        why = f"What an answer has to look like. {found.drafted_why if found else ''}"
        choices = [(kind.value, meaning) for kind, meaning in KIND_MEANINGS.items()]
        self._screen.app.push_screen(AskChoice("Output kind", why, choices, task_of(self._content).output.kind), chosen)

    def _ask_metric(self) -> None:
        def chosen(word: str | None) -> None:
            if word == Metric.SCRIPT:
                self._ask_script()
            elif word == Metric.PREFERENCE and self._content.judge is None:
                self._ask_judge()
            elif word is not None:
                self._save(with_metric(self._content, Metric(word)))

        task = task_of(self._content)
        choices = [(metric.value, METRIC_MEANINGS[metric]) for metric in (*METRICS[task.output.kind], Metric.SCRIPT)]
        self._screen.app.push_screen(AskChoice("Metric", "What is counted over the eval cases.", choices, task.primary_metric), chosen)

    def _ask_rule(self) -> None:
        def chosen(word: str | None) -> None:
            if word is not None and (sections := with_rule(self._content, word)):
                self._save(sections)

        why = "When an answer equals the expected one. Rules with settings, and rules for single fields, are in the key list (k): compare."
        ask = AskChoice("Compared", why, rule_choices(self._content), chosen_rule(self._content))
        self._screen.app.push_screen(ask, chosen)

    def _ask_judge(self) -> None:
        def check(text: str) -> str:
            judge_entered(text)
            return ""

        def entered(text: str | None) -> None:
            if text is not None:
                self._save(with_metric(self._content, Metric.PREFERENCE) | {"judge": judge_entered(text)})

        why = (
            "The model that prefers one of two answers: a folder, a name on the hub, or the URL of a server and the name of the model "
            "there. It is checked before it decides. Its rubric is one of the keys that k lists."
        )
        self._screen.app.push_screen(AskLine("Judge", why, check=check), entered)

    def _ask_script(self) -> None:
        path, task = self._screen.session.draft.path, task_of(self._content)
        folder = path.parent if path else Path.cwd()

        def check(text: str) -> str:
            script_entered(text, folder, task)
            return ""

        def entered(text: str | None) -> None:
            if text is not None:
                self._save(with_metric(self._content, script_entered(text, folder, task)))

        why = (
            "A Python function that gives an answer a score from 0 to 1, or several by name. Type it, or the name of the file that has it."
        )
        self._screen.app.push_screen(AskText("Script", why, script_text(task), check, suffix=".py"), entered)

    def _ask_bounds(self) -> None:
        def chosen(word: str | None) -> None:
            if word == OWN_BOUNDS:
                self._ask_own_bounds()
            elif word is not None:
                self._save(with_bounds(self._content, BoundsChoice(word)))

        now = task_of(self._content).output.bounds
        why = f"What constrained decoding may write where the format leaves it open. {self.bounds()}"
        word = now.value if isinstance(now, BoundsChoice) else OWN_BOUNDS
        self._screen.app.push_screen(AskChoice("Bounds", why, list(BOUNDS_CHOICES.items()), word), chosen)

    def _ask_own_bounds(self) -> None:
        def check(text: str) -> str:
            self._screen.check_sections(with_bounds(self._content, parse_bounds(text)))
            return ""

        def entered(text: str | None) -> None:
            if text is not None:
                self._save(with_bounds(self._content, parse_bounds(text)))

        own = task_of(self._content).output.bounds
        try:
            now = own if isinstance(own, dict) else self._screen.session.grammar_bounds or {}
        except CaseError:
            now = {}
        why = "For each part its values, pattern, max_length, max_items, max_digits or decimals. A part that is not listed is open."
        self._screen.app.push_screen(AskText("Bounds", why, bounds_text(now), check, suffix=".json"), entered)

    def _ask_text(self, field: TaskField, text: str | None = None, wrong: InputError | None = None) -> None:
        """Asks for the text of a field, starting with another one and what is wrong with it, if they are given."""
        typed = TYPED_FIELDS[field]
        now = typed.text(self._content) if text is None else text
        check = partial(self._check_text, typed)
        if typed.has_lines:
            ask: Dialog = AskText(typed.title, typed.why, now, check, suffix=typed.suffix, wrong=wrong)
        else:
            ask = AskLine(typed.title, typed.why, now, typed.placeholder, check, is_slow=typed.look is not None)
        self._screen.app.push_screen(ask, partial(self._text_entered, typed))

    def _check_text(self, typed: TypedField, text: str) -> str:
        """How a typed text is read. Raises InputError if it cannot be saved."""
        changed = self._screen.check_sections(typed.sections(self._content, text))
        return typed.look(text) if typed.look is not None else typed.reads(changed)

    def _text_entered(self, typed: TypedField, text: str | None) -> None:
        if text is None:
            return
        sections = typed.sections(self._content, text)
        question = question_about_code(sections)
        if question is None:
            self._save(sections)
        else:
            self._ask_about_code(sections, question)

    def _ask_about_code(self, sections: Sections, question: str) -> None:
        def answered(word: str | None) -> None:
            self._save(with_answer_about_code(sections, word))

        self._screen.app.push_screen(AskChoice("Code of the base model", question, CODE_CHOICES, CODE_CHOICES[0][0]), answered)
