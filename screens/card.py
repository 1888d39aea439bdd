"""Step 8: the evidence card: the verdict with its interval, all arms, the five fields, and what tuning fixed and broke."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tuneproof.engine.audit.profile_text import profile_lines
from tuneproof.engine.card.markdown import card_title, method_lines, optional_sections
from tuneproof.engine.card.schema import CARD_MD, Card, CardArm, CardSection, DataShapeSection, MethodSection
from tuneproof.engine.card.summary import SummaryTitle, summary_lines
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.run.events import ArmScored
from tuneproof.engine.run.state import RunStatus
from tuneproof.engine.scoring.case_changes import CaseChange, ComparedCase, compare_cases
from tuneproof.engine.scoring.verdict_text import format_p_value, format_points, limits_of
from tuneproof.engine.session.baseline_choice import target_share
from tuneproof.engine.session.steps import WizardStep
from tuneproof.engine.session.wizard_words import in_wizard
from tuneproof.screens.ask import AskYesNo
from tuneproof.screens.failures import comparison_screen, failures_screen
from tuneproof.screens.step import NO_NEW_RUN, YES_NEW_RUN, StepScreen, new_run_question
from tuneproof.tui.meanings import OF_VERDICT
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.bars import RATE_WIDTH, rate_bar, rate_text
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize, sanitized_content

WITHOUT_NAME_AND_BAR = 6 + 2 + 1 + 1 + RATE_WIDTH + len("  format ") + RATE_WIDTH
"""Columns of an arm's line, with the border of its panel and the scrollbar, besides its name and the bar of its correct answers."""


NEXT_RUN_KEYS = "abc"
"""The keys of what to try next. The card is the last step, so that `c` is free."""


class CardScreen(StepScreen):
    """Shows the stored card, and compares the stored answers case by case."""

    STEP = WizardStep.CARD
    HELP_TEXT = """
**The answer, and why you can believe it.**

- **tune**: on the same frozen cases the tuned model is better than the best untuned arm, by more than chance explains.
  **do not tune**: an untuned arm meets the target, or the interval ends below the gain that you asked for (2 points if you named none), so
  tuning is not worth it or made it worse. **inconclusive**: the interval leaves both open.
- **+41 points [+30, +52]**: the difference, in percentage points, and its 95 % interval. **p**: the largest p-value of the tuned arm
  against any untuned arm, because it has to beat each; so it can be near 1 although the best one is far ahead. The verdict names both
  methods.
- **Fixed, still wrong, newly wrong**: the cases that one of the two got wrong. Look at the newly wrong ones before you ship.
- **Verify**: `tuneproof verify RUN` judges every stored answer again and compares every number and hash with the card.

- **What next**: each line is a new run in which one value is another, so that a difference has one cause. What would be measured in it as
  it was here is taken over, and the card of the new run compares the two.

The arrow keys scroll the card. v opens these cases in groups, y copies the card and writes it to a file, z shows the first
case that the tuned model got wrong token by token.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "compare", "Fixed / newly wrong"),
        Binding("y", "copy", "Copy"),
        Binding("z", "trace", "One request", show=False),
        Binding("a", "next_run(0)", "Try next", key_display="/".join(NEXT_RUN_KEYS)),
        *(Binding(key, f"next_run({number})", show=False) for number, key in enumerate(NEXT_RUN_KEYS[1:], start=1)),
        Binding("e", "start_new_run", "New run"),
    ]

    def compose_step(self) -> ComposeResult:
        with VerticalScroll(id="page"):
            yield MemoizedStatic(id="verdict", classes="panel")
            yield MemoizedStatic(id="card-arms", classes="panel")
            yield MemoizedStatic(id="since-last", classes="panel")
            yield MemoizedStatic(id="what-next", classes="panel")
            yield MemoizedStatic(id="fields", classes="panel")

    def on_mount(self) -> None:
        self.query_one("#card-arms").border_title = "On the same frozen cases"
        self.query_one("#since-last").border_title = "Since the run before"
        self.query_one("#what-next").border_title = "What next: one value at a time"
        self.query_one("#fields").border_title = "Verdict ─ Decision ─ Data Shape ─ Method ─ Eval Set ─ Risk"
        self.query_one("#page").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "next_step":
                return False
            case "compare" | "copy" | "start_new_run":
                return self.state.card is not None
            case "next_run":
                return parameters[0] in range(len(self.session.next_runs))
        return True

    def show(self) -> None:
        card = self.session.card if self.state.card is not None else None
        verdict = self.query_one("#verdict", Static)
        if card is None:
            verdict.border_title = "No card yet"
            verdict.update(self._no_card_text())
            self.query_one("#card-arms", Static).update(self._arms_so_far())
            for panel in ("#since-last", "#what-next", "#fields"):
                self.query_one(panel).display = False
            self.show_status("press 7 to go to the training")
            return
        verdict.border_title = "Verdict"
        verdict.update(Content("\n").join([OF_VERDICT[card.verdict.answer].signed(card_title(card)), *_summary(card)]))
        self.query_one("#card-arms", Static).update(self._arms(card))
        self._show_what_next()
        self.query_one("#fields").display = True
        self.query_one("#fields", Static).update(_fields(card))
        assert self.session.store is not None
        path = self.session.store.path
        self.show_status(f"card: {path / CARD_MD}   check it: tuneproof verify {path}")
        self.refresh_bindings()

    def _show_what_next(self) -> None:
        since, changes = self.session.since_last, self.session.next_runs
        panel = self.query_one("#since-last", Static)
        panel.display = since is not None
        if since is not None:
            panel.update(sanitized_content(_said("\n".join(since.describe()))))
        panel = self.query_one("#what-next", Static)
        panel.display = bool(changes)
        lines = [
            Content.assemble((f"{letter}  ", "bold"), (sanitize(_said(each.change), one_line=True, max_length=60), "bold"), f"  {each.why}")
            for letter, each in zip(NEXT_RUN_KEYS, changes, strict=False)
        ]
        panel.update(Content("\n").join(lines))

    def action_next_run(self, number: int) -> None:
        """Asks, and then opens a new run in which one value is another."""
        store, changes = self.session.store, self.session.next_runs
        if store is None or number >= len(changes):
            return
        chosen = changes[number]

        def answered(yes: bool | None) -> None:
            if yes:
                self.wizard.start_next_run(chosen)

        question = f"{_said(chosen.change)}\n{chosen.why}.\n\n{new_run_question(store.path.name, self.state)}"
        self.app.push_screen(AskYesNo("A new run with one value changed", question, YES_NEW_RUN, NO_NEW_RUN), answered)

    def _no_card_text(self) -> Content:
        if self.state.status is RunStatus.RUNNING:
            return Content(f"the run is in progress: {self.state.stage or 'starting'}")
        return Content("The card is written once the tuned arm is scored, or when you finish without training.")

    def _arms_so_far(self) -> Content:
        target = target_share(self.session.draft.content)
        lines = [self._arm_line(arm, target, "") for arm in self.state.arms.values()]
        return Content("\n").join(lines) if lines else Meaning.MUTED.text("nothing is measured yet")

    def _arm_line(self, arm: CardArm | ArmScored, target: float | None, best: str | None) -> Content:
        """An arm with its rates; `best` is the name of the one with a star."""
        widest = max([11, *map(len, self.state.arms)])
        width = max(6, min(30, self.columns - widest - WITHOUT_NAME_AND_BAR))
        head = Meaning.BEST.signed(f"{arm.arm:<{widest}}") if arm.arm == best else Content(f"  {arm.arm:<{widest}}")
        correct = rate_text(arm.correct)
        return Content.assemble(
            *(head, " ", rate_bar(arm.correct, width, target), " ", correct.pad_right(RATE_WIDTH - correct.cell_length)),
            *(Meaning.MUTED.text("  format "), rate_text(arm.format_valid)),
            *(() if arm.score is None else (Meaning.MUTED.text("  score "), f"{arm.score:.3f}")),
        )

    def _arms(self, card: Card) -> Content:
        target, best = target_share(self.session.draft.content), max(card.arms, key=lambda arm: arm.quality, default=None)
        lines = [self._arm_line(arm, target, best.arm if best else None) for arm in card.arms]
        difference = card.verdict.difference
        if difference is not None:
            points = format_points(difference, *limits_of(card.verdict))
            line = f"{ArmName.TUNED} − {card.verdict.best_untuned_arm}: {points}, {format_p_value(difference.p_value)}"
            line += f", the largest of {difference.arms}" if difference.arms > 1 else ""
            lines.append(Content.styled(line, "bold"))
        counted = self._counted()
        if counted:
            lines.append(Content(f"failures: {counted}   v opens them"))
        return Content("\n").join(lines)

    def _counted(self) -> str:
        cases = self._compared()
        return (
            " · ".join(f"{sum(c.change is change for c in cases)} {change}" for change in reversed(CaseChange)) if cases is not None else ""
        )

    def _compared(self) -> list[ComparedCase] | None:
        card = self.session.card
        best = card.verdict.best_untuned_arm if card else None
        if best is None or not self.session.predictions(ArmName.TUNED):
            return None
        return compare_cases(self.session.predictions(best), self.session.predictions(ArmName.TUNED))

    def action_compare(self) -> None:
        card = self.session.card
        best = card.verdict.best_untuned_arm if card else None
        cases = self._compared()
        if cases is not None and best is not None:
            self.app.push_screen(comparison_screen(best, ArmName.TUNED, cases, self.show_trace))
        elif best is not None:
            self.app.push_screen(failures_screen(best, self.session.predictions(best), self.show_trace))
        else:
            self.show_error("nothing is measured yet")

    def action_trace(self) -> None:
        """Shows the first case that the tuned model got wrong token by token, or else the first example."""
        wrong = [each.after.id for each in self._compared() or () if not each.after.correct]
        self.show_trace(wrong[0] if wrong else None)

    def action_copy(self) -> None:
        from tuneproof.tui.clipboard import copy

        store = self.session.store
        if store is not None and store.has(CARD_MD):
            self.notify(f"copied, and written to {copy(self.app, store.read(CARD_MD))}", markup=False)


def _said(text: str) -> str:
    """A sentence of the card as the wizard says it; the card itself names the keys of the case file."""
    return sanitize(in_wizard(text, says_where=False))


BESIDE_BARS = (SummaryTitle.TUNED, SummaryTitle.UNTUNED, SummaryTitle.DIFFERENCE)
"""The lines of the summary that the panel of the arms has."""


def _summary(card: Card) -> list[Content]:
    """What to read if nothing else is read."""
    return [
        Content.assemble((f"{line.title}  ", Meaning.HEADING.style), _said(line.text))
        for line in summary_lines(card)
        if line.title not in BESIDE_BARS
    ] + ([] if card.verdict.difference is not None else [Content("P shows the plan: what to do instead, and what is missing.")])


def _fields(card: Card) -> Content:
    fields: list[tuple[str, CardSection | None]] = [
        ("Decision", card.decision),
        ("Data Shape", card.data_shape),
        ("Method", card.method),
        ("Eval Set", card.eval_set),
    ]
    parts = [Content.assemble(("Verdict  ", Meaning.HEADING.style), _said(card.verdict.reason))]
    for title, field in fields:
        parts.append(Content.assemble((f"{title}  ", Meaning.HEADING.style), _said(field.summary if field else "Not reached.")))
        if isinstance(field, DataShapeSection):
            parts += [sanitized_content(f"- {line}") for line in profile_lines(field.profile)]
        if isinstance(field, MethodSection):
            parts += [sanitized_content(f"- {line}") for line in method_lines(field)]
    for section in optional_sections(card):
        parts.append(Content.assemble((f"{section.title}  ", Meaning.HEADING.style), sanitize(section.summary)))
        parts += [sanitized_content(f"- {line}") for line in (*section.rows, *section.lines)]
    parts.append(Meaning.HEADING.text("Risk"))
    parts += [sanitized_content(f"- {_said(item)}") for item in card.risk.items] or [sanitized_content(card.risk.summary)]
    return Content("\n").join(parts)
