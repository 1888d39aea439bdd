"""The failure log, case by case: the prompt, the answer, the expected answer, and the class of the failure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.scoring.case_changes import CaseChange, ComparedCase
from tuneproof.engine.scoring.grade import FailureClass
from tuneproof.engine.scoring.predictions import Prediction
from tuneproof.screens.overlay import Overlay
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.key_line import KeyLine
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

LISTED = 2000
"""More lines than anyone reads; the file has them all."""


class CasesScreen(Overlay[None]):
    """A list of cases, with the highlighted case in full below it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close"),
        Binding("y", "copy", "Copy the case"),
        Binding("z", "trace", "Token by token"),
    ]

    def __init__(
        self,
        title: str,
        summary: str,
        lines: Sequence[Content],
        details: Sequence[Content],
        ids: Sequence[str],
        trace: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._title, self._summary, self._lines, self._details = title, summary, lines[:LISTED], details[:LISTED]
        self._ids, self._trace = ids, trace

    def compose(self) -> ComposeResult:
        listed = OptionList(*(Option(line) for line in self._lines), id="cases")
        listed.border_title = sanitized_content(self._title, one_line=True)
        listed.border_subtitle = sanitized_content(self._summary, one_line=True)
        yield listed
        with VerticalScroll(id="case", classes="panel fill"):
            yield Static(id="case-text")
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#cases").focus()
        if self._lines:
            self._show(0)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self._show(event.option_index)

    def _show(self, at: int) -> None:
        self.query_one("#case-text", Static).update(self._details[at])
        self.query_one("#case").scroll_home(animate=False)

    def action_copy(self) -> None:
        from tuneproof.tui.clipboard import copy

        at = self.query_one("#cases", OptionList).highlighted
        if at is not None:
            self.notify(f"copied, and written to {copy(self.app, self._details[at].plain)}", markup=False)

    def action_trace(self) -> None:
        """Shows the highlighted case token by token."""
        at = self.query_one("#cases", OptionList).highlighted
        if at is not None:
            self._trace(self._ids[at])


def failures_screen(arm: str, predictions: Sequence[Prediction], trace: Callable[[str], None]) -> CasesScreen:
    """The cases that an arm got wrong; `trace` shows one of them, by its id, token by token."""
    wrong = [p for p in predictions if p.failure_class is not None]
    counted = Counter(str(p.failure_class) for p in wrong)
    summary = " · ".join(f"{name} {count}" for name, count in counted.most_common())
    gone = counted[str(FailureClass.ENDPOINT_ERROR)]
    without = f", {gone} without an answer" if gone else ""
    return CasesScreen(
        f"{arm}: {len(wrong) - gone} of {len(predictions) - gone} cases wrong{without}",
        summary,
        [_line(str(p.failure_class), p) for p in wrong],
        [_details([(arm, p)]) for p in wrong],
        [p.id for p in wrong],
        trace,
    )


def comparison_screen(before: str, after: str, cases: Sequence[ComparedCase], trace: Callable[[str], None]) -> CasesScreen:
    """The cases that one of the two arms got wrong, grouped by how the answer changed."""
    counted = Counter(case.change for case in cases)
    summary = " · ".join(f"{count} {change}" for change, count in counted.items())
    return CasesScreen(
        f"{after} against {before}",
        summary,
        # A fixed case shows the old answer, a wrong one the new answer.
        [_line(case.change, case.before if case.change is CaseChange.FIXED else case.after) for case in cases],
        [_details([(before, case.before), (after, case.after)]) for case in cases],
        [case.before.id for case in cases],
        trace,
    )


def _line(kind: str, prediction: Prediction) -> Content:
    fields = f" ({', '.join(prediction.fields)})" if prediction.fields else ""
    line = f"{kind:<13} {prediction.output.strip() or prediction.unanswered or '(nothing)'}  ≠ {prediction.expected}"
    return sanitized_content(line + fields, one_line=True, max_length=240)


def _details(answers: Sequence[tuple[str, Prediction]]) -> Content:
    parts: list[Content] = [Meaning.HEADING.text("wanted"), sanitized_content(answers[0][1].expected)]
    for arm, prediction in answers:
        verdict = "correct" if prediction.correct else str(prediction.failure_class)
        fields = f": {', '.join(prediction.fields)}" if prediction.fields else ""
        parts += [
            (Meaning.DONE if prediction.correct else Meaning.ERROR).signed(sanitize(f"{arm} answered ({verdict}{fields})")),
            sanitized_content(prediction.output),
        ]
        if prediction.unanswered:
            server_message = f": {prediction.server_said}" if prediction.server_said else ""
            parts.append(
                sanitized_content(
                    f"no answer after {prediction.attempts} attempts: {prediction.unanswered}{server_message}",
                    one_line=True,
                    max_length=400,
                )
            )
        if prediction.shown:
            parts.append(sanitized_content(f"shown in the prompt: {', '.join(prediction.shown)}", one_line=True, max_length=400))
    for arm, prediction in answers:
        parts += [
            Meaning.HEADING.text(f"prompt of {arm}, {prediction.prompt_tokens} tokens"),
            sanitized_content(prediction.prompt, max_length=6000),
        ]
    return Content("\n").join(parts)
