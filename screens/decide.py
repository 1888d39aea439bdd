"""Step 1: the questions, the route as it stands, and which single answer would change it."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.case.draft import REQUIRED_ANSWERS, Draft
from tuneproof.engine.case.route import (
    ADVICE,
    ENOUGH_EXAMPLES,
    MINIMUM_BEFORE_TRAINING,
    QUESTIONS,
    REASONS,
    Question,
    Route,
    RouteAnswers,
    choose_route,
    what_if,
)
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.session.steps import Step
from tuneproof.screens.step import StepScreen
from tuneproof.tui.widgets.memoized_static import MemoizedStatic

NUMBER = "labeled_examples"

SHORT_ROUTES = {
    Route.RAG: "RAG first",
    Route.FINE_TUNING: "fine-tuning",
    Route.PROMPT: "prompt first",
    Route.TOOLING: "tooling first",
    Route.ALIGNMENT: "alignment first",
}
"""The routes, short enough to stand beside an answer at 80 columns."""


class QuestionList(OptionList):
    """The questions with their answers; digits and backspace edit the one that asks for a number."""

    def __init__(self, screen: DecideScreen) -> None:
        super().__init__(id="questions")
        self._step = screen

    async def _on_key(self, event: events.Key) -> None:
        asked = QUESTIONS[self.highlighted or 0].key
        if asked == NUMBER and (event.key == "backspace" or (event.character or "").isdecimal()):
            event.stop()
            event.prevent_default()
            self._step.type_number(event.character if event.key != "backspace" else None)


class DecideScreen(StepScreen):
    """Asks what the route rests on."""

    STEP = Step.DECIDE
    HELP_TEXT = """
**Which kind of fix does the problem ask for?** Fine-tuning changes habits: a format, a style, a narrow task done over and over.
It is seldom the fix for facts (look them up instead), nor for an output shape that a decoder can enforce.

- **Private facts**: prices, tickets, contracts: what no public text says. Retrieval puts them into the prompt when they are needed.
- **Format drift**: the same kind of request comes back as JSON once and as prose the next time.
- **Stable task**: next month's requests look like this month's.
- **Labelled examples**: pairs of a request and the answer you would have wanted. Left empty, they are counted from the data.
- **Route**: the recommended next step. It follows from the answers by a fixed rule; the table shows which answer would change it.
- **Minimum before training**: a prompt baseline (what the untuned model does), a validation set (to pick the best checkpoint), and a
  failure log (every case that went wrong). Without these three a training result means nothing, so training is refused.

y and n answer and go to the next question. Digits and backspace edit the number. g records that you want to train although the route
points elsewhere.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n", "answer(False)", "No"),
        Binding("g", "train_all_the_same", "Train all the same"),
        Binding("e", "start_anew", "Change (new run)"),
    ]

    def compose_step(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="asked"):
                yield QuestionList(self)
                yield MemoizedStatic(id="why", classes="panel", markup=False)
            with Vertical(id="answered"):
                yield MemoizedStatic(id="route", classes="panel")
                yield MemoizedStatic(id="what-if", classes="panel")

    def on_mount(self) -> None:
        self.query_one(QuestionList).border_title = "Seven questions"
        self.query_one("#why").border_title = "Why it matters"
        self.query_one("#route").border_title = "Route"
        self.query_one("#what-if").border_title = "If one answer were different"
        for question in QUESTIONS:
            self.query_one(QuestionList).add_option(Option("", id=question.key))
        first = self.session.draft.unanswered()
        self.query_one(QuestionList).highlighted = next((i for i, q in enumerate(QUESTIONS) if q.key in first), 0)
        self.query_one(QuestionList).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "train_all_the_same":
            return self.session.route() not in (None, Route.FINE_TUNING)
        if action == "start_anew":
            return self.session.is_frozen
        return not (action == "answer" and self.session.is_frozen)

    def show(self) -> None:
        listed = self.query_one(QuestionList)
        for question in QUESTIONS:
            listed.replace_option_prompt(question.key, self._line(question))
        answers = self.session.answers()
        self.query_one("#route", Static).update(_route_text(self.session.draft, answers, self.session.route(), self._insists()))
        self.query_one("#what-if", Static).update(_what_if_text(answers))
        self._show_why()
        if self.session.is_frozen:
            self.say("the eval set is frozen under these answers; e lays this run aside and begins another")
        elif self.session.route() not in (None, Route.FINE_TUNING) and self._insists():
            self.say("it is recorded in the case that you train all the same; g takes that back")
        elif self.session.route() not in (None, Route.FINE_TUNING):
            self.say("c goes on and measures the lighter way first; the case is saved, and training is skipped unless you press g")
        else:
            self.say("y and n answer, digits set the number; c goes on to the data")
        self.refresh_bindings()

    @on(OptionList.OptionHighlighted)
    def _show_why(self) -> None:
        question = QUESTIONS[self.query_one(QuestionList).highlighted or 0]
        self.query_one("#why", Static).update(f"{question.text}\n{question.why}")

    @on(OptionList.OptionSelected)
    def _entered(self) -> None:
        """Enter goes to the next question, and from the last one to the next step."""
        self._next_question(wrap=False)

    def action_answer(self, value: bool) -> None:
        question = QUESTIONS[self.query_one(QuestionList).highlighted or 0]
        if question.key != NUMBER:
            self._take(question.key, value)
            self._next_question()

    def type_number(self, digit: str | None) -> None:
        """Takes one more digit of the number, or one less."""
        now = self.session.draft.content.decision.labeled_examples
        text = ("" if now is None else str(now)) + digit if digit else str(now or "")[:-1]
        self._take(NUMBER, int(text[:9]) if text else None)

    def action_train_all_the_same(self) -> None:
        method = self.session.draft.content.method
        wanted = not method.even_if_routed_elsewhere
        try:
            self.session.draft.choose(method=method.model_copy(update={"even_if_routed_elsewhere": wanted}))
        except TuneproofError as error:
            self.attempt("Decide", error)
        self.refresh_all()

    def action_start_anew(self) -> None:
        self.wizard.start_anew()
        self.refresh_all()

    def _insists(self) -> bool:
        return self.session.draft.content.method.even_if_routed_elsewhere

    def _take(self, key: str, value: bool | int | None) -> None:
        if self.session.is_frozen:
            self.complain("the eval set is frozen under these answers; e lays this run aside and begins another")
            return
        try:
            self.session.draft.answer(key, value)
        except TuneproofError as error:
            self.attempt("Decide", error)
        self.refresh_all()

    def _next_question(self, *, wrap: bool = True) -> None:
        listed = self.query_one(QuestionList)
        at = listed.highlighted or 0
        if at + 1 < len(QUESTIONS):
            listed.highlighted = at + 1
        elif not wrap:
            self.action_next_step()

    def _line(self, question: Question) -> Content:
        value = getattr(self.session.draft.content.decision, question.key)
        if value is not None:
            shown = ("yes" if value else "no") if isinstance(value, bool) else f"{value:,}"
        elif question.key == NUMBER:
            answers = self.session.answers()
            shown = f"{answers.labeled_examples:,} found" if answers else "count"
        else:
            shown = "?" if question.key in REQUIRED_ANSWERS else "(no)"
        return Content.assemble(f" {question.short:<29}", (f"{shown:>9}", "bold"))


def _route_text(draft: Draft, answers: RouteAnswers | None, route: Route | None, insists: bool) -> Content:
    minimum = f"Needed before training: {', '.join(MINIMUM_BEFORE_TRAINING)}."
    few, enough = draft.route_answers(ENOUGH_EXAMPLES - 1), draft.route_answers(ENOUGH_EXAMPLES)
    if few is None or enough is None:
        return Content(f"not known yet: the answers marked ? decide it\n\n{minimum}")
    if route is None:
        told = f"with {ENOUGH_EXAMPLES} examples or more: {choose_route(enough)}\nwith fewer: {choose_route(few)}"
        return Content(f"{told}\n\nType the number, or go on: they are counted from the data.")
    told = REASONS[route] if route is Route.FINE_TUNING else f"{REASONS[route]} {ADVICE[route]}"
    lines = [Content.styled(route.value, "bold"), Content(told)]
    if route is Route.FINE_TUNING:
        lines.append(Content(minimum))
    elif insists:
        lines.append(Content.styled("You train all the same; the card will say so.", "bold"))
    return Content("\n").join(lines)


def _what_if_text(answers: RouteAnswers | None) -> Content:
    if answers is None:
        return Content(" the table appears with the answers")
    lines, route = [], choose_route(answers)
    topics = {question.key: question.topic for question in QUESTIONS}
    for row in what_if(answers):
        value = ("yes" if row.value else "no") if isinstance(row.value, bool) else str(row.value)
        changes = row.route is not route
        line = f"{'→' if changes else ' '} {topics[row.key]:<13} {value:<3} {SHORT_ROUTES[row.route]}"
        lines.append(Content.styled(line, "bold" if changes else "dim"))
    return Content("\n").join(lines)
