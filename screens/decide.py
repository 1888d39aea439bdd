"""Step 1: the questions, the route that follows from the answers, and which single answer would change it."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.case.draft import REQUIRED_ANSWERS
from tuneproof.engine.case.route import (
    ENOUGH_EXAMPLES,
    MINIMUM_BEFORE_TRAINING,
    QUESTIONS,
    Question,
    Route,
    RouteAnswers,
    choose_route,
    reason_for,
    route_steps,
    what_if,
)
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.session.case_session import CaseSession
from tuneproof.engine.session.decision_form import routes_by_examples, with_digit, without_last_digit
from tuneproof.engine.session.own_example import own_example
from tuneproof.engine.session.said_and_measured import Measured, said_and_measured
from tuneproof.engine.session.steps import WizardStep
from tuneproof.screens.step import FROZEN_NOTICE, StepScreen
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitized_content

NUMBER_KEY = "labeled_examples"

SHORT_ROUTES = {
    Route.RAG: "RAG first",
    Route.FINE_TUNING: "fine-tuning",
    Route.PROMPT: "prompt first",
    Route.TOOLING: "tooling first",
    Route.ALIGNMENT: "alignment first",
    Route.GUARD: "guard first",
}
"""The routes, short enough for a line of the table at 80 columns."""


ROUTE_WORDS = {
    Route.RAG: "RAG, retrieval-augmented generation: the passages that an answer needs are looked up and put into the prompt.",
    Route.TOOLING: "A grammar lets a decoder write only valid answers; a tool does what no text can do.",
    Route.ALIGNMENT: "Alignment trains on pairs of a better and a worse answer.",
    Route.GUARD: "A guard reads requests and answers, and refuses what is unsafe.",
    Route.PROMPT: "A prompt baseline is what the untuned model scores with the best prompt you can write.",
    Route.FINE_TUNING: "Fine-tuning goes on training the model, on your examples.",
}
"""What the words of a route mean, where they first stand."""

FIXES = {
    Route.PROMPT: "a better prompt, or examples",
    Route.RAG: "facts looked up for each request",
    Route.TOOLING: "a tool, or a grammar",
    Route.FINE_TUNING: "training on your examples",
    Route.ALIGNMENT: "pairs of better and worse answers",
    Route.GUARD: "a filter for what is unsafe",
}
"""The kind of fix of each route, in one line of its panel."""

ROOMY = 32
"""Rows from which all panels have room; `app.tcss` and the app's breakpoints have the same number."""

WHAT_IF = "If one answer were different"

ASSUMED = "assumed: no"
"""How a question looks that nobody has to answer, and nobody has."""

MEASURED_MARKS = {True: "✓", False: "≠"}
"""Whether what was measured agrees with an answer."""


class QuestionList(OptionList):
    """The questions with their answers; digits and backspace edit the number of examples."""

    def __init__(self, screen: DecideScreen) -> None:
        super().__init__(id="questions")
        self._decide_screen = screen

    async def _on_key(self, event: events.Key) -> None:
        digit = event.character if (event.character or "").isdecimal() else None
        if QUESTIONS[self.highlighted or 0].key == NUMBER_KEY and (digit or event.key == "backspace"):
            event.stop()
            event.prevent_default()
            self._decide_screen.edit_number(digit)


class DecideScreen(StepScreen):
    """Asks the questions that decide the route."""

    STEP = WizardStep.DECIDE
    HELP_TEXT = """
**What kind of fix does the problem need?** Fine-tuning changes habits: a format, a style, a narrow task that is done again and again.
It is rarely the fix for facts (look them up instead), or where the output format is all that is wrong: a grammar in the decoder makes
every complete answer valid, though not right.

- **Private facts**: prices, tickets, contracts, anything that no public text says. Retrieval adds them to the prompt when they are needed.
- **Format drift**: the same kind of request is answered as JSON once and as prose the next time.
- **Fixed by tool or grammar**: yes if the model only has to call a tool, or if a grammar for the format would be the whole fix; no if
  values are wrong, too.
- **assumed: no**: a question that you leave open counts as no.
- **Style**: how brand, tone or behaviour should be, shown by examples.
- **Falls short**: your best prompt is not enough. With a target, the baselines step measures it, and the route is drawn again.
- **Cheaper, faster or smaller**: a small model is to do what a large one does.
- **Unsafe requests**: a guard refuses them; alignment comes next.
- **Fit the prompt**: private facts that fit into every prompt need no retrieval.
- **Stable task**: next month's requests look like this month's.
- **Labelled examples**: pairs of a request and the answer that you want. If you leave the number empty, they are counted in the data.
- **Route**: the recommended next step. It follows from the answers by a fixed rule; the table shows which answer would change it.
- **✓ and ≠** after an answer: once the arms have run, what they measured agrees with it, or does not; the panel below says what it is.
- **Minimum before training**: a prompt baseline (what the untuned model does), a validation set (to pick the best checkpoint), and a
  failure log (every case that went wrong). Without all three a training result means nothing, so training is refused.

y and n answer and go to the next question. Digits and backspace edit the number. g records that you want to train although the route
recommends something else.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n", "answer(False)", "No"),
        Binding("g", "train_anyway", "Train anyway"),
        Binding("d", "edit_key('data.documents')", "Documents"),
        Binding("e", "start_new_run", "Change (new run)"),
    ]

    def compose_step(self) -> ComposeResult:
        with Grid(id="decision"):
            yield QuestionList(self)
            with Vertical(id="route-column"):
                yield MemoizedStatic(id="route", classes="panel")
                yield MemoizedStatic(id="what-if", classes="panel")
            yield MemoizedStatic(id="why", classes="panel", markup=False)

    def on_mount(self) -> None:
        self.query_one(QuestionList).border_title = "Twelve questions"
        self.query_one("#why").border_title = "Why it matters"
        self.query_one("#route").border_title = "Route"
        for question in QUESTIONS:
            self.query_one(QuestionList).add_option(Option("", id=question.key))
        first = self.session.draft.unanswered()
        self.query_one(QuestionList).highlighted = next((i for i, q in enumerate(QUESTIONS) if q.key in first), 0)
        self.query_one(QuestionList).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "train_anyway":
            return self.session.route() not in (None, Route.FINE_TUNING)
        if action == "edit_key":
            return self.session.route() is Route.RAG
        if action == "start_new_run":
            return self.session.is_frozen
        return not (action == "answer" and self.session.is_frozen)

    def show(self) -> None:
        listed = self.query_one(QuestionList)
        for question in QUESTIONS:
            listed.replace_option_prompt(question.key, self._line(question))
        answers = self.session.answers()
        self.query_one("#route", Static).update(_route_text(self.session, trains_anyway=self._trains_anyway))
        self.query_one("#what-if", Static).update(_what_if_text(answers) if answers is not None else _all_routes())
        self.query_one("#what-if").border_title = WHAT_IF if answers is not None else "Where the answers may lead"
        self._show_why()
        if self.session.is_frozen:
            self.show_status(FROZEN_NOTICE)
        elif self.session.route() not in (None, Route.FINE_TUNING) and self._trains_anyway:
            self.show_status("the case records that you train anyway; press g to withdraw it")
        elif self.session.route() not in (None, Route.FINE_TUNING):
            documents = "; d names the documents" if self.session.route() is Route.RAG else ""
            self.show_status(f"press c to measure the simpler fix first; training is skipped unless you press g{documents}")
        else:
            self.show_status("y and n answer, digits set the number; c continues to the data")
        self.refresh_bindings()

    @on(OptionList.OptionHighlighted)
    def _show_why(self) -> None:
        question = QUESTIONS[self.query_one(QuestionList).highlighted or 0]
        own = own_example(self.session.data_facts)
        example = f"Your first row: {own}" if own is not None else f"For example: {question.example}"
        lines = [" ".join([question.text, question.why, example, self._otherwise(question)]).strip()]
        if (measured := self._measured(question)) is not None:
            agrees = "as you said" if measured.agrees else "not as you said"
            lines.append(f"{MEASURED_MARKS[measured.agrees]} {agrees}: {measured.text}.")
        # Where the panel is narrow it is high.
        needed = f"needed before training: {', '.join(MINIMUM_BEFORE_TRAINING)}"
        is_roomy = self.app.size.height >= ROOMY
        lines += ["", needed] if is_roomy else []
        self.query_one("#why").border_subtitle = "" if is_roomy else needed
        self.query_one("#what-if").border_subtitle = "" if is_roomy else "m and tab show all"
        self.query_one("#why", Static).update(sanitized_content("\n".join(lines)))

    def _otherwise(self, question: Question) -> str:
        """Where another answer to the question would lead, if that is elsewhere."""
        answers = self.session.answers()
        rows = what_if(answers) if answers is not None else []
        other = next((row for row in rows if row.key == question.key and row.route is not self.session.route()), None)
        return "" if other is None else f"If {_value(other.value)}: {SHORT_ROUTES[other.route]}."

    def _measured(self, question: Question) -> Measured | None:
        """What the arms say about a question, once they have run."""
        return said_and_measured(question.key, self.session.draft.content, self.state)

    @on(OptionList.OptionSelected)
    def _entered(self) -> None:
        """Enter goes to the next question, and from the last one to the next step."""
        self._next_question(wrap=False)

    def action_answer(self, value: bool) -> None:
        question = QUESTIONS[self.query_one(QuestionList).highlighted or 0]
        if question.key != NUMBER_KEY:
            self._save_answer(question.key, value)
            self._next_question()

    def edit_number(self, digit: str | None) -> None:
        """Adds a digit to the number, or removes the last one if None."""
        now = self.session.draft.content.decision.labeled_examples
        self._save_answer(NUMBER_KEY, with_digit(now, digit) if digit else without_last_digit(now))

    def action_train_anyway(self) -> None:
        method = self.session.draft.content.method
        self.save_sections(method=method.model_copy(update={"even_if_routed_elsewhere": not method.even_if_routed_elsewhere}))
        self.refresh_all()

    @property
    def _trains_anyway(self) -> bool:
        return self.session.draft.content.method.even_if_routed_elsewhere

    def _save_answer(self, key: str, value: bool | int | None) -> None:
        if self.session.is_frozen:
            self.show_error(FROZEN_NOTICE)
            return
        try:
            self.session.draft.answer(key, value)
        except TuneproofError as error:
            self.show_error(str(error), title=str(self.STEP))
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
        elif question.key == NUMBER_KEY:
            answers = self.session.answers()
            shown = f"{answers.labeled_examples:,} found" if answers else "count"
        else:
            shown = "?" if question.key in REQUIRED_ANSWERS else ASSUMED
        measured = self._measured(question)
        mark = MEASURED_MARKS[measured.agrees] if measured is not None else " "
        style = Meaning.MUTED.style if shown == ASSUMED else "bold"
        return Content.assemble(f" {question.short:<25} ", (f"{shown:>12}", style), mark)


def _route_text(session: CaseSession, *, trains_anyway: bool) -> Content:
    draft, route = session.draft, session.route()
    by_examples = routes_by_examples(draft)
    if by_examples is None:
        return Content("not known yet: answer the questions marked ?")
    if route is None:
        routes = f"with {ENOUGH_EXAMPLES} examples or more: {by_examples.enough}\nwith fewer: {by_examples.fewer}"
        return Content(f"{routes}\n\nType the number, or continue: the examples are counted in the data.")
    # Where the number is not known yet, it does not matter for the route.
    answers = session.answers() or draft.route_answers(ENOUGH_EXAMPLES)
    assert answers is not None
    steps = route_steps(answers)[1 if route is Route.FINE_TUNING else 0 :]
    lines = [Meaning.ROUTE.text(route.value)]
    if trains_anyway and route is not Route.FINE_TUNING:
        lines.append(Meaning.WARN.signed("You train anyway; the card will say so."))
    lines += [Content(" ".join([reason_for(answers), *steps])), Content.styled(ROUTE_WORDS[route], Meaning.MUTED.style)]
    return Content("\n").join(lines)


def _all_routes() -> Content:
    """Every route with what its words mean, as long as the answers do not say which one it is."""
    lines = [
        Content.assemble((f" {SHORT_ROUTES[route]}", Meaning.ROUTE.style), "\n", Meaning.MUTED.text(f"   {fix}"))
        for route, fix in FIXES.items()
    ]
    return Content("\n").join(lines)


def _value(value: bool | int) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _what_if_text(answers: RouteAnswers) -> Content:
    lines, route = [], choose_route(answers)
    # Those that change the route come first: a small terminal has no room for all.
    rows = sorted(what_if(answers), key=lambda row: row.route is route)
    topics = {question.key: question.topic for question in QUESTIONS}
    for row in rows:
        value = _value(row.value)
        changes = row.route is not route
        line = f"{'→' if changes else ' '} {topics[row.key]:<13} {value:<3} {SHORT_ROUTES[row.route]}"
        lines.append(Content.styled(line, "bold" if changes else Meaning.MUTED.style))
    return Content("\n").join(lines)
