"""Step 5: what the untuned model does on the frozen cases, arm by arm, and where it goes wrong."""

from __future__ import annotations

import inspect
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.arms import UNTUNED_ARMS
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.state import RunStatus
from tuneproof.engine.session.steps import Step
from tuneproof.screens.failures import failures_screen
from tuneproof.screens.step import StepScreen
from tuneproof.tui.widgets.bars import bar, percent, rate_bar
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize

BAR = 10
HEAD = f"{'arm':<16} {'format valid':<21} {'correct':<20} tokens s/case"


class BaselinesScreen(StepScreen):
    """Chooses the untuned arms, runs them, and shows their rates and failures."""

    STEP = Step.BASELINES
    HELP_TEXT = """
**What does the model do without any training?** If the best prompt is good enough, you are done; if not, this is what tuning has to beat.

- **Arm**: one system that answers all the frozen cases. What the marked one does stands below the list; the lightest is the first.
  Where an arm can ask in several ways, validation cases choose the way, never the frozen ones.
- **Format valid**: the answer has the shape that the task asks for. **Correct**: it is also right.
- **58 % [45–70]**: the rate measured, and its 95 % *interval* (Wilson's): with another draw of as many cases the rate could well have
  been anywhere in it. When intervals of two arms overlap much, do not believe the difference yet.
- **Tokens a case**: what each request costs to run. A long prompt with examples costs more on every request, for ever.
- **Failure class**: no JSON at all, prose around it, a missing field, a wrong value, cut off: it tells what kind of help is needed.

space takes an arm in or out, r runs them, enter opens the failures of the marked arm.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run", "Run"),
        Binding("space", "take_in_or_out", "Take in/out"),
        Binding("s", "stop", "Stop"),
        Binding("f", "finish_here", "Finish here"),
    ]

    def compose_step(self) -> ComposeResult:
        yield OptionList(id="arms")
        yield MemoizedStatic(id="about", classes="panel")
        yield MemoizedStatic(id="baseline-verdict", classes="panel fill")

    def on_mount(self) -> None:
        listed = self.query_one("#arms", OptionList)
        listed.add_option(Option(Content.styled(HEAD, "bold"), disabled=True))
        for name in UNTUNED_ARMS:
            listed.add_option(Option("", id=name))
        self.query_one("#about").border_title = "The marked arm"
        self.query_one("#baseline-verdict").border_title = "So far"
        listed.focus()
        listed.highlighted = 1

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        running = self.state.status is RunStatus.RUNNING
        match action:
            case "run" | "take_in_or_out":
                return not running
            case "stop":
                return running
            case "finish_here":
                return not running and bool(self.session.arms_that_meet_the_target()) and self.state.card is None
        return True

    def show(self) -> None:
        listed = self.query_one("#arms", OptionList)
        frozen = self.state.frozen
        if frozen is not None:
            effect = round(100 * frozen.minimum_detectable_effect)
            listed.border_title = f"On {frozen.eval} frozen cases (sha {frozen.eval_sha256[:8]}…): can show about {effect} points"
        for name in UNTUNED_ARMS:
            listed.replace_option_prompt(name, self._line(name))
        self._about()
        self.query_one("#baseline-verdict", Static).update(self._so_far())
        self._say_how_it_stands()
        self.refresh_bindings()

    def _line(self, name: str) -> Content:
        state = self.state
        taken = "[x]" if name in self.session.draft.content.baselines else "[ ]"
        scored = state.arms.get(name)
        decoding = state.decoding
        head = f"{taken} {name:<12}"
        if scored is not None:
            costs = f"{scored.tokens_per_case:4.0f} {scored.seconds_per_case:6.3f}"
            told = f"{rate_bar(scored.format_valid, 6):<21} {rate_bar(scored.correct, 6):<21} {costs}"
        elif decoding is not None and decoding.arm == name and state.status is RunStatus.RUNNING:
            told = f"{bar(decoding.done / max(1, decoding.of), BAR)} answered {decoding.done} of {decoding.of}"
        else:
            told = "not run yet" if name in self.session.draft.content.baselines else "not asked for"
        return Content(f"{head} {told}")

    @on(OptionList.OptionHighlighted, "#arms")
    def _about(self) -> None:
        name = self._marked
        about = " ".join((inspect.getdoc(UNTUNED_ARMS[name]) or "").split())
        scores, asked = self.session.scores(name), self.session.asked(name)
        lines = [Content(about)]
        if asked:
            lines.append(Content(sanitize(asked, one_line=True, max_length=200)))
        if scores is not None and scores.unanswered:
            reasons = " · ".join(f"{reason} {count}" for reason, count in scores.unanswered.items())
            lines.append(Content(sanitize(f"no answer, neither right nor wrong: {reasons}", one_line=True, max_length=200)))
        if scores is not None and scores.failures:
            classes = " · ".join(f"{failure} {count}" for failure, count in scores.failures.items())
            lines.append(Content(f"failures: {classes}"))
        if scores is not None and scores.wrong_fields:
            fields = " · ".join(f"{field} {count}" for field, count in list(scores.wrong_fields.items())[:8])
            lines.append(Content(sanitize(f"wrong fields: {fields}", one_line=True, max_length=200)))
        self.query_one("#about", Static).update(Content("\n").join(lines))

    @property
    def _marked(self) -> str:
        return list(UNTUNED_ARMS)[max(0, (self.query_one("#arms", OptionList).highlighted or 0) - 1)]

    def _so_far(self) -> Content:
        target = self.session.draft.content.target
        lines = []
        if ended := self.end_of_log():
            return ended
        if target is not None:
            lines.append(Content(f"target {'':<29} {bar(target.at_least, 6)} {percent(target.at_least)}"))
        measured = [arm for arm in self.state.arms.values() if arm.arm in UNTUNED_ARMS]
        met = self.session.arms_that_meet_the_target()
        if met:
            lines.append(Content.styled(f"{met[0]} already meets the target without any training. You can stop here: press f.", "bold"))
            lines.append(Content("Going on is possible (c); the card will say that it was not needed."))
        elif measured:
            best = max(measured, key=lambda arm: arm.correct.rate)
            reach = "None reaches the target. " if target and self.state.status is not RunStatus.RUNNING else ""
            lines.append(
                Content(
                    f"{reach}The best so far is {best.arm}: {percent(best.correct.rate).strip()} correct. That is what tuning has to beat."
                )
            )
        else:
            lines.append(Content("Nothing has been measured yet. Training is refused until there is a prompt baseline."))
        return Content("\n").join(lines)

    def _say_how_it_stands(self) -> None:
        state = self.state
        if state.status is RunStatus.RUNNING:
            self.say(f"the worker is at work: {state.stage or 'starting'}; it goes on when this terminal is closed")
        elif state.status is RunStatus.CRASHED:
            self.say("the worker is gone without a word; r goes on where it was. The end of its log: l", error=True)
        elif state.failure is not None and state.status is RunStatus.FAILED:
            self.say(state.failure.message, error=True)
        elif Stage.BASELINES in state.done:
            self.say("enter opens the failures of an arm; c goes on to the method")
        else:
            self.say("r runs the arms that are marked [x]")

    @on(OptionList.OptionSelected, "#arms")
    def _opened(self) -> None:
        predictions = self.session.predictions(self._marked)
        if predictions:
            self.app.push_screen(failures_screen(self._marked, predictions))
        else:
            self.say("this arm has not been run yet")

    def action_take_in_or_out(self) -> None:
        chosen = self.session.draft.content.baselines
        name = self._marked
        names = [arm for arm in UNTUNED_ARMS if (arm in chosen) != (arm == name)]
        if name in chosen and self.session.scores(name) is not None:
            self.complain(f"{name} is scored already, and stays in the evidence")
            return
        try:
            self.session.draft.choose(baselines=names)
        except TuneproofError as error:
            self.attempt("Baselines", error)
        self.refresh_all()

    def action_run(self) -> None:
        if not self.session.draft.content.baselines:
            self.complain("take in at least one arm: no training without a baseline")
        elif self.wizard.go_on(Stage.BASELINES):
            self.say("starting the worker …")

    def action_stop(self) -> None:
        self.wizard.stop_run()

    def action_finish_here(self) -> None:
        if self.wizard.go_on(Stage.CARD):
            self.wizard.go_to(Step.CARD)
