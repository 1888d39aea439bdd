"""Step 6: which methods can train this base, what each costs, and which one to choose."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuneproof.engine.card.markdown import length_line
from tuneproof.engine.card.plan_text import SHARDED, disk_line, execution_line, gb, memory_line, needs_line, planned_lines
from tuneproof.engine.case.training import MethodChoice, Sharding
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.methods.forecast import Forecast
from tuneproof.engine.methods.method import MethodName
from tuneproof.engine.methods.plan import AUTO, make_plan
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run.artifacts import PlannedFacts
from tuneproof.engine.run.state import RunStatus
from tuneproof.engine.session.forecasts import MethodRow, method_rows
from tuneproof.engine.session.met_as_measured import with_measured_taken_as_enough
from tuneproof.engine.session.method_form import (
    SETTINGS,
    Objection,
    SettingRow,
    is_overridden,
    objection_to_training,
    setting_rows,
    settings_of,
    standing_objection,
    with_override_toggled,
    with_setting,
)
from tuneproof.engine.session.side_by_side import SideBySide, side_by_side
from tuneproof.engine.session.steps import WizardStep
from tuneproof.engine.session.training_actions import can_train_otherwise
from tuneproof.engine.session.wizard_words import in_wizard
from tuneproof.screens.ask import AskChoice, AskLine
from tuneproof.screens.reading import ReadingScreen
from tuneproof.screens.step import StepScreen
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.memoized_static import MemoizedStatic

HEAD = f"  {'method':<13} {'trained':>13} {'share':>8} {'memory':>8}   what it trains"


class MethodScreen(StepScreen):
    """The methods as a table for this base, the chosen one and why, and its settings."""

    STEP = WizardStep.METHOD
    HELP_TEXT = """
**How much of the model has to change?** The less changes, the cheaper it is, and the less the model can forget.

- **LoRA** keeps the weights of the model and trains two small matrices beside every linear layer, a few percent of the parameters. The
  result is a small file, the *adapter*, which is loaded on top of the base. **full** changes every weight, and the result is a whole
  model. The other methods are in between, or train even less; the panel below the list says what the highlighted one is good for.
- **Quantised** methods hold the base in 4 or 8 bits, so that a larger model fits into memory. **Merging** adds an adapter to the
  weights, so that it costs nothing at inference.
- **PEFT's comparison** is the one published measurement of all methods under the same conditions: one model, one task, one seed. If two
  intervals overlap, it does not show which method is better, and your task may differ.
- **Parameters** are the numbers that training changes; the **share** is their part of all the model's numbers.
- **GB** is the memory that training is predicted to need with the settings below; **!** means more than nine tenths of what is free, or
  more disk than is free. On a CPU the prediction is rough. Before a large training, one step is measured, and the card compares both.
- **Needs** has memory, disk and time next to each other: the disk is what the run takes at most at once in its folder (checkpoints, trained
  models, merged model, predictions), and the time is known once a step is measured.
- **auto** chooses the lightest method that changes how the model answers, and says why.
- **Learning rate, epochs, batch size, rank**: a setting without a value of yours has the documented default. It is shown here and on the
  card.

An untuned arm that is *shown* to meet the target ends the run without training. One that meets it only as *measured* may have been
lucky: the panel says how many more cases would settle it, and you decide (f finishes, c goes on to training).

enter chooses the highlighted method, a chooses auto, t changes a setting, b shows what the method takes beside full fine-tuning. p has the
worker measure one step of it: then memory, hours and money are known before training.

Once the model is trained, method and settings are fixed for this
run; changed in a training that was stopped, they begin it again.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "auto", "Auto"),
        Binding("t", "change_setting", "Settings"),
        Binding("p", "plan", "Measure"),
        Binding("b", "beside_full", "Beside full"),
        Binding("g", "train_anyway", "Train anyway"),
        Binding("f", "finish_here", "Finish without training"),
    ]

    _rows: Mapping[str, MethodRow] = MappingProxyType({})

    def compose_step(self) -> ComposeResult:
        yield OptionList(id="methods")
        with VerticalScroll(id="why-method", classes="panel"):
            yield MemoizedStatic(id="why-text")
        with VerticalScroll(id="settings", classes="panel fill"):
            yield MemoizedStatic(id="settings-text")

    def on_mount(self) -> None:
        listed = self.query_one("#methods", OptionList)
        listed.border_title = "Methods for this base"
        listed.add_option(Option(Meaning.HEADING.text(HEAD), disabled=True))
        for name in METHODS:
            listed.add_option(Option("", id=name))
        self.query_one("#why-method").border_title = "Your choice"
        self.query_one("#settings").border_title = "Settings: t changes one; the others have their defaults"
        listed.focus()
        chosen = self.session.draft.content.method.name
        listed.highlighted = listed.get_option_index(chosen if chosen in METHODS else next(iter(METHODS)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "train_anyway":
            return self._objection is not None or self.session.draft.content.method.enough_as_measured
        if action == "finish_here":
            return self._can_finish
        if action == "plan":
            return self.state.status is not RunStatus.RUNNING and not self._is_fixed
        if action == "beside_full":
            return self._side_by_side() is not None
        return not (action in ("auto", "change_setting") and self._is_fixed)

    @property
    def _can_finish(self) -> bool:
        """Whether a person may say that the target is met well enough, and have the card without a training."""
        is_free = self.state.status is not RunStatus.RUNNING and self.state.card is None and not self._is_fixed
        return is_free and self.session.met_as_measured() is not None

    @property
    def _is_fixed(self) -> bool:
        return not can_train_otherwise(self.state)

    def show(self) -> None:
        self._rows = method_rows(self.session)
        listed = self.query_one("#methods", OptionList)
        chosen = self.session.draft.content.method.name
        is_counted = self.session.catalogue is not None
        for name, row in self._rows.items():
            mark = "▸" if name == chosen or (chosen == AUTO and name == self._plan_name) else " "
            line = f"{mark} {name:<13} {_size(row, is_counted=is_counted)} {_memory(row.forecast)}  {row.method.trains}"
            listed.replace_option_prompt(name, Content(line))
        self.query_one("#why-text", Static).update(self._why())
        self.query_one("#settings-text", Static).update(self._settings())
        self._show_run_status()
        self.refresh_bindings()

    @property
    def _plan_name(self) -> str:
        content = self.session.draft.content
        return make_plan(content.method, content.training).method

    def _why(self) -> Content:
        content = self.session.draft.content
        try:
            chosen = make_plan(content.method, content.training)
        except TuneproofError as error:
            return Meaning.ERROR.signed(in_wizard(str(error)))
        name = f"{AUTO} → {chosen.method}" if content.method.name == AUTO else chosen.method
        lines = [Content.assemble((name, "bold"), f": {chosen.why}")]
        objection, met = self._objection, self.session.met_as_measured()
        if met is not None:
            is_enough = content.method.enough_as_measured
            asked = "You took that as enough; g trains all the same." if is_enough else "f finishes without training; c goes on to it."
            lines.append(Meaning.TARGET_PERHAPS.signed(f"{met.describe()}. {asked}"))
        if objection is not None:
            consequence = "You train anyway." if is_overridden(content.method) else "Training is skipped; press g to train anyway."
            lines.append(Meaning.WARN.signed(f"{objection.reason}. {consequence}"))
        lines += self._about_highlighted()
        return Content("\n").join(lines)

    def _about_highlighted(self) -> list[Content]:
        """What is known about the highlighted method."""
        method = METHODS[self._highlighted]
        lines = [Content.assemble((method.name, "bold"), f" trains {method.trains}; good for {method.good_for}")]
        refused = self.session.unavailable(method.name)
        if refused is not None:
            lines.append(Meaning.BLOCK.signed(f"not on this machine: {refused}"))
        row = self._rows.get(method.name)
        if row is not None and (forecast := row.forecast) is not None:
            lines += _forecast_lines(forecast)
        if method.published:
            lines.append(Content(f"published: {method.published.summary}"))
        if method.unsupported:
            lines.append(Content(f"cannot: {'; '.join(f'{ability.value} ({why})' for ability, why in method.unsupported.items())}"))
        return lines

    @property
    def _highlighted(self) -> str:
        listed = self.query_one("#methods", OptionList)
        return str(listed.get_option_at_index(listed.highlighted or 1).id)

    def _side_by_side(self) -> SideBySide | None:
        """The chosen method beside full fine-tuning, or the highlighted one where full is chosen."""
        name = self._plan_name if self._plan_name != MethodName.FULL else self._highlighted
        row = self._rows.get(name)
        return None if row is None else side_by_side(row, self._rows[MethodName.FULL], self._planned)

    @property
    def _planned(self) -> PlannedFacts | None:
        """What was measured for the method that is chosen now."""
        return self.session.planned if self._plan_name != MethodName.FULL or self._highlighted == MethodName.FULL else None

    @property
    def _objection(self) -> Objection | None:
        return objection_to_training(self.session.arms_that_meet_the_target(), self.session.route_after_measurement())

    def _settings(self) -> Content:
        try:
            rows = setting_rows(self.session.draft.content)
        except TuneproofError:
            return Content("")
        lines = [Content(line) for line in planned_lines(planned)] if (planned := self.session.planned) is not None else []
        lines += [_setting_line(row) for row in rows]
        catalogue = self.session.catalogue
        if catalogue is not None and catalogue.length is not None:
            lines.append(Content(length_line(catalogue.length)))
        return Content("\n").join(lines)

    def _show_run_status(self) -> None:
        if self._is_fixed:
            self.show_status("training has started, so method and settings are fixed; press c to see it")
        elif self.state.status is RunStatus.RUNNING:
            self.show_status(f"the worker is running: {self.state.stage}")
        elif (objection := standing_objection(self.session)) is not None:
            self.show_status(f"{objection.reason}, so a training would be skipped: g trains anyway, c goes on to the step")
        else:
            self.show_status("press c to continue to training; it starts only when you say so there")

    @on(OptionList.OptionHighlighted, "#methods")
    def _highlight_changed(self) -> None:
        self.query_one("#why-text", Static).update(self._why())

    @on(OptionList.OptionSelected, "#methods")
    def _method_chosen(self, event: OptionList.OptionSelected) -> None:
        name = str(event.option.id)
        refused = self.session.unavailable(name)
        if refused is not None:
            self.show_error(f"{name} cannot be trained here: {refused}")
            return
        self._choose_method(self._named(name))

    def action_auto(self) -> None:
        self._choose_method(self._named(AUTO))

    def action_plan(self) -> None:
        """Has the worker measure one step of the chosen method, so that its memory, time and cost are known before it is trained."""
        if self.wizard.start_worker(Stage.METHOD):
            self.show_status("one step of the chosen method is measured …")

    def action_next_step(self) -> None:
        self.session.is_method_chosen = True
        super().action_next_step()

    def action_beside_full(self) -> None:
        table = self._side_by_side()
        if table is not None:
            text = "\n".join([*table.lines(), "", table.why])
            self.app.push_screen(ReadingScreen(f"{table.names[0]} beside {table.names[1]}", text))

    def action_train_anyway(self) -> None:
        objection, method = self._objection, self.session.draft.content.method
        if method.enough_as_measured:
            self._choose_method(with_measured_taken_as_enough(method, is_enough=False))
        elif objection is not None:
            self._choose_method(with_override_toggled(self.session.draft.content.method, objection))

    def action_finish_here(self) -> None:
        self._choose_method(with_measured_taken_as_enough(self.session.draft.content.method, is_enough=True))
        if self.wizard.start_worker(Stage.CARD):
            self.wizard.go_to(WizardStep.CARD)

    def _choose_method(self, method: MethodChoice) -> None:
        if self._is_fixed:
            self.show_error("training has started: the method is fixed for this run")
            return
        self._choose(method=method)

    def _named(self, name: str) -> MethodChoice:
        return self.session.draft.content.method.model_copy(update={"name": name})

    def action_change_setting(self) -> None:
        choices = list(settings_of(self.session.draft.content).items())
        why = "A setting without a value of yours has the default of the method."
        self.app.push_screen(AskChoice("Which setting?", why, choices), self._setting_chosen)

    def _setting_chosen(self, name: str | None) -> None:
        if name is None:
            return
        own = getattr(self.session.draft.content.training, name)

        def check(text: str) -> str:
            self.check_sections({"training": with_setting(self.session.draft.content, name, text)})
            return ""

        def entered(text: str | None) -> None:
            if text is not None:
                self._choose(training=with_setting(self.session.draft.content, name, text))

        why = f"{SETTINGS[name]}. Empty: the default."
        self.app.push_screen(AskLine(name, why, "" if own is None else f"{own:g}", check=check), entered)

    def _choose(self, **sections: Any) -> None:
        self.save_sections(**sections)
        self.refresh_all()


def _setting_line(row: SettingRow) -> Content:
    value = "none" if row.value is None else f"{row.value:g}" if isinstance(row.value, float) else str(row.value)
    return Content.assemble(
        f"{row.name:<14}", (f"{value:>8}", "bold"), f"  {'yours' if row.is_own else 'default':<7}  ", (row.note, Meaning.MUTED.style)
    )


def _memory(forecast: Forecast | None) -> str:
    """The predicted memory of a method, marked if it does not fit; blanks of the same width if it is not known."""
    if forecast is None:
        return " " * 9
    return f"{gb(forecast.memory.total):>8}{' ' if forecast.fits else '!'}"


def _forecast_lines(forecast: Forecast) -> list[Content]:
    """Hours, memory and disk in one line, then what takes memory and disk; bold if it does not fit."""
    there = f"{gb(round(forecast.available.total))} ({forecast.available.source})"
    ways = execution_line(forecast.option)
    line = f"predicted memory: {memory_line(forecast.memory, there)}{f'; {ways}' if ways and forecast.fits else ''}"
    if forecast.option.sharding is Sharding.FULL:
        line += f"; for processes {SHARDED}"
    needs = needs_line(forecast.needs)
    lines = [Content(needs) if forecast.fits else Meaning.BLOCK.signed(f"does not fit. {needs}"), Content(line)]
    return [*lines, *([Content(disk_line(forecast.disk))] if forecast.disk is not None else [])]


def _size(row: MethodRow, *, is_counted: bool) -> str:
    """How many parameters the method trains, and their share of all; of the same width if that is not known."""
    if row.trained is None or row.share is None:
        return f"{'cannot adapt this base' if is_counted else '':<22}"
    return f"{row.trained:>13,} {100 * row.share:6.2f} %"
