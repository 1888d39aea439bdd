"""Step 5: how the untuned model scores on the frozen cases, arm by arm, and where it fails."""

from __future__ import annotations

import inspect
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.arms import UNTUNED_ARMS, Arm, requested_arms, untuned_arms
from tuneproof.engine.case.arm_names import ArmName, with_repair
from tuneproof.engine.case.task import OutputKind
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event import whole_percent
from tuneproof.engine.run.state import RunStatus
from tuneproof.engine.scoring.rule import TargetStatus
from tuneproof.engine.session.baseline_choice import best_untuned, can_finish_without_training, target_share, with_arm_toggled
from tuneproof.engine.session.form_input import InputError
from tuneproof.engine.session.steps import WizardStep
from tuneproof.screens.failures import failures_screen
from tuneproof.screens.step import StepScreen
from tuneproof.tui.meanings import OF_TARGET
from tuneproof.tui.text_bar import bar
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.bars import BEYOND, PERHAPS, RATE_WIDTH, rate_bar, rate_text
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize

KEYS_OF_ARMS: dict[str, str] = {ArmName.RETRIEVAL: "data.documents", ArmName.ENDPOINT: "endpoint.url"}
"""The key of the case that an arm needs."""

NAME = max(map(len, UNTUNED_ARMS))
WITHOUT_BAR = 70 + 2
"""Columns of an arm's line, with the border of its list, besides the bar of its correct answers."""


HEAD = "the head of the table"
"""The id of that line in the list; no arm has spaces in its name."""


class BaselinesScreen(StepScreen):
    """Chooses the untuned arms, runs them, and shows their rates and failures."""

    STEP = WizardStep.BASELINES
    HELP_TEXT = """
**What does the model do without any training?** If the best prompt is good enough, you are done; if not, this is what tuning has to beat.

- **Arm**: one system that answers all the frozen cases. The panel below the list describes the highlighted arm; the simplest arm is
  first. If an arm has several prompt variants, validation cases select one, never the frozen cases.
- **Format valid**: the answer has the format that the task asks for. **Correct**: it is also right.
- **58 % [45–70]**: the measured rate and its 95 % *interval* (Wilson). With other cases of the same kind, the rate could be anywhere in
  it. If the intervals of two arms overlap a lot, do not trust the difference yet.
- **Tokens per case**: what each request costs. A long prompt with examples costs more on every request.
- **Failure class**: no JSON at all, prose around it, a missing field, a wrong value, cut off: it shows what kind of help is needed.

space selects an arm or leaves it out, r runs the selected arms, enter opens the failures of the highlighted arm.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run", "Run"),
        Binding("space", "toggle_arm", "Select"),
        Binding("s", "stop", "Stop"),
        Binding("f", "finish_here", "Finish here"),
        Binding("d", "edit_key('data.documents')", "Documents"),
        Binding("p", "edit_key('endpoint.url')", "Endpoint"),
    ]

    def compose_step(self) -> ComposeResult:
        yield OptionList(id="arms")
        yield MemoizedStatic(id="about", classes="panel")
        yield MemoizedStatic(id="baseline-verdict", classes="panel fill")

    def on_mount(self) -> None:
        listed = self.query_one("#arms", OptionList)
        listed.add_option(Option("", id=HEAD, disabled=True))
        for name in self._arms:
            listed.add_option(Option("", id=name))
        self.query_one("#about").border_title = "The highlighted arm"
        self.query_one("#baseline-verdict").border_title = "So far"
        listed.focus()
        listed.highlighted = 1

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        running = self.state.status is RunStatus.RUNNING
        match action:
            case "run" | "toggle_arm":
                return not running
            case "stop":
                return running
            case "edit_key":
                # What the highlighted arm cannot do without.
                return bool(self.query("#arms")) and KEYS_OF_ARMS.get(self._highlighted) in parameters
            case "finish_here":
                return can_finish_without_training(self.state, self.session.arms_that_meet_the_target())
        return True

    def show(self) -> None:
        listed = self.query_one("#arms", OptionList)
        frozen = self.state.frozen
        if frozen is not None:
            listed.border_title = f"On {frozen.eval} frozen cases (sha {frozen.eval_sha256[:8]}…)"
        head = f"{'arm':<{NAME + 4}} {'format valid':<{RATE_WIDTH}}  {'correct':<{self._bar_width + RATE_WIDTH + 1}} tokens s/case"
        listed.replace_option_prompt(HEAD, Meaning.HEADING.text(head))
        for name in self._arms:
            listed.replace_option_prompt(name, self._line(name))
        self._about()
        self.query_one("#baseline-verdict", Static).update(self._so_far())
        self._show_run_status()
        self.refresh_bindings()

    @property
    def _bar_width(self) -> int:
        return max(4, min(30, self.columns - WITHOUT_BAR))

    def _line(self, name: str) -> Content:
        state = self.state
        chosen = self._arms[name].is_requested(self.session.draft.content)
        scored = state.arms.get(name)
        answering = next((each for each in state.reported if each.about == name and each.share is not None), None)
        best = best_untuned(state)
        star = Meaning.BEST.text(Meaning.BEST.sign) if best is not None and best.arm == name else Content(" ")
        head = Content.assemble("[x]" if chosen else Meaning.MUTED.text("[ ]"), star, f"{name:<{NAME}} ")
        if scored is not None:
            met = OF_TARGET[self.session.target_status().get(name, TargetStatus.NONE)]
            costs = f"  {scored.tokens_per_case:5.0f} {scored.seconds_per_case:6.3f}"
            valid = rate_text(scored.format_valid).pad_right(RATE_WIDTH - rate_text(scored.format_valid).cell_length)
            correct = rate_text(scored.correct, met)
            bar_of_correct = rate_bar(scored.correct, self._bar_width, target_share(self.session.draft.content))
            sign = met.text(met.sign or " ")
            return Content.assemble(head, valid, " ", sign, bar_of_correct, " ", correct.pad_right(RATE_WIDTH - correct.cell_length), costs)
        if answering is not None and answering.share is not None:
            done = f"{bar(answering.share, self._bar_width)} answered {answering.done} of {answering.of}"
            return Content.assemble(head, Meaning.RUNNING.text(done))
        return Content.assemble(head, Meaning.MUTED.text("not run yet" if chosen else "not selected"))

    @on(OptionList.OptionHighlighted, "#arms")
    def _about(self) -> None:
        self.refresh_bindings()
        name = self._highlighted
        about = " ".join((inspect.getdoc(self._arms[name]) or "").split())
        scores, prompt_variant = self.session.scores(name), self.session.arm_summary(name)
        lines = [Content(about)]
        if (arm := self.state.arms.get(name)) is not None and arm.score is not None:
            lines.append(Content(arm.score_text))
        if prompt_variant:
            lines.append(Content(sanitize(prompt_variant, one_line=True, max_length=400)))
        if (repaired := self.session.scores(with_repair(name))) is not None:
            lines.append(Content(f"answers repaired by a parser: {whole_percent(repaired.correct.rate)} correct"))
        if scores is not None and scores.unanswered:
            reasons = " · ".join(f"{reason} {count}" for reason, count in scores.unanswered.items())
            lines.append(Content(sanitize(f"no answer, so neither right nor wrong: {reasons}", one_line=True, max_length=200)))
        if scores is not None and scores.failures:
            classes = " · ".join(f"{failure} {count}" for failure, count in scores.failures.items())
            fields = " · ".join(f"{field} {count}" for field, count in list(scores.wrong_fields.items())[:8])
            wrong = f"failures: {classes}" + (f"; {self._what_is_wrong}: {fields}" if fields else "")
            lines.append(Content(sanitize(wrong, one_line=True, max_length=300)))
        self.query_one("#about", Static).update(Content("\n").join(lines))

    @property
    def _arms(self) -> dict[str, type[Arm]]:
        return untuned_arms(self.session.draft.content)

    @property
    def _what_is_wrong(self) -> str:
        task = self.session.draft.content.task
        return (
            "labels that were missed" if task is not None and task.output.kind in (OutputKind.CHOICE, OutputKind.LABELS) else "wrong fields"
        )

    @property
    def _highlighted(self) -> str:
        return list(self._arms)[max(0, (self.query_one("#arms", OptionList).highlighted or 0) - 1)]

    def _so_far(self) -> Content:
        target = self.session.draft.content.target
        lines = []
        if log := self.crash_log():
            return log
        met = self.session.arms_that_meet_the_target()
        if met:
            lines.append(Meaning.TARGET_MET.signed(f"{met[0]} already meets the target without any training. You can stop here: press f."))
            lines.append(Content("You can also continue (c); the card will say that training was not needed."))
        elif best := best_untuned(self.state):
            reached = best.score_text or f"{whole_percent(best.correct.rate)} correct"
            reach = "None reaches the target. " if target and self.state.status is not RunStatus.RUNNING else ""
            lines.append(Content(f"{reach}The best so far is {best.arm}: {reached}. That is what tuning has to beat."))
        else:
            lines.append(Content("Nothing is measured yet. Training is refused until there is a prompt baseline."))
        if (share := target_share(self.session.draft.content)) is not None:
            legend = f"the target: {whole_percent(share)} correct; {PERHAPS}{BEYOND} a rate's 95 % interval"
            lines.append(Content.assemble(Meaning.TARGET.signed(legend)))
            lines.append(Meaning.MUTED.text("The interval: with other cases of the same kind, the rate could be anywhere in it."))
        return Content("\n").join(lines)

    def _show_run_status(self) -> None:
        state = self.state
        if state.status is RunStatus.RUNNING:
            self.show_status(f"the worker is running: {state.stage or 'starting'}; it continues when you close this terminal")
        elif state.status is RunStatus.CRASHED:
            self.show_status("the worker crashed; r resumes where it was, l shows the end of its log", error=True)
        elif state.failure is not None and state.status is RunStatus.FAILED:
            self.show_status(state.failure.message, error=True)
        elif Stage.BASELINES in state.done:
            self.show_status("enter opens the failures of an arm; c continues to the method")
        elif state.status is RunStatus.STOPPED:
            self.show_status("stopped; r goes on where it was")
        else:
            self.show_status("r runs the arms that are marked [x]")

    @on(OptionList.OptionSelected, "#arms")
    def _opened(self) -> None:
        predictions = self.session.predictions(self._highlighted)
        if predictions:
            self.app.push_screen(failures_screen(self._highlighted, predictions, self.show_trace))
        else:
            self.show_status("this arm has not run yet")

    def action_toggle_arm(self) -> None:
        arm = self._highlighted
        try:
            chosen = with_arm_toggled(self.session.draft.content.baselines, arm, is_scored=self.session.scores(arm) is not None)
        except InputError as error:
            self.show_error(str(error))
            return
        self.save_sections(baselines=chosen)
        self.refresh_all()

    def action_run(self) -> None:
        if not requested_arms(self.session.draft.content):
            self.show_error("select at least one arm: there is no training without a baseline")
        elif self.wizard.start_worker(Stage.BASELINES):
            self.show_status("starting the worker …")

    def action_stop(self) -> None:
        self.wizard.stop_run()

    def action_finish_here(self) -> None:
        if self.wizard.start_worker(Stage.CARD):
            self.wizard.go_to(WizardStep.CARD)
